"""A folder's UIDVALIDITY changed: the UIDs we know mean nothing any more (RFC 9051 2.3.1.1, A01–A04).

Everything is fetched anew and matched by its bytes: the same bytes are the same Message, which keeps its key, its
conversation and all links. The placements of the old time stay and are shown until the new pass is complete.
"""

from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef

from letterdesk.lib.crashpoint import reach
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes import move, quarantine
from letterdesk.mailboxes.models import Folder, PendingChange, Placement, Quarantined

from .models import FolderCursor

if TYPE_CHECKING:
    from .visit import Visit


def begin(visit: "Visit", uidvalidity: int) -> None:
    """Start the folder anew under this UIDVALIDITY. Nothing is removed yet."""
    cursor, folder = visit.cursor, visit.folder
    is_first = cursor.uidvalidity is None
    with visit.work.transaction():
        _put_aside(visit, uidvalidity)
        _start_anew(cursor, uidvalidity)
        cursor.validity_changes += 0 if is_first else 1
        cursor.save()
        folder.uidvalidity = uidvalidity
        folder.save(update_fields=["uidvalidity"])
        reach("pull.rebuild.before_commit")
    visit.rebuilt = not is_first
    reach("pull.rebuild.begun")


def finish(visit: "Visit") -> None:
    """After everything is fetched: old placements whose letter is there again go, the others are hidden softly."""
    cursor, folder = visit.cursor, visit.folder
    if not cursor.validity_changes and not visit.rebuilt:
        return
    old = Placement.objects.filter(folder=folder, uid__gt=0).exclude(uidvalidity=cursor.uidvalidity or 0)
    if not old.exists() or visit.still_to_come():
        return
    with visit.work.transaction():
        _hand_over_intentions(folder, cursor)
        for validity in set(old.values_list("uidvalidity", flat=True)):
            _drop(visit, validity)
        unreadable = Quarantined.objects.filter(folder=folder).exclude(uidvalidity=cursor.uidvalidity or 0)
        quarantine.let_go(folder, unreadable, now=visit.work.now)
        visit.work.record("folder.rebuilt", folder, uidvalidity=cursor.uidvalidity)
        reach("pull.rebuilt.before_commit")


def _drop(visit: "Visit", validity: int) -> None:
    folder, now, current = visit.folder, visit.work.now, visit.cursor.uidvalidity or 0
    old = Placement.objects.filter(folder=folder, uidvalidity=validity, uid__gt=0)
    new = Placement.objects.filter(folder=folder, uidvalidity=current, message=OuterRef("message"))
    found_again = UidSet(old.filter(Exists(new)).values_list("uid", flat=True))
    lost = UidSet(old.filter(~Exists(new), hidden_at=None).values_list("uid", flat=True))
    move.remove_vanished(folder, found_again, uidvalidity=validity, now=now)
    if lost:  # A02: they leave the view, nothing is purged
        move.hide_softly(folder, lost, uidvalidity=validity, now=now)


def _start_anew(cursor: FolderCursor, uidvalidity: int) -> None:
    cursor.uidvalidity, cursor.uidnext, cursor.history_end, cursor.modseq = uidvalidity, 1, 0, 0
    cursor.server_uids, cursor.expected, cursor.left_out, cursor.settled = "", 0, {}, {}
    cursor.flags_checked_at = cursor.vanish_suspected_at = None
    cursor.strikes, cursor.suspect = 0, ""


def _put_aside(visit: "Visit", uidvalidity: int) -> None:
    """An old value comes back (A03): what we knew under it is not believed. It is set aside as minus that value."""
    folder = visit.folder
    returning = Placement.objects.filter(folder=folder, uidvalidity=uidvalidity, uid__gt=0)
    if not returning.exists():
        return
    aside = Placement.objects.filter(folder=folder, uidvalidity=-uidvalidity)
    move.remove_vanished(
        folder, UidSet(aside.values_list("uid", flat=True)), uidvalidity=-uidvalidity, now=visit.work.now
    )
    returning.update(uidvalidity=-uidvalidity)
    quarantine.let_go(folder, Quarantined.objects.filter(folder=folder, uidvalidity=uidvalidity), now=visit.work.now)


def _hand_over_intentions(folder: Folder, cursor: FolderCursor) -> None:
    """What people wanted to change in the old placements is carried out in the new ones of the same letters."""
    current = cursor.uidvalidity or 0
    waiting = PendingChange.objects.filter(folder=folder, placement__uid__gt=0).exclude(uidvalidity=current)
    for change in waiting.select_related("placement"):
        old = change.placement
        new = Placement.objects.filter(
            folder=folder, uidvalidity=current, message=old.message_id if old else None, uid__gt=0
        ).first()
        if old is not None and new is not None:
            Placement.objects.filter(pk=new.pk).update(hidden_at=old.hidden_at)
            change.placement, change.uid, change.uidvalidity = new, new.uid, new.uidvalidity
            change.save(update_fields=["placement", "uid", "uidvalidity"])
