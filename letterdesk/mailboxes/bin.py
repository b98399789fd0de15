"""Letters in the bin: with the last of their tasks they are shown nowhere, and come back or go for good with it (R29).

A higher room says which letters; here it is done. The copy on the server is never touched: no IMAP write (R10, R26).
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record

from . import listing
from .models import Mailbox, Message, Placement
from .remove import remove_binned
from .retention.sweep import account_for

RULE = "R29"


@transaction.atomic
def put_in(message_ids: Collection[int], *, by: Employee | None, now: datetime) -> int:
    """Show these letters nowhere from now on; the owners of their mailboxes are told. Returns how many went in."""
    shown = Message.objects.filter(pk__in=list(message_ids), binned_at=None)
    return _mark(list(shown.select_related("mailbox__account")), "message.binned", binned_at=now, by=by)


@transaction.atomic
def take_out(message_ids: Collection[int], *, by: Employee | None) -> int:
    """Show letters again that lie in the bin; returns how many came back."""
    binned = Message.objects.filter(pk__in=list(message_ids), binned_at__isnull=False)
    return _mark(list(binned.select_related("mailbox__account")), "message.unbinned", binned_at=None, by=by)


@transaction.atomic
def purge(message_ids: Collection[int], *, by: Employee | None, now: datetime) -> int:
    """Remove letters in the bin for good, here alone; with tombstones that do not end, and receipts.

    What is held stays (P10). Returns how many went. The caller has locked the account (receipts).
    """
    by_mailbox: defaultdict[int, list[int]] = defaultdict(list)
    for pk, mailbox_id in Message.objects.filter(pk__in=list(message_ids)).values_list("pk", "mailbox_id"):
        by_mailbox[mailbox_id].append(pk)
    gone = 0
    for mailbox in Mailbox.objects.filter(pk__in=list(by_mailbox)).select_related("account").order_by("pk"):
        gone += _purge(mailbox, by_mailbox[mailbox.pk], by=by, now=now)
    return gone


def _purge(mailbox: Mailbox, ids: list[int], *, by: Employee | None, now: datetime) -> int:
    blobs = remove_binned(mailbox, ids, now=now)
    if not blobs:
        return 0
    account_for(mailbox, blobs, rule=RULE, kind="message.purged", now=now, by=by)
    return len(blobs)


def _mark(letters: list[Message], kind: str, *, binned_at: datetime | None, by: Employee | None) -> int:
    ids = [letter.pk for letter in letters]
    Message.objects.filter(pk__in=ids).update(binned_at=binned_at)
    Placement.objects.filter(message__in=ids).update(binned_at=binned_at)
    listing.refresh({letter.conversation_id for letter in letters})
    by_mailbox: defaultdict[Mailbox, int] = defaultdict(int)
    for letter in letters:
        by_mailbox[letter.mailbox] += 1
    for mailbox, count in by_mailbox.items():
        record(kind, account=mailbox.account, by=by, topic=mailbox.topic, count=count)
    return len(ids)


def check(mailbox: Mailbox) -> list[str]:
    """Placements that do not say the same as their letter; empty: all is exact."""
    places = Placement.objects.filter(message__mailbox=mailbox).select_related("message")
    wrong = [place.pk for place in places if place.binned_at != place.message.binned_at]
    return [f"placement {pk}: binned_at is wrong" for pk in wrong]
