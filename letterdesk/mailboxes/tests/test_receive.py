"""Letters come into the store: each once, whole, and in a constant number of queries."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from letterdesk.events.models import Event
from letterdesk.lib import blobs, crashpoint
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes import listing
from letterdesk.mailboxes.models import (
    Attachment,
    BlobReference,
    Conversation,
    Listing,
    LooseBlob,
    Message,
    Placement,
    Quarantined,
    SearchText,
)
from letterdesk.mailboxes.receive import prepare, store
from letterdesk.mailboxes.retention import receipts, tombstones
from letterdesk.mailboxes.search.index import position

from .arriving import BEFORE, NOW, VALIDITY, another_mailbox, fetched, raw, receive
from .letters import folder_of

UNREADABLE = b"\x00" * 40


def test_a_letter_is_stored_with_its_place_its_bytes_and_its_line_in_the_list(inbox, mailbox):
    content = raw("Offer", message_id="1@berg.example", attachment="offer.pdf")
    receipt = receive(inbox, fetched(7, content, flags=["\\Seen", "$Label1", "\\Recent"]))
    [message] = receipt.stored
    assert receipt.placed == UidSet([7])
    message.refresh_from_db()
    assert (message.subject, message.from_address, message.received_at) == ("Offer", "anna@berg.example", BEFORE)
    place = Placement.objects.get()
    assert (place.uid, place.uidvalidity, place.is_seen, place.keywords) == (7, VALIDITY, True, ["$Label1"])
    assert Attachment.objects.get().filename == "offer.pdf"
    assert blobs.get(mailbox.account_id, message.blob) == content
    assert BlobReference.objects.get().blob == message.blob
    assert not LooseBlob.objects.exists()
    line = Listing.objects.get()
    assert (line.folder, line.newest_at, line.unread_count) == (inbox, BEFORE, 0)
    conversation = Conversation.objects.get()
    assert (conversation.subject, conversation.senders, conversation.message_count) == ("Offer", ["Anna Berg"], 1)
    assert listing.check(mailbox) == []


@pytest.mark.case("A07")
def test_receiving_the_same_uid_again_changes_nothing(inbox, mailbox):
    receive(inbox, fetched(7, raw(message_id="1@x")))
    before = [list(model.objects.order_by("pk").values()) for model in (Message, Placement, Listing, Conversation)]
    receipt = receive(inbox, fetched(7, raw(message_id="1@x")))
    assert receipt.stored == []
    assert receipt.placed == UidSet([7])
    assert before == [
        list(model.objects.order_by("pk").values()) for model in (Message, Placement, Listing, Conversation)
    ]


@pytest.mark.case("A34")
def test_one_letter_in_three_folders_is_one_message_with_three_places(mailbox, inbox, archive):
    everything = folder_of(mailbox, "[Gmail]/All Mail", "all")
    content = raw(message_id="1@x")
    receive(everything, fetched(1, content), fetched(2, raw("Other", message_id="2@x")))
    receive(inbox, fetched(9, content))
    receive(archive, fetched(4, content), fetched(5, content))
    message = Message.objects.get(message_id="1@x")
    assert message.placements.count() == 4
    assert message.conversation.message_count == 1
    assert Message.objects.count() == 2
    assert Listing.objects.get(folder=archive).unread_count == 1  # the letter, not its copies
    assert listing.check(mailbox) == []


@pytest.mark.case("A46")
def test_the_same_message_id_on_two_letters_makes_two_messages(inbox):
    receive(inbox, fetched(1, raw("One", message_id="same@x")), fetched(2, raw("Two", message_id="same@x")))
    receive(inbox, fetched(3, raw("Three", message_id="same@x")), fetched(4, raw("No id")), fetched(5, raw("Nor I")))
    assert Message.objects.count() == Placement.objects.count() == 5


@pytest.mark.case("A46")
def test_a_message_id_of_64_kilobytes_is_no_trouble(inbox):
    receive(inbox, fetched(1, raw(message_id="a" * 65_536 + "@x")), fetched(2, raw(references=["b" * 65_536])))
    assert Message.objects.count() == 2


@pytest.mark.case("F14")
def test_two_mailboxes_and_two_accounts_share_no_message(account, inbox):
    other = folder_of(another_mailbox(account, "omar@acme.example"))
    receive(inbox, fetched(1, raw(message_id="1@x")))
    receive(other, fetched(1, raw(message_id="1@x")))
    assert Message.objects.count() == Conversation.objects.count() == BlobReference.objects.count() == 2


def test_a_letter_received_in_the_future_counts_from_now(inbox):
    receive(inbox, fetched(1, raw("Future"), at=NOW + timedelta(days=400)))
    assert Message.objects.get().received_at == NOW  # R19


def test_the_earliest_place_decides_and_joining_never_makes_it_later(inbox, archive, mailbox):
    content = raw(message_id="1@x")
    receive(inbox, fetched(1, content, at=BEFORE))
    receive(archive, fetched(1, content, at=BEFORE + timedelta(hours=3)))
    assert Message.objects.get().received_at == BEFORE
    receive(archive, fetched(2, content, at=BEFORE - timedelta(days=9)))
    assert Message.objects.get().received_at == BEFORE - timedelta(days=9)
    assert set(Placement.objects.values_list("received_at", flat=True)) == {BEFORE - timedelta(days=9)}
    message = Message.objects.get()
    assert SearchText.objects.get().position == position(message.received_at, message.pk)
    assert listing.check(mailbox) == []


@pytest.mark.case("A35")
@pytest.mark.parametrize("year", [1601, 1969, 2400, 9999])
def test_absurd_dates_of_receipt_are_stored(inbox, mailbox, year):
    receive(inbox, fetched(1, raw(), at=datetime(year, 5, 5, tzinfo=UTC)))
    assert Message.objects.get().received_at <= NOW
    assert listing.check(mailbox) == []


def test_what_was_received_at_or_before_the_cutoff_is_left_out_and_reported(inbox):
    receipt = receive(
        inbox,
        fetched(1, raw("Just too old"), at=BEFORE),
        fetched(2, raw("Just in time"), at=BEFORE + timedelta(seconds=1)),
        cutoff=BEFORE,
    )
    assert receipt.too_old == UidSet([1])  # R20, R21
    assert receipt.placed == UidSet([2])
    assert list(Message.objects.values_list("subject", flat=True)) == ["Just in time"]


def test_a_held_letter_is_taken_whatever_its_age(inbox, archive):
    receive(inbox, fetched(1, raw()))
    Message.objects.update(is_held=True)
    receipt = receive(archive, fetched(8, raw()), cutoff=NOW)
    assert receipt.placed == UidSet([8])  # R4


@pytest.mark.parametrize("when", ["before preparing", "between preparing and storing"])
def test_a_tombstoned_letter_does_not_come_back(inbox, mailbox, when):
    letter = fetched(3, raw(message_id="1@x"))
    if when == "before preparing":
        tombstones.bury(mailbox, [blobs.hash_of(letter.raw)], rule="R9", now=NOW)
    prepared = prepare(inbox, [letter, fetched(4, raw("Other"))], now=NOW)
    tombstones.bury(mailbox, [blobs.hash_of(letter.raw)], rule="R9", now=NOW)
    with transaction.atomic():
        receipt = store(inbox, prepared, uidvalidity=VALIDITY, now=NOW)
    assert receipt.refused == UidSet([3])  # R10
    assert receipt.placed == UidSet([4])
    assert Message.objects.count() == 1


def test_tombstones_of_retention_end_when_the_mailbox_is_connected_anew(mailbox):
    tombstones.bury(mailbox, ["a" * 64, "b" * 64], rule="R9", now=NOW)
    tombstones.bury(mailbox, ["b" * 64], rule="R29", now=NOW)
    tombstones.bury(mailbox, ["b" * 64], rule="R12", now=NOW)
    assert tombstones.lift(mailbox) == 1
    assert tombstones.buried(mailbox.pk, ["a" * 64, "b" * 64]) == {"b" * 64}


@pytest.mark.case("A38")
def test_what_no_text_column_takes_is_cleaned_and_the_raw_stays_exact(inbox, mailbox):
    content = (
        b"From: \xff\x00 <a\x00b@x>\r\nSubject: =?utf-8?q?=ED=A0=80=00x?= \xf0\x28\r\n\r\n\x00\xff body \xed\xa0\x80"
    )
    receipt = receive(inbox, fetched(1, content))
    assert receipt.placed | receipt.quarantined == UidSet([1])
    for message in Message.objects.all():
        assert blobs.get(mailbox.account_id, message.blob) == content
        assert "\x00" not in message.subject + message.from_name + message.from_address


@pytest.mark.case("A14")
@pytest.mark.parametrize("point", ["collect.announced", "receive.prepared", "receive.sorted", "receive.stored"])
@pytest.mark.django_db(transaction=True)
def test_after_a_crash_anywhere_the_next_attempt_ends_the_same(inbox, mailbox, point):
    batch = [fetched(uid, raw(f"Letter {uid}", message_id=f"{uid}@x")) for uid in range(1, 12)]
    crashpoint.interrupt(point)
    with pytest.raises(crashpoint.Crashed):
        receive(inbox, *batch)
    crashpoint.disarm()
    assert not Message.objects.exists()
    receive(inbox, *batch)
    receive(inbox, *batch)
    assert Message.objects.count() == Placement.objects.count() == BlobReference.objects.count() == 11
    assert not LooseBlob.objects.exists()
    assert listing.check(mailbox) == []


def test_a_uid_that_holds_another_letter_is_reported_and_nothing_is_overwritten(inbox):
    receive(inbox, fetched(7, raw("First", message_id="1@x")))
    receipt = receive(inbox, fetched(7, raw("Second", message_id="2@x")))
    assert receipt.conflicts == UidSet([7])
    assert Placement.objects.get().message.subject == "First"


def test_a_letter_that_was_softly_removed_gives_way_to_another_at_its_uid(inbox, mailbox):
    receive(inbox, fetched(7, raw("First", message_id="1@x")))
    Placement.objects.update(hidden_at=NOW)
    receive(inbox, fetched(7, raw("Second", message_id="2@x")))
    assert Placement.objects.get().message.subject == "Second"
    assert Message.objects.get(subject="First").unplaced_at == NOW
    assert listing.check(mailbox) == []


def test_one_event_tells_of_a_batch(inbox, mailbox):
    receive(inbox, *[fetched(uid, raw(f"Letter {uid}")) for uid in range(1, 70)], initial=True)
    event = Event.objects.get(kind="message.received")
    assert (event.topic, event.subject) == (mailbox.topic, f"folder:{inbox.public_id}")
    assert event.facts["count"] == 69
    assert event.facts["initial"] is True
    assert len(event.facts["conversations"]) == 50
    receive(inbox, fetched(100, raw("Letter 100")))
    assert "initial" not in Event.objects.latest("pk").facts


def test_a_letter_that_can_be_read_now_leaves_quarantine(inbox):
    Quarantined.objects.create(account=inbox.account, folder=inbox, uidvalidity=VALIDITY, uid=5, reason="not handed")
    receive(inbox, fetched(5, raw()))
    assert not Quarantined.objects.exists()


@pytest.mark.parametrize("size", [10, 200])
def test_the_number_of_queries_does_not_depend_on_the_size_of_the_batch(inbox, archive, size):
    letters = [
        fetched(n, raw(f"Topic {n // 3}", message_id=f"{n}@x", references=[f"{n // 3 * 3}@x"], attachment="a.pdf"))
        for n in range(1, size + 1)
    ]
    receive(archive, *letters[: size // 2])
    prepared = prepare(inbox, letters, now=NOW)
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        store(inbox, prepared, uidvalidity=VALIDITY, now=NOW)
    assert len(queries) <= 40, "\n".join(query["sql"][:150] for query in queries)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no rows")
@pytest.mark.django_db(transaction=True)
def test_letters_come_while_somebody_holds_the_account_who_wants_the_mailbox_next(inbox, mailbox):
    """As linking does, and the sweep: whoever stores holds the mailbox, and must not wait for the account."""

    def arrive():
        try:
            return receive(inbox, fetched(7, raw("Offer", message_id="1@berg.example")))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        receipts.lock(mailbox.account_id)
        assert len(pool.submit(arrive).result(timeout=20).stored) == 1
