"""Everything in columns comes out of the raw bytes again, and a second time changes nothing."""

import pytest
from django.db import transaction

from letterdesk.lib import blobs, crashpoint
from letterdesk.mailboxes import listing, reparse
from letterdesk.mailboxes.collect import announce, hold, holder_of
from letterdesk.mailboxes.models import Attachment, Conversation, Message, Placement, Quarantined, SearchText

from .arriving import BEFORE, NOW, VALIDITY, fetched, raw, receive

KEPT = ("id", "public_id", "blob", "received_at", "first_seen_at", "conversation_id", "is_held")


def rows_of(model, *names):
    return list(model.objects.order_by("pk").values(*names))


@pytest.fixture
def stored(inbox):
    receive(
        inbox,
        fetched(1, raw("Offer", message_id="1@x", attachment="offer.pdf"), flags=["\\Seen"]),
        fetched(2, raw("Re: Offer", message_id="2@x", in_reply_to="1@x")),
        fetched(3, raw("Other", message_id="3@x")),
    )


def test_damaged_columns_are_rebuilt_and_nothing_else_is_touched(mailbox, stored):
    before = [rows_of(model) for model in (Message, Attachment, Placement, Conversation, SearchText)]
    Message.objects.update(subject="damaged", from_name="", recipients={}, snippet="x", has_attachments=False)
    Attachment.objects.update(filename="wrong.exe")
    SearchText.objects.all().delete()
    listing.refresh(Conversation.objects.values_list("pk", flat=True))
    [progress] = list(reparse.reparse(mailbox))
    assert (progress.done, progress.changed, progress.damaged) == (3, 3, 0)
    after = [rows_of(model) for model in (Message, Attachment, Placement, Conversation, SearchText)]
    assert [len(rows) for rows in before] == [len(rows) for rows in after]
    assert before[0] == after[0]
    assert before[2:4] == after[2:4]
    assert Attachment.objects.get().filename == "offer.pdf"
    assert before[4] == after[4]


def test_a_second_time_changes_nothing_not_even_the_addresses_of_files(mailbox, stored):
    files = rows_of(Attachment)
    assert [progress.changed for progress in reparse.reparse(mailbox)] == [0]
    assert rows_of(Attachment) == files


@pytest.mark.django_db(transaction=True)
def test_after_an_interruption_it_goes_on(mailbox, stored, monkeypatch):
    monkeypatch.setattr(reparse, "BATCH", 2)
    Message.objects.update(subject="damaged")
    crashpoint.interrupt("reparse.committed")
    with pytest.raises(crashpoint.Crashed):
        list(reparse.reparse(mailbox))
    crashpoint.disarm()
    assert Message.objects.filter(subject="damaged").count() == 1
    first = Message.objects.order_by("pk")[1]
    assert [progress.done for progress in reparse.reparse(mailbox, after=first.pk)] == [1]
    assert not Message.objects.filter(subject="damaged").exists()


def test_missing_bytes_leave_the_columns_and_are_counted(mailbox, stored):
    gone = Message.objects.get(subject="Other")
    blobs.remove(gone.account_id, gone.blob)
    [progress] = list(reparse.reparse(mailbox))
    assert progress.damaged == 1
    assert Message.objects.filter(subject="Other").exists()


def test_what_was_in_quarantine_and_can_be_read_now_becomes_a_letter(mailbox, inbox):
    content = raw("Was unreadable")
    blob = blobs.hash_of(content)
    announce(mailbox.account_id, [blob], now=NOW)
    blobs.put_many(mailbox.account_id, [content])
    with transaction.atomic():
        hold(mailbox.account_id, [blob], holder=holder_of(mailbox.pk), now=NOW)
    Quarantined.objects.create(
        account=inbox.account, folder=inbox, uidvalidity=VALIDITY, uid=5, reason="?", blob=blob, internal_date=BEFORE
    )
    assert reparse.retry_quarantined(mailbox, now=NOW) == (1, 0)
    assert not Quarantined.objects.exists()
    assert Placement.objects.get().uid == 5
    assert Message.objects.get().received_at == BEFORE
    assert blobs.get(mailbox.account_id, blob) == content
