"""Letters of which CRM knows nothing are passed over, and no letter more: what would come of them is nothing."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letterdesk.crm.linking import link
from letterdesk.crm.linking.corrections import belongs
from letterdesk.crm.linking.decide import decide
from letterdesk.crm.linking.ground import grounds_of
from letterdesk.crm.linking.link import link_new
from letterdesk.crm.linking.sift import next_of, sift
from letterdesk.crm.models import Returning, Unknown
from letterdesk.crm.saving import change_saving, saving_of
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.tests.arriving import another_mailbox, raw
from letterdesk.mailboxes.tests.letters import folder_of

from .conftest import from_amara

WANTED = {"known": True, "unknown_incoming": Unknown.NOTHING, "unknown_outgoing": Unknown.NOTHING}


def left(mailbox):
    """The subjects of the letters that are looked at."""
    saving = saving_of(mailbox)
    return set(Message.objects.filter(pk__in=sift(saving, next_of(saving, 500))).values_list("subject", flat=True))


def from_stranger(subject, *, sender="Uma <uma@elsewhere.example>", **fields):
    return raw(subject, sender=sender, **{"message_id": f"{subject}@elsewhere.example"} | fields)


def test_strangers_are_passed_over_and_whoever_is_named_is_not(amara, ines, now, come, mailbox):
    belongs("told@elsewhere.example", amara, by=ines, now=now)
    come(
        from_stranger("Advertisement"),
        from_stranger("Said", sender="told@elsewhere.example"),
        from_stranger("To a client", to="amara@okafor.example"),
        from_stranger("Among us", sender=ines.email),
        from_amara("Offer"),
        look=False,
    )
    assert left(mailbox) == {"Said", "To a client", "Offer"}


def test_ours_are_nobodys_clients(make, ines, come, mailbox):
    make(name="Ines herself", addresses=(ines.email,))
    come(from_stranger("To Ines", to=ines.email), look=False)
    assert left(mailbox) == set()


def test_a_conversation_that_stands_in_crm_is_followed_in_every_mailbox(amara, account, come, mailbox):
    come(from_amara("Offer", message_id="1@x"))
    come(from_stranger("Re: Offer", references=("1@x",)), look=False)
    other = folder_of(another_mailbox(account, "mate@acme.example"))
    come(from_stranger("Fwd: Offer", references=("1@x",)), folder=other, look=False)
    assert left(mailbox) == {"Re: Offer"}
    assert left(other.mailbox) == {"Fwd: Offer"}


def test_what_comes_with_a_clients_letter_is_looked_at_with_it(amara, come, mailbox):
    come(from_amara("Offer", message_id="1@x"), from_stranger("Re: Offer", references=("1@x",)), look=False)
    assert left(mailbox) == {"Offer", "Re: Offer"}


@pytest.mark.parametrize("named", ["1@x", ""], ids=["named", "nameless"])
def test_what_came_through_another_mailbox_joins(amara, account, come, mailbox, named):  # R13
    come(from_amara("Offer", message_id=named))
    amara.addresses.all().delete()
    other = folder_of(another_mailbox(account, "mate@acme.example"))
    come(from_amara("Offer", message_id=named), folder=other, look=False)
    assert left(other.mailbox) == {"Offer"}


def test_the_past_of_a_mailbox_that_makes_leads_is_passed_over_and_the_present_is_not(ines, come, mailbox):  # R28
    change_saving(mailbox, by=ines, **WANTED | {"unknown_incoming": Unknown.LEAD, "returning": Returning.LEAD})
    come(from_stranger("Before"), history=True, look=False)
    assert left(mailbox) == set()
    come(from_stranger("Now"), look=False)
    assert left(mailbox) == {"Before", "Now"}  # what is made of one is known to the other


def test_a_letter_that_is_passed_over_is_one_of_which_nothing_comes(amara, ines, come, mailbox, now):
    for history in (True, False):
        come(*(from_stranger(f"{history} {n}", to="a@b.example") for n in range(5)), history=history, look=False)
    letters = list(Message.objects.all())
    grounds = grounds_of(mailbox, letters, now=now)
    verdicts = [decide(grounds.seen(letter), grounds.around(letter)) for letter in letters]
    assert left(mailbox) == set()
    assert not any(verdict.bindings or verdict.new for verdict in verdicts)


def test_a_stranger_costs_a_few_questions_however_many_they_are(amara, come, mailbox, now):
    come(from_amara())
    counts = []
    for size in (2, 20):
        come(*(from_stranger(f"{size} {n}") for n in range(size)), look=False)
        with CaptureQueriesContext(connection) as queries:
            assert link_new(mailbox, now=now) == 0
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 18


@pytest.mark.django_db(transaction=True)
def test_nothing_is_held_while_it_is_found_out_whom_crm_knows(amara, come, mailbox, now):
    come(from_stranger("Advertisement"), from_amara("Offer"), look=False)
    held = []

    def watch(execute, sql, *more):
        if "crm_emailaddress" in sql:
            held.append(connection.in_atomic_block)
        return execute(sql, *more)

    with connection.execute_wrapper(watch):
        assert link_new(mailbox, now=now) == 1
    assert held == [False, True]  # then more of whom it knows


def test_what_another_worker_has_looked_at_meanwhile_is_not_looked_at_again(amara, come, mailbox, now):
    letters = [each.pk for each in come(from_amara("One"), from_amara("Two"), look=False)]
    for saved in (2, 0):
        looked = link._look_closer(mailbox, letters, letters, now=now, is_end=True, with_earlier=True)
        assert (looked.saved, looked.is_last) == (saved, True)


def test_what_comes_while_it_is_found_out_is_looked_at_next(amara, come, mailbox, now):
    [letter] = come(from_amara("One"), look=False)
    come(from_amara("Two"), look=False)
    looked = link._look_closer(mailbox, [letter.pk], [], now=now, is_end=True, with_earlier=True)
    assert not looked.is_last
    assert link_new(mailbox, now=now) == 1
