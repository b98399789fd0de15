"""Flags of letters: taken from the server, and changed by people. Each flag for itself, never the whole set (A29)."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.imap_types import Flags

from . import listing, rows
from .columns import canonical, flag_columns, flags_of
from .intentions import by_mailbox, joined
from .models import Conversation, Folder, Mailbox, PendingChange, Placement

AT_ONCE = 1000
MOST_CONVERSATIONS_TOLD = 50
COLUMNS = ("is_seen", "is_flagged", "is_answered", "is_draft", "is_deleted", "keywords")
WRITE = (
    "UPDATE mailboxes_placement SET is_seen = %s, is_flagged = %s, is_answered = %s, is_draft = %s, is_deleted = %s,"
    " keywords = %s, modseq = %s WHERE id = %s"
)


# From the server


def merge_flags(folder: Folder, flags: Iterable[Flags], *, uidvalidity: int, now: datetime) -> int:
    """Take over flags as they are on the server; returns how many placements changed. UIDs we do not have are skipped.

    What a person changed here and is not yet sent stays: only the flags that nobody here touched follow the server.
    Inside the caller's transaction.
    """
    changed, touched = 0, set()
    waiting = _waiting(folder)
    told = iter(flags)
    while piece := list(islice(told, AT_ONCE)):
        by_uid = {one.uid: one for one in piece}
        placements = Placement.objects.filter(folder=folder, uidvalidity=uidvalidity, uid__in=list(by_uid))
        different = []
        for placement in placements:
            there = by_uid[placement.uid]
            before, modseq = _columns(placement), placement.modseq
            _set(placement, _merged(there.flags, waiting.get(placement.pk)))
            placement.modseq = there.modseq if there.modseq is not None else modseq
            if before != _columns(placement):
                changed += 1
                touched.add(placement.conversation_id)
            if before != _columns(placement) or modseq != placement.modseq:
                different.append(placement)
        _write(different)
    listing.refresh(touched)
    _tell(folder.mailbox, touched, count=changed, subject=f"folder:{folder.public_id}")
    reach("flags.merged")
    return changed


def _waiting(folder: Folder) -> dict[int, dict[str, list[str]]]:
    """What people changed here and the server does not know yet, by placement."""
    changes = PendingChange.objects.filter(
        folder=folder, kind=PendingChange.Kind.FLAGS, state=PendingChange.State.WAITING, placement__isnull=False
    )
    return dict(changes.values_list("placement_id", "detail"))


def _merged(there: Collection[str], intention: dict[str, list[str]] | None) -> set[str]:
    flags = {canonical(flag) for flag in there}
    if intention:
        flags = (flags - set(intention["remove"])) | set(intention["add"])
    return flags


# By a person


@transaction.atomic
def change_flags(
    placements: Iterable[Placement],
    *,
    add: Collection[str] = (),
    remove: Collection[str] = (),
    by: Employee | None,
    now: datetime,
) -> int:
    """Set and take flags here, and intend the same on the server, in one transaction. Returns how many changed.

    `add` and `remove` are IMAP flags ("\\\\Seen", "$Work"). Whether `by` may do this is the caller's question.
    """
    adding, removing = {canonical(flag) for flag in add}, {canonical(flag) for flag in remove}
    count = 0
    for mailbox, group in by_mailbox(placements):
        different = []
        for placement in group:
            flags = flags_of(placement)
            wanted = (flags - removing) | adding
            if wanted != flags:
                _set(placement, wanted)
                different.append(placement)
        _write(different)
        if mailbox.imap_host:
            _intend(different, adding, removing, by=by, now=now)
        reach("flags.changed")
        touched = {placement.conversation_id for placement in different}
        listing.refresh(touched)
        _tell(mailbox, touched, count=len(different), by=by)
        count += len(different)
    reach("flags.before_commit")
    return count


def _intend(
    placements: Sequence[Placement], add: set[str], remove: set[str], *, by: Employee | None, now: datetime
) -> None:
    """One intention for each placement. What waits already is joined into a new row: a push that has just read the
    old one deletes it by its key, and does not lose what came after."""
    old = PendingChange.objects.filter(
        placement__in=placements, kind=PendingChange.Kind.FLAGS, state=PendingChange.State.WAITING
    )
    before = {change.placement_id: change.detail for change in old}
    old.delete()
    PendingChange.objects.bulk_create(
        PendingChange(
            account_id=placement.account_id,
            mailbox_id=placement.folder.mailbox_id,
            folder_id=placement.folder_id,
            placement=placement,
            kind=PendingChange.Kind.FLAGS,
            uidvalidity=placement.uidvalidity,
            uid=placement.uid,
            detail=joined(before.get(placement.pk), add=add, remove=remove),
            by=by,
            created_at=now,
            due_at=now,
        )
        for placement in placements
    )


# Columns


def _columns(placement: Placement) -> list[Any]:
    return [getattr(placement, column) for column in COLUMNS]


def _set(placement: Placement, flags: Iterable[str]) -> None:
    for column, value in flag_columns(flags).items():
        setattr(placement, column, value)


def _write(placements: Sequence[Placement]) -> None:
    rows.run_many(
        WRITE,
        [
            (
                *(getattr(one, column) for column in COLUMNS[:-1]),
                rows.db_value(Placement, "keywords", one.keywords),
                one.modseq,
                one.pk,
            )
            for one in placements
        ],
    )


def _tell(
    mailbox: Mailbox, touched: Collection[int], *, count: int, subject: str = "", by: Employee | None = None
) -> None:
    if count:
        told = Conversation.objects.filter(pk__in=touched).order_by("-newest_at")[:MOST_CONVERSATIONS_TOLD]
        record(
            "message.changed",
            account=mailbox.account,
            by=by,
            topic=mailbox.topic,
            subject=subject,
            conversations=list(told.values_list("public_id", flat=True)),
            count=count,
        )
