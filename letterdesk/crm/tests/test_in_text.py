"""One letter is one activity, in whatever order it comes itself and as the text of forwards (R30)."""

from itertools import permutations

import pytest
from django.db import connection

from letterdesk.crm.activities.bin import delete_activity, restore_activity
from letterdesk.crm.activities.reading import raw as raw_of
from letterdesk.crm.linking import in_text
from letterdesk.crm.linking.by_hand import link_by_hand, take_away
from letterdesk.crm.models import Activity, Binding, InText, Record, SetAside, Thread, Unknown, Unlinked
from letterdesk.crm.saving import change_saving
from letterdesk.crm.sendsave import addresses as sendsave
from letterdesk.crm.tests.test_sendsave import address, arrive, house, letter  # noqa: F401  fixtures
from letterdesk.intake.models import Arrived, State
from letterdesk.lib import blobs
from letterdesk.mail.authentic import Proof
from letterdesk.mailboxes.models import BlobReference, Message
from letterdesk.mailboxes.tests.arriving import another_mailbox, raw
from letterdesk.mailboxes.tests.letters import folder_of

from .conftest import from_amara

WORDS = "Dear Ines, here is our offer for the roof of your house. It holds until Christmas."
HEAD = """Can you take care of this one?

---------- Forwarded message ---------
From: Amara Okafor <amara@okafor.example>
Date: Mon, Nov 23, 2026 at 10:00 AM
Subject: Offer for the roof
To: Ines <ines@acme.example>

"""
NAME = "<offer@okafor.example>"
LEAD = {"unknown_incoming": Unknown.LEAD, "unknown_outgoing": Unknown.LEAD}
WAYS = ("webmail", "referring", "text", "attached")


@pytest.fixture
def come_by(ines, address, arrive, come, mailbox):  # noqa: F811
    """Amara's letter comes by one of the ways; whoever is unknown becomes a lead."""
    sendsave.change(address, by=ines, **LEAD)
    change_saving(mailbox, by=ines, known=True, **LEAD)

    def by(way, *, words=WORDS, name=NAME, refers_to=NAME):
        hers = letter(
            ines, sender="Amara Okafor <amara@okafor.example>", to=ines.email, subject="Offer for the roof",
            body=words, message_id=name,
        )  # fmt: skip
        hers.replace_header("Date", "Mon, 23 Nov 2026 10:00:00 +0000")
        if way == "webmail":
            come(bytes(hers))
            return
        fields = {"References": f"<older@okafor.example> {refers_to}"} if way == "referring" else {}
        body = HEAD + "\n".join(words.split(". ")) if way != "attached" else "See the letter."
        outer = letter(
            ines, to=address.address, subject="Fwd: Offer for the roof", body=body, message_id=f"<{way}@acme.example>",
            **fields,
        )  # fmt: skip
        if way == "attached":
            outer.add_attachment(hers)
        row = arrive(outer)
        assert row is None or row.state == State.DONE  # None: the same bytes once more

    return by


@pytest.mark.parametrize(
    "ways", [*permutations(WAYS, 4), *permutations(WAYS, 2), *(("webmail", way, way) for way in WAYS)], ids="-".join
)
def test_in_every_order_it_is_one_activity_and_one_lead(come_by, ways):
    for way in ways:
        come_by(way)
    activity, lead = Activity.objects.get(), Record.objects.get()
    assert (lead.kind, lead.name) == ("lead", "Amara Okafor")
    assert list(activity.bindings.values_list("record", flat=True)) == [lead.pk]
    assert (Thread.objects.count(), activity.subject) == (1, "Offer for the roof")
    is_whole = not {"webmail", "attached"}.isdisjoint(ways)
    assert InText.objects.exists() is not is_whole
    assert raw_of(activity).startswith(b"From: Amara" if is_whole else b"From: Ines")
    assert (activity.message_id == NAME.strip("<>")) is is_whole
    assert BlobReference.objects.get(holder=activity.holder).blob == activity.blob
    assert Binding.objects.get().received_at == activity.received_at
    assert set(Arrived.objects.values_list("state", flat=True)) <= {State.DONE}


def test_what_is_found_and_answered_is_the_whole_letter(come_by, come, ines):
    come_by("text")
    come_by("webmail")
    answer = letter(
        ines, sender="Amara <amara@okafor.example>", to=ines.email, subject="Re: Offer for the roof",
        message_id="<again@okafor.example>", In_Reply_To=NAME,
    )  # fmt: skip
    come(bytes(answer))
    assert (Activity.objects.count(), Thread.objects.count()) == (2, 1)


def test_when_a_forward_becomes_whole_a_thread_that_is_used_stays(come_by, come, account, ines):
    """Both in one piece: the answer to the forward leads to the forward's thread, which the letter itself leaves."""
    answer = from_amara("Re: Fwd: Offer", in_reply_to="text@acme.example", message_id="again@okafor.example")
    among_us = raw("What now?", sender=ines.email, in_reply_to="again@okafor.example", message_id="now@acme.example")
    come_by("text")
    come(answer, folder=folder_of(another_mailbox(account, "mate@acme.example")))
    come(answer, among_us, look=False)
    come_by("webmail")
    assert sorted(Activity.objects.values_list("subject", flat=True)) == ["Offer for the roof", "Re: Fwd: Offer"]
    assert not InText.objects.exists()
    connection.check_constraints()


def test_less_than_all_is_another_letter(come_by):
    """The same sender, subject and minute, and other words: nobody guesses."""
    come_by("text")
    come_by("webmail", words=f"{WORDS} But pay to another account.")
    assert Activity.objects.count() == 2
    come_by("webmail", words="Short.", name="<short@okafor.example>")
    assert Activity.objects.count() == 3
    assert InText.objects.count() == 1


@pytest.mark.parametrize("order", list(permutations(("first", "second", "forward"))), ids="-".join)
def test_a_forward_is_the_letter_that_it_names_last_not_an_earlier_one(come_by, order):
    """The reference nearest to it: the conversation before is of the same person, too."""
    ways = {
        "first": {"way": "webmail", "words": f"{WORDS} One.", "name": "<older@okafor.example>"},
        "second": {"way": "webmail", "words": f"{WORDS} Two."},
        "forward": {"way": "referring", "words": f"{WORDS} Two."},
    }
    for each in order:
        said = dict(ways[each])
        come_by(said.pop("way"), **said)
    assert sorted(Activity.objects.values_list("message_id", flat=True)) == [
        "offer@okafor.example",
        "older@okafor.example",
    ]


def test_what_is_not_proved_replaces_nothing_that_is(come_by, house):  # noqa: F811  # D09
    come_by("text")
    house["proof"] = Proof.NONE
    come_by("attached")
    assert sorted(Activity.objects.values_list("is_unverified", flat=True)) == [False, True]
    come_by("webmail")
    assert Activity.objects.count() == 2


WHOLE = ("webmail", "attached")


@pytest.mark.parametrize("way", WHOLE)
@pytest.mark.parametrize("whole_conversation", [False, True])
def test_a_forward_taken_away_from_a_record_stays_away_when_the_letter_itself_comes(
    come_by, make, ines, now, way, whole_conversation
):
    hers, double = (make(kind, addresses=("amara@okafor.example",)) for kind in ("contact", "company"))
    come_by("text")
    take_away(Activity.objects.get(), double, by=ines, now=now, whole_conversation=whole_conversation)
    come_by(way)
    come_by("webmail")
    activity = Activity.objects.get()
    assert set(activity.bindings.values_list("record", flat=True)) == {hers.pk}
    assert set(Unlinked.objects.exclude(identity="").values_list("identity", flat=True)) == {activity.identity}


@pytest.mark.parametrize("way", WHOLE)
def test_a_forward_that_was_deleted_is_not_back_when_the_letter_itself_comes(come_by, ines, now, way):
    """Nor is there a second lead; the bytes are the letter's own, should somebody restore it."""
    come_by("text")
    delete_activity(Activity.objects.get(), by=ines, now=now)
    come_by(way)
    assert not Activity.objects.present().exists()
    activity, lead = Activity.objects.get(), Record.objects.get()
    assert raw_of(activity).startswith(b"From: Amara")
    restore_activity(activity, by=ines, now=now)
    assert list(activity.bindings.values_list("record", flat=True)) == [lead.pk]
    assert not Unlinked.objects.exists()


def test_a_person_who_links_the_letter_itself_takes_it_out_of_the_bin(come_by, come, mailbox, make, ines, now):
    """As it would be had it come whole at first."""
    come_by("text")
    delete_activity(Activity.objects.get(), by=ines, now=now)
    Activity.objects.update(went_along=True)  # so that the letter lies beside it, unlinked
    change_saving(mailbox, by=ines, known=False, unknown_incoming="nothing", unknown_outgoing="nothing")
    come_by("webmail")
    Activity.objects.update(went_along=False)
    roof = make("deal", "Roof")
    link_by_hand(Message.objects.get(), roof, by=ines, now=now)
    activity = Activity.objects.present().get()
    assert roof.pk in activity.bindings.values_list("record", flat=True)
    assert not Unlinked.objects.exists()


def test_of_a_mailbox_that_saves_nothing_the_letter_stays_where_it_is(come_by, mailbox, ines):
    come_by("text")
    change_saving(mailbox, by=ines, known=False, unknown_incoming="nothing", unknown_outgoing="nothing")
    come_by("webmail")
    assert InText.objects.count() == Activity.objects.count() == 1


def test_minutes_agree_whatever_zone_a_program_means(now):
    hour, minute = in_text.QUARTER * 4, in_text.MINUTE

    def said(at, words=WORDS, **more):
        return in_text.Said("amara@okafor.example", "Offer", at, "", lambda: in_text.words_of(words), **more)

    assert in_text.is_same(said(now), said(now + hour)) and in_text.is_same(said(now), said(now + minute / 2))
    assert not in_text.is_same(said(now), said(now + 5 * minute)) and not in_text.is_same(said(now), said(None))
    assert not in_text.is_same(said(now), said(now + 48 * hour))
    with_footer = said(now, f"> {WORDS}\n--\nFooter")
    assert in_text.is_same(said(now), with_footer) and in_text.is_same(with_footer, said(now, is_whole=True))
    assert not in_text.is_same(said(now), said(now, f"{WORDS} More.", is_whole=True))
    assert not in_text.is_same(said(now, ""), said(now, ""))


@pytest.mark.parametrize("first", ["text", "webmail"])
def test_one_whose_bytes_are_lost_holds_the_other_up_no_more(come_by, account, first):
    """Nothing says then that they are the same."""
    come_by(first)
    blobs.remove(account.pk, Activity.objects.get().blob)
    come_by("webmail" if first == "text" else "text")
    assert Activity.objects.count() == 2
    assert not SetAside.objects.exists()
