"""What a mailbox saves, what is excluded, and what a plan has to do with it (R28)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letterdesk.accounts.roles import NotAllowed
from letterdesk.crm.linking.exclusions import BadPattern, Exclusions, allow, exclude
from letterdesk.crm.linking.link import link_new
from letterdesk.crm.linking.why import why_not
from letterdesk.crm.models import Exclusion, Record, Scope, Sight, Unknown
from letterdesk.crm.saving import change_saving, change_sight, saving_of
from letterdesk.events.models import Event
from letterdesk.mailboxes.tests.arriving import raw
from letterdesk.plans.change import change_plan, choose_next
from letterdesk.plans.models import Subscription
from letterdesk.plans.timeline import webmail_began_at

DAY = timedelta(hours=24)


def save_leads(mailbox, ines, **fields):
    wanted = {"known": True, "unknown_incoming": Unknown.LEAD, "unknown_outgoing": Unknown.NOTHING}
    return change_saving(mailbox, by=ines, **wanted | fields)


def test_without_a_word_known_addresses_are_saved_and_unknown_ones_are_not(mailbox):
    saving = saving_of(mailbox)
    assert (saving.known, saving.unknown_incoming, saving.unknown_outgoing) == (True, "nothing", "nothing")


def test_a_change_holds_from_now_on_and_is_told_once(mailbox, ines, jonas, come, account):
    come(raw("Before", message_id="1@x"))
    assert save_leads(mailbox, ines, responsible=[jonas])
    assert not save_leads(mailbox, ines, responsible=[jonas])
    assert not Record.objects.exists()
    come(raw("After", message_id="2@x"))
    assert Record.objects.get().responsible == jonas
    told = Event.objects.get(kind="saving.changed")
    assert told.facts["changed"] == ["unknown_incoming", "responsible"]


def test_a_lead_of_somebody_who_left_is_the_owners(mailbox, ines, jonas, come):
    save_leads(mailbox, ines, responsible=[jonas])
    jonas.is_active = False
    jonas.save(update_fields=["is_active"])
    come(raw())
    assert Record.objects.get().responsible == ines


def test_only_people_of_the_account_are_responsible(mailbox, ines, stranger):
    with pytest.raises(ValueError, match="another account"):
        save_leads(mailbox, ines, responsible=[stranger])


def test_where_there_is_no_webmail_nothing_is_made_even_if_letters_lie_there(mailbox, ines, account, come, now):  # R28
    save_leads(mailbox, ines)
    change_plan(account, "free", by=None, now=now - DAY)
    [message] = come(raw())
    assert not Record.objects.exists()
    assert why_not(message, now=now) == "Not saved: your plan has no Webmail."


@pytest.mark.parametrize("settled", [True, False], ids=["written down", "by the clock"])
def test_nor_does_mail_from_that_time_after_an_upgrade(mailbox, ines, account, come, now, settled):  # R28
    save_leads(mailbox, ines)
    change_plan(account, "free", by=None, now=now - 3 * DAY)
    if settled:
        change_plan(account, "standard", by=None, now=now - DAY)
    else:
        choose_next(account, "standard", at=now - DAY, by=None, now=now - 2 * DAY)
    [message] = come(raw("Then", message_id="1@x"), at=now - 2 * DAY)
    assert not Record.objects.exists()
    assert "had no Webmail" in why_not(message, now=now)
    come(raw("Since", message_id="2@x"), at=now - DAY)
    assert Record.objects.count() == 1


def test_another_plan_with_webmail_is_no_new_beginning(account, now):
    change_plan(account, "professional", by=None, now=now)
    assert webmail_began_at(Subscription.objects.get(account=account), now) is None


def test_letters_that_were_there_before_the_mailbox_saved_anything_are_looked_at_once(mailbox, come, now):
    come(raw(), look=False)
    assert link_new(mailbox, now=now) == 0
    assert saving_of(mailbox).considered > 0


@pytest.mark.parametrize(
    ("pattern", "address", "excluded"),
    [
        ("Anna@Berg.example", "anna@berg.example", True),
        ("anna@berg.example", "joanna@berg.example", False),
        ("@berg.example", "anna@berg.example", True),
        ("berg.example", "anna@berg.example", True),
        ("@berg.example", "anna@mail.berg.example", False),
        ("*@*.berg.example", "anna@mail.berg.example", True),
        ("news*@*", "newsletter@berg.example", True),
        ("news*@*", "anna@news.example", False),
        ("cron@localhost", "cron@localhost", True),
        ("@BÜCHER.example", "anna@xn--bcher-kva.example", True),
    ],
)
def test_what_a_pattern_excludes(ines, now, pattern, address, excluded):
    made = exclude(pattern, by=ines, now=now)
    assert Exclusions([made.pattern]).has(address) == excluded


@pytest.mark.parametrize(
    "pattern", ["", "*", "*@*", "@", "a", "*.*", "a@b@c", "ines", "a b.example", "x" * 400 + ".example"]
)
def test_what_would_exclude_everything_or_nothing_is_refused(ines, now, pattern):
    with pytest.raises(BadPattern):
        exclude(pattern, by=ines, now=now)


@given(st.lists(st.text("ab@.", max_size=4), min_size=2, max_size=5), st.text("ab@.", max_size=12))
def test_a_star_is_anything(parts, address):
    """Beside the plain way, which takes for ever on some patterns."""
    import re

    plain = re.fullmatch(".*".join(map(re.escape, parts)), address) is not None
    assert Exclusions(["*".join(parts)]).has(address) in {plain, address == "*".join(parts) or plain}


def test_twice_is_once_and_taken_off_again(ines, now):
    exclude("@berg.example", by=ines, now=now, comment="supplier")
    allow(exclude("@berg.example", by=ines, now=now), by=ines)
    assert not Exclusion.objects.exists()
    assert list(Event.objects.values_list("kind", flat=True)) == ["exclusion.added", "exclusion.removed"]


def test_an_administrator_says_who_sees_how_much(administrator, ines):
    change_sight("employee", Scope.ALL, by=administrator)
    change_sight("employee", Scope.DEPARTMENT, by=administrator)
    assert Sight.objects.get().scope == Scope.DEPARTMENT
    with pytest.raises(NotAllowed):
        change_sight("employee", Scope.ALL, by=ines)
