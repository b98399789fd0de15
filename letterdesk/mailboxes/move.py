"""Letters go to another folder, to Trash, or away: by a person here, or by another program on the server.

What a person does is an intention until `sync.push` has carried it out: a PendingChange, written with our rows in
one transaction. The source placement is hidden, and the letter has a provisional placement in the target at once,
with minus the key of the PendingChange for a UID; so lists need to know nothing, and a crash anywhere leaves either
the intention or its result. `sync.push_done` turns the provisional placement into a real one, or `placing.py` does,
when the letter shows up in the target.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach
from letterdesk.lib.ids import new_public_id
from letterdesk.mail.uidset import UidSet

from . import listing, rows
from .folder_for import folder_for
from .intentions import by_mailbox, drop
from .models import Conversation, Folder, FolderRole, Mailbox, PendingChange, Placement
from .placing import LEAVING, mark_unplaced
from .remove import remove_messages

UNDO_SECONDS = 10
MOST_CONVERSATIONS_TOLD = 50
RANGES_AT_ONCE = 200


class CannotMove(ValueError):
    """This cannot be done; the text says why, in words for people."""


class DifferentMailbox(CannotMove):
    """Letters move within their mailbox."""


class MayNotDelete(PermissionError):
    """R27: this person may not delete on the server."""


# By a person


@transaction.atomic
def move(
    placements: Iterable[Placement],
    to: Folder,
    *,
    by: Employee | None,
    now: datetime,
    undo_seconds: float = UNDO_SECONDS,
    token: str = "",
) -> str:
    """Move letters to a folder of their mailbox. Returns the token by which `undo` takes it back: a new one, or yours.

    The command is not sent before `undo_seconds` have passed. Letters that are there, or on their way from where
    they lie, are left alone. Raises DifferentMailbox, CannotMove.
    """
    if to.gone_at is not None or not to.is_selectable:
        raise CannotMove(_("The folder “%(name)s” cannot take letters.") % {"name": to.name})
    token = token or new_public_id()
    for mailbox, group in by_mailbox(placements):
        if mailbox.pk != to.mailbox_id:
            raise DifferentMailbox(_("Letters can only be moved within their mailbox."))
        leaving = [one for one in group if one.folder_id != to.pk and one.hidden_at is None]
        if mailbox.imap_host:
            due = now + timedelta(seconds=undo_seconds)
            _intend_moves(leaving, to, token, by=by, now=now, due=due)
        else:
            _move_here(leaving, to)
        _after("message.moved", mailbox, leaving, to=to, by=by)
    reach("move.before_commit")
    return token


@transaction.atomic
def delete(
    placements: Iterable[Placement],
    *,
    by: Employee,
    now: datetime,
    undo_seconds: float = UNDO_SECONDS,
    token: str = "",
) -> str:
    """Delete letters as R27 says: to Trash, here and on the server; for good where they lie in Trash already.

    A mailbox without a Trash folder gets one. Returns the token for `undo`: a new one, or yours. The owner may, and
    who was granted it. Raises MayNotDelete.
    """
    token = token or new_public_id()
    due = now + timedelta(seconds=undo_seconds)
    for mailbox, group in by_mailbox(placements):
        if not may_delete(mailbox, by):
            raise MayNotDelete(f"{by} may not delete letters of {mailbox} on the server.")
        trash = folder_for(mailbox, FolderRole.TRASH)
        leaving = [one for one in group if one.hidden_at is None]
        to_trash = [one for one in leaving if one.folder_id != trash.pk]
        for_good = [one for one in leaving if one.folder_id == trash.pk]
        if not mailbox.imap_host:
            _delete_here(mailbox, to_trash, for_good, trash, now=now)
        else:
            _intend_moves(to_trash, trash, token, by=by, now=now, due=due)
            _intend(for_good, PendingChange.Kind.DELETE, token, by=by, now=now, due=due)
        _after("message.moved", mailbox, to_trash, to=trash, by=by)
        _after("message.removed", mailbox, for_good, to=None, by=by)
    reach("delete.before_commit")
    return token


def may_delete(mailbox: Mailbox, by: Employee) -> bool:
    """R27: the owner, or whom a grant gives `delete on the server`."""
    if mailbox.owner_id == by.pk:
        return True
    named = Q(employee=by) | Q(employee=None, department=None)
    if by.department_id is not None:
        named |= Q(department=by.department_id)
    return mailbox.account_id == by.account_id and mailbox.grants.filter(named, may_delete_on_server=True).exists()


@transaction.atomic
def undo(mailbox: Mailbox, token: str, *, now: datetime, by: Employee | None = None) -> int:
    """Take back a move or delete whose command is not yet due; no command is sent then (R27). Returns how many."""
    Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)
    waiting = PendingChange.objects.filter(
        mailbox=mailbox,
        token=token,
        kind__in=LEAVING,
        state=PendingChange.State.WAITING,
        attempts=0,
        due_at__gt=now,
    )
    dropped = list(waiting.select_related("placement"))
    touched = drop(dropped)
    listing.refresh(touched)
    if dropped:
        _tell("message.moved", mailbox, touched, count=len(dropped), by=by)
    reach("undo.before_commit")
    return len(dropped)


def _intend_moves(
    placements: Sequence[Placement], to: Folder, token: str, *, by: Employee | None, now: datetime, due: datetime
) -> None:
    changes = _intend(placements, PendingChange.Kind.MOVE, token, by=by, now=now, due=due, target=to)
    reach("move.intended")
    Placement.objects.bulk_create(
        _copy(placement, to, uid=-change.pk) for placement, change in zip(placements, changes, strict=True)
    )


def _intend(
    placements: Sequence[Placement],
    kind: PendingChange.Kind,
    token: str,
    *,
    by: Employee | None,
    now: datetime,
    due: datetime,
    target: Folder | None = None,
) -> list[PendingChange]:
    """Write the intentions and hide the placements."""
    Placement.objects.filter(pk__in=[one.pk for one in placements]).update(hidden_at=now)
    return PendingChange.objects.bulk_create(
        PendingChange(
            account_id=one.account_id,
            mailbox_id=one.folder.mailbox_id,
            folder_id=one.folder_id,
            placement=one,
            kind=kind,
            uidvalidity=one.uidvalidity,
            uid=one.uid,
            target=target,
            token=token,
            by=by,
            created_at=now,
            due_at=due,
        )
        for one in placements
    )


def _copy(placement: Placement, to: Folder, *, uid: int) -> Placement:
    return Placement(
        account_id=placement.account_id,
        folder=to,
        message_id=placement.message_id,
        conversation_id=placement.conversation_id,
        uidvalidity=to.uidvalidity or 0,
        uid=uid,
        is_seen=placement.is_seen,
        is_flagged=placement.is_flagged,
        is_answered=placement.is_answered,
        is_draft=placement.is_draft,
        is_deleted=placement.is_deleted,
        keywords=placement.keywords,
        received_at=placement.received_at,
        binned_at=placement.binned_at,
    )


# A mailbox without a server


def next_uid(folder: Folder) -> int:
    """The UID for the next letter of a folder that no server numbers."""
    return int(Placement.objects.filter(folder=folder).aggregate(most=Max("uid"))["most"] or 0) + 1


def _move_here(placements: Sequence[Placement], to: Folder) -> None:
    new = [(to.pk, uid, to.uidvalidity or 1, one.pk) for uid, one in enumerate(placements, next_uid(to))]
    rows.run_many("UPDATE mailboxes_placement SET folder_id = %s, uid = %s, uidvalidity = %s WHERE id = %s", new)


def _delete_here(
    mailbox: Mailbox,
    to_trash: Sequence[Placement],
    for_good: Sequence[Placement],
    trash: Folder,
    *,
    now: datetime,
) -> None:
    _move_here(to_trash, trash)
    Placement.objects.filter(pk__in=[one.pk for one in for_good]).delete()
    ids = {one.message_id for one in for_good}
    still_placed = Placement.objects.filter(message__in=ids).values_list("message_id", flat=True)
    gone = ids - set(still_placed)
    mark_unplaced(gone, now=now)
    remove_messages(mailbox, gone, now=now)


# By another program, on the server


def remove_vanished(folder: Folder, uids: UidSet, *, uidvalidity: int, now: datetime) -> int:
    """Letters that are no longer in this folder on the server: their placements go. Returns how many.

    A letter without any placement left stays a while without being listed, because another program may have moved
    it and its new folder is yet to be read (A19); `remove.remove_unplaced` removes it then, unless it is held (R4).
    """
    count = 0
    touched: set[int] = set()
    for condition in _at(folder, uids, uidvalidity):
        found = list(Placement.objects.filter(condition).values_list("pk", "message_id", "conversation_id"))
        ids = [pk for pk, _, _ in found]
        touched |= drop(PendingChange.objects.filter(placement__in=ids, kind__in=LEAVING).select_related("placement"))
        Placement.objects.filter(pk__in=ids).delete()
        mark_unplaced([message for _, message, _ in found], now=now)
        touched |= {conversation for _, _, conversation in found}
        count += len(ids)
    listing.refresh(touched)
    if count:
        _tell("message.removed", folder.mailbox, touched, count=count, subject=f"folder:{folder.public_id}")
    reach("vanished.before_commit")
    return count


def hide_softly(folder: Folder, uids: UidSet, *, now: datetime, uidvalidity: int | None = None) -> int:
    """Take letters out of all lists, and delete nothing: the mass-vanish brake, a folder that is gone (P5)."""
    return _hide(folder, uids, uidvalidity, Q(hidden_at=None), hidden_at=now)


def unhide(folder: Folder, uids: UidSet, *, now: datetime, uidvalidity: int | None = None) -> int:
    """Show again what was hidden softly; what a person is moving or deleting stays hidden."""
    hidden = Q(hidden_at__isnull=False, hidden_at__lte=now)
    return _hide(folder, uids, uidvalidity, hidden, hidden_at=None)


def _hide(folder: Folder, uids: UidSet, uidvalidity: int | None, which: Q, *, hidden_at: datetime | None) -> int:
    count = 0
    touched: set[int] = set()
    for condition in _at(folder, uids, uidvalidity if uidvalidity is not None else folder.uidvalidity or 0):
        found = Placement.objects.filter(condition & which).exclude(pending_changes__kind__in=LEAVING)
        pairs = dict(found.values_list("pk", "conversation_id"))
        count += Placement.objects.filter(pk__in=list(pairs)).update(hidden_at=hidden_at)
        touched |= set(pairs.values())
    listing.refresh(touched)
    if count:
        kind = "message.removed" if hidden_at else "message.received"
        _tell(kind, folder.mailbox, touched, count=count, subject=f"folder:{folder.public_id}")
    reach("hide.before_commit")
    return count


def _at(folder: Folder, uids: UidSet, uidvalidity: int) -> Iterable[Q]:
    """Conditions for the placements at these UIDs, some ranges at a time."""
    here = Q(folder=folder, uidvalidity=uidvalidity)
    ranges = list(uids.ranges())
    for start in range(0, len(ranges), RANGES_AT_ONCE):
        within = Q()
        for first, last in ranges[start : start + RANGES_AT_ONCE]:
            within |= Q(uid__range=(first, last)) if first != last else Q(uid=first)
        yield here & within


# Telling


def _after(
    kind: str, mailbox: Mailbox, placements: Sequence[Placement], *, to: Folder | None, by: Employee | None
) -> None:
    touched = {one.conversation_id for one in placements}
    listing.refresh(touched)
    if placements:
        subject = f"folder:{to.public_id}" if to else ""
        _tell(kind, mailbox, touched, count=len(placements), subject=subject, by=by)


def _tell(
    kind: str,
    mailbox: Mailbox,
    touched: set[int],
    *,
    count: int,
    subject: str = "",
    by: Employee | None = None,
) -> None:
    told = Conversation.objects.filter(pk__in=touched).order_by("-newest_at")[:MOST_CONVERSATIONS_TOLD]
    record(
        kind,
        account=mailbox.account,
        by=by,
        topic=mailbox.topic,
        subject=subject,
        conversations=list(told.values_list("public_id", flat=True)),
        count=count,
    )
