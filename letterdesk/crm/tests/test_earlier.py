"""Earlier letters that go along: all of their conversation, and nothing is made of them (R6, R28)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letterdesk.crm.linking import earlier
from letterdesk.crm.linking.decide import Saving
from letterdesk.crm.linking.ground import Grounds, know_threads
from letterdesk.crm.linking.link import link_new
from letterdesk.crm.linking.look_back import look_back
from letterdesk.crm.linking.threads import Threads
from letterdesk.crm.models import Activity, Binding, CardsToRead, Kind, Returning, Unknown
from letterdesk.crm.saving import change_saving
from letterdesk.mailboxes.tests.arriving import raw

from .conftest import from_amara
from .test_make import with_cards

HOUR = timedelta(hours=1)


def saved():
    return set(Activity.objects.values_list("subject", flat=True))


def card_of(sender, message_id, head=b""):
    letter = with_cards(("Bo", "bo@new.example"), subject="Card")
    letter = letter.replace(b"Amara@Okafor.example", sender.encode())
    return head + letter.replace(b"Card@okafor.example", message_id.encode())


def answer(*, subject="Re: Card"):
    return from_amara(subject, in_reply_to="1@x", to="ines@acme.example, desk@okafor.example")


@pytest.fixture
def reads_cards(mailbox, ines):
    nothing = {"unknown_incoming": Unknown.NOTHING, "unknown_outgoing": Unknown.NOTHING}
    change_saving(mailbox, by=ines, known=True, reads_cards=True, **nothing)


def test_a_look_back_makes_no_contact_of_a_card_that_lay_there_before(reads_cards, make, ines, come, now):  # R28
    come(card_of("desk@okafor.example", "1@x"), at=now - 2 * HOUR)
    come(answer(), at=now - HOUR)
    amara = make(addresses=("amara@okafor.example",))
    look_back(amara, by=ines, now=now)
    assert saved() == {"Card", "Re: Card"}
    assert not CardsToRead.objects.exists()


@pytest.mark.parametrize("head", [b"List-Id: <list@x.example>\r\n", b"Auto-Submitted: auto-generated\r\n"])
def test_a_program_s_card_that_goes_along_makes_no_contact(reads_cards, amara, come, now, head):
    come(card_of("desk@okafor.example", "1@x", head), at=now - 2 * HOUR)
    come(answer(), at=now - HOUR)
    come(card_of("desk@okafor.example", "3@x", head + b"References: <1@x>\r\n"))
    assert Activity.objects.count() == 3
    assert not CardsToRead.objects.exists()


def test_a_long_conversation_leaves_room_for_the_earlier_letters_of_others(amara, come, now, monkeypatch):
    """In one piece: what goes along with a letter is told of its own conversation."""
    monkeypatch.setattr(earlier, "MOST_AT_ONCE", 4)
    strangers = [
        raw(f"S{number}", sender="x@strange.example", message_id=f"s{number}@x", references=("s0@x",))
        for number in range(5)
    ]
    come(*strangers, at=now - 9 * HOUR)
    come(raw("Card", sender="desk@okafor.example", message_id="1@x"), at=now - 2 * HOUR)
    come(from_amara("Re: S", references=("s0@x",)), answer(), at=now - HOUR)
    assert saved() == {"Card", "Re: Card", "Re: S"}


def test_what_is_asked_of_a_conversation_does_not_grow_with_its_letters(amara, make, come, now):
    """Each record is handed out once, not once for each letter that stands there."""
    deal = make("deal", "Roof", contact=amara)
    come(*(from_amara(f"{number}", message_id=f"{number}@x", references=("a@x",)) for number in range(5)))
    thread = Activity.objects.values_list("thread", flat=True).distinct().get()
    grounds = Grounds(frozenset(), Saving(), True, None, {}, {}, {}, Threads())
    with CaptureQueriesContext(connection) as queries:
        know_threads(grounds, amara.account_id, [thread])
    handed = []
    with connection.cursor() as cursor:
        for query in queries.captured_queries[:2]:  # people, and records
            cursor.execute(query["sql"])
            handed.append(len(cursor.fetchall()))
    assert handed == [1, 2]
    assert set(grounds.standing[thread]) == {amara.pk, deal.pk}


def test_a_letter_that_just_came_is_new_whoever_is_quicker(make, ines, come, mailbox, now):
    """A contact is made in the seconds between a letter's coming and its linking: the letter lay not there before."""
    nothing = {"unknown_incoming": Unknown.NOTHING, "unknown_outgoing": Unknown.NOTHING}
    change_saving(mailbox, by=ines, known=True, returning=Returning.DEAL, **nothing)
    amara = make(addresses=("amara@okafor.example",))
    come(from_amara(), look=False)
    look_back(amara, by=ines, now=now)
    link_new(mailbox, now=now)
    assert [each.record.kind for each in Binding.objects.order_by("record")] == [Kind.CONTACT, Kind.DEAL]
