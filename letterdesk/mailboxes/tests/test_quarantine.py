"""What cannot be read or had is counted, kept raw, and tried again."""

from datetime import timedelta

import pytest
from django.db import transaction

from letterdesk.events.models import Event
from letterdesk.lib import blobs
from letterdesk.mail.imap_types import NotHanded
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes import collect, quarantine
from letterdesk.mailboxes.models import LooseBlob, Message, Quarantined

from .arriving import BEFORE, NOW, VALIDITY, fetched, raw, receive

UNREADABLE = b""  # the parser makes something of everything else


def test_an_unreadable_letter_is_kept_raw_with_its_reason_beside_readable_ones(mailbox, inbox):
    receipt = receive(inbox, fetched(1, UNREADABLE), fetched(2, raw()))
    assert (receipt.quarantined, receipt.placed) == (UidSet([1]), UidSet([2]))
    item = Quarantined.objects.get()
    assert item.reason
    assert (item.uid, item.size, item.internal_date, item.attempts) == (1, len(UNREADABLE), BEFORE, 1)
    collect.collect(now=NOW + timedelta(hours=2))
    assert blobs.get(mailbox.account_id, item.blob) == UNREADABLE
    assert Message.objects.count() == 1
    assert Event.objects.get(kind="message.quarantined").facts == {"count": 1}


def test_receiving_it_again_counts_the_attempt_and_makes_no_second_row(inbox):
    receive(inbox, fetched(1, UNREADABLE))
    receive(inbox, fetched(1, UNREADABLE))
    assert Quarantined.objects.get().attempts == 2


@pytest.mark.case("A10", "A37")
def test_a_letter_that_the_server_does_not_hand_out_is_noted_in_words(inbox):
    items = [NotHanded(5, "empty", 0, None), NotHanded(6, "too_large", 200_000_000, BEFORE, "200 MB")]
    for _ in range(2):
        with transaction.atomic():
            quarantine.not_handed(inbox, items, uidvalidity=VALIDITY, now=NOW)
    rows = Quarantined.objects.order_by("uid")
    assert [(row.uid, row.blob, row.attempts) for row in rows] == [(5, "", 2), (6, "", 2)]
    assert "hands out nothing" in rows[0].reason
    assert "200 MB" in rows[1].reason
    assert not Message.objects.exists()


def test_leaving_quarantine_lets_the_bytes_go(inbox):
    receive(inbox, fetched(1, UNREADABLE))
    with transaction.atomic():
        quarantine.leave(inbox, UidSet([1]), uidvalidity=VALIDITY, now=NOW)
    assert not Quarantined.objects.exists()
    assert LooseBlob.objects.count() == 1
