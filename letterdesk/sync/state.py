"""Reads what we hold of a folder out of the database, and writes the cursor."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from letterdesk.mail.imap import Status
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes.models import Folder, PendingChange, Placement, Quarantined
from letterdesk.mailboxes.retention.letters import kept_since

from .decide import Local, Rules
from .models import FolderCursor

HIDDEN_FOR = timedelta(days=7)  # what the brake hid and never came back is let go then
TRIES = 3  # for a letter that the server has and does not hand out
FIRST_RETRY = timedelta(minutes=10)
UNDER_WAY = (PendingChange.State.WAITING, PendingChange.State.SENT)


def cursor_of(folder: Folder) -> FolderCursor:
    """The folder's cursor, made at the first look."""
    cursor, _ = FolderCursor.objects.get_or_create(folder=folder, defaults={"account_id": folder.account_id})
    return cursor


def left_out(cursor: FolderCursor) -> dict[str, UidSet]:
    """The UIDs left out by rule, by reason."""
    return {reason: UidSet.parse(text) for reason, text in cursor.left_out.items()}


def keep_left_out(cursor: FolderCursor, sets: dict[str, UidSet]) -> None:
    """Set the UIDs left out (not saved)."""
    cursor.left_out = {reason: str(uids) for reason, uids in sets.items() if uids}


def local_state(folder: Folder, cursor: FolderCursor, now: datetime) -> Local:
    """What we hold. Where the folder was settled, most of it follows from the cursor, and no letter is counted."""
    known = UidSet.parse(cursor.server_uids)
    out = _union(left_out(cursor).values())
    quarantined, retry = _quarantined(folder, cursor, now)
    if cursor.settled:
        placed, hidden, expired = known - out - quarantined, UidSet(), UidSet()
    else:
        placed, hidden, expired = _placed(folder, cursor, now)
    return Local(
        uidvalidity=cursor.uidvalidity,
        uidnext=cursor.uidnext,
        modseq=cursor.modseq,
        history_end=cursor.history_end,
        known=known,
        placed=placed,
        hidden=hidden,
        expired=expired,
        quarantined=quarantined,
        retry=retry,
        left_out=out - placed - quarantined,
        flags_checked_at=cursor.flags_checked_at,
        compared_at=cursor.compared_at,
        vanish_suspected_at=cursor.vanish_suspected_at,
        validity_changes=cursor.validity_changes,
    )


def rules_for(folder: Folder, cursor: FolderCursor, now: datetime) -> Rules:
    """From when on letters are fetched: what is kept (R10) and the chosen depth (R21), whichever is shorter."""
    limits = [limit for limit in (kept_since(folder, now), cursor.cutoff) if limit is not None]
    return Rules(cutoff=max(limits, default=None))


def choose_depth(folder: Folder, cursor: FolderCursor, now: datetime) -> bool:
    """Fix the folder's cut-off when it is first looked at or when the depth was changed; whether it moved (R21).

    Letters that were left out as too old are judged anew then, so that exactly what is newly allowed is fetched.
    """
    depth = folder.mailbox.fetch_days or 0
    if cursor.depth == depth:
        return False
    cursor.depth = depth
    cursor.cutoff = now - timedelta(hours=24 * depth) if depth else None
    keep_left_out(cursor, {reason: uids for reason, uids in left_out(cursor).items() if reason != "too_old"})
    cursor.settled = {}
    return True


def seen_as(status: Status) -> dict[str, Any]:
    """A STATUS in the form in which a settled cursor remembers it."""
    return {
        "messages": status.messages,
        "uidnext": status.uidnext,
        "uidvalidity": status.uidvalidity,
        "modseq": status.highestmodseq,
    }


def counts(folders: Iterable[Folder]) -> dict[int, int]:
    """How many letters lie in each folder here: one that retention or a person took out makes the count differ."""
    here = Placement.objects.filter(folder__in=[folder.pk for folder in folders], uid__gt=0, hidden_at=None)
    return dict(here.values_list("folder").annotate(number=Count("pk")).order_by())


def due_retries(folders: Iterable[Folder], now: datetime) -> set[int]:
    """Folders in which a quarantined letter is to be tried again."""
    waiting = Quarantined.objects.filter(folder__in=[folder.pk for folder in folders]).filter(_retry_due(now))
    return set(waiting.values_list("folder", flat=True))


def _quarantined(folder: Folder, cursor: FolderCursor, now: datetime) -> tuple[UidSet, UidSet]:
    rows = Quarantined.objects.filter(folder=folder, uidvalidity=cursor.uidvalidity or 0, uid__gt=0)
    return (
        UidSet(rows.values_list("uid", flat=True)),
        UidSet(rows.filter(_retry_due(now)).values_list("uid", flat=True)),
    )


def _retry_due(now: datetime) -> Q:
    """Not handed out: tried again after ten minutes and after an hour, then a person may ask for it."""
    due = Q(attempts=1, first_seen_at__lte=now - FIRST_RETRY) | Q(attempts=2, first_seen_at__lte=now - 6 * FIRST_RETRY)
    return Q(blob="") & due


def _placed(folder: Folder, cursor: FolderCursor, now: datetime) -> tuple[UidSet, UidSet, UidSet]:
    rows = Placement.objects.filter(folder=folder, uidvalidity=cursor.uidvalidity or 0, uid__gt=0)
    softly = rows.filter(hidden_at__isnull=False).exclude(pending_changes__state__in=UNDER_WAY)
    return (
        UidSet(rows.values_list("uid", flat=True)),
        UidSet(softly.values_list("uid", flat=True)),
        UidSet(softly.filter(hidden_at__lte=now - HIDDEN_FOR).values_list("uid", flat=True)),
    )


def _union(sets: Iterable[UidSet]) -> UidSet:
    whole = UidSet()
    for each in sets:
        whole |= each
    return whole
