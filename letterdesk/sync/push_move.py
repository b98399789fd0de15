"""Moves letters on the server, and deletes those that a person deleted for good (R27, A16–A18).

MOVE where the server has it. Else COPY, then `+FLAGS \\Deleted`, then UID EXPUNGE of exactly these letters; a plain
EXPUNGE would take along what another program has marked, so without UIDPLUS the letter stays there, marked.
"""

from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.errors import ServerSaysNo
from letterdesk.mail.letters import Fetched
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes.models import Folder, PendingChange

from . import find, push_done
from .passing import Pass
from .writable import open_folder, uids_of

DELETED = frozenset({"\\Deleted"})
NO_SUCH_FOLDER = frozenset({"TRYCREATE", "NONEXISTENT"})
Run = list[PendingChange]


def send_moves(work: Pass, run: Run) -> None:
    """Move letters to one folder. Those that are no longer in their old one were moved before."""
    target = run[0].target
    if target is None:
        raise ServerSaysNo("The folder it should go to is gone.")
    there, away = _look(work, run)
    if there and work.connection.has_move:
        reach("push.move.before_send")
        told = _move(work, there, target)
        reach("push.move.sent")
        push_done.moved(work, there, told)
    elif there:
        told = _copy_once(work, there, target)
        _select_again(work, there)
        _remove(work, there)
        push_done.moved(work, there, told, left_marked=not work.connection.has_uidplus)
    if away:
        push_done.moved(work, away, {})


def send_deletes(work: Pass, run: Run) -> None:
    """Delete letters for good: exactly these."""
    there, away = _look(work, run)
    if there:
        _remove(work, there)
        push_done.deleted(work, there, left_marked=not work.connection.has_uidplus)
    if away:
        push_done.deleted(work, away)


def _look(work: Pass, run: Run) -> tuple[Run, Run]:
    """Which of the letters are in the folder, and which not any more. ServerSaysNo where one is another (A05)."""
    open_folder(work, run[0].folder, run)
    sizes = {summary.uid: summary.size for summary in work.connection.envelopes(uids_of(run))}
    there = [change for change in run if change.uid in sizes]
    for change in there:
        message = change.placement.message if change.placement else None
        if message is not None and sizes[change.uid or 0] != message.size and not _is_same(work, change):
            raise ServerSaysNo("The server has another letter in this place now.", response_code="CANNOT")
    return there, [change for change in run if change.uid not in sizes]


def _is_same(work: Pass, change: PendingChange) -> bool:
    """Some servers tell wrong sizes: the bytes decide before anything is moved or deleted."""
    [handed] = next(work.connection.letters(UidSet([change.uid or 0])), [None])
    expected = change.placement.message.blob if change.placement else ""
    return isinstance(handed, Fetched) and blobs.hash_of(handed.raw) == expected


def _move(work: Pass, run: Run, target: Folder) -> dict[int, int]:
    uids = UidSet(change.uid or 0 for change in run)
    try:
        return work.connection.move(uids, target.wire_name)
    except ServerSaysNo as error:
        if error.response_code not in NO_SUCH_FOLDER:
            raise
        create(work, target)
    return work.connection.move(uids, target.wire_name)


def create(work: Pass, target: Folder) -> None:
    """Make a wished-for folder on the server (R27: where there is no Trash, one is made)."""
    wire_name = work.connection.create(target.name)
    with work.transaction():
        Folder.objects.filter(pk=target.pk).update(wire_name=wire_name, is_wanted=False)
        reach("push.created.before_commit")
    target.wire_name = wire_name


# Without MOVE -------------------------------------------------------------------------------------------------------


def _copy_once(work: Pass, run: Run, target: Folder) -> dict[int, int]:
    """Copy the letters that an earlier attempt has not copied; old UID → new one, as far as it is known."""
    told = _copied_before(work, run, target)
    rest = [change for change in run if change.uid not in told]
    if not rest:
        return told
    _journal(work, rest, target)
    _select_again(work, rest)
    reach("push.copy.before_send")
    uids = UidSet(change.uid or 0 for change in rest)
    try:
        told |= work.connection.copy(uids, target.wire_name)
    except ServerSaysNo as error:
        if error.response_code not in NO_SUCH_FOLDER:
            raise
        create(work, target)
        told |= work.connection.copy(uids, target.wire_name)
    reach("push.copy.sent")
    return told


def _copied_before(work: Pass, run: Run, target: Folder) -> dict[int, int]:
    tried = [change for change in run if "before" in change.detail and change.placement is not None]
    if not tried:
        return {}
    found: dict[int, int] = {}
    selected = work.connection.select(target.wire_name, readonly=True)
    for change in tried:
        before, message = change.detail["before"], change.placement.message if change.placement else None
        if message is None or before["uidvalidity"] != selected.uidvalidity:
            continue
        raw = blobs.get(change.account_id, message.blob)
        uid = find.copy_of(work.connection, raw, since=before["uidnext"], without=UidSet(found.values()))
        if uid is not None:
            found[change.uid or 0] = uid
    return found


def _journal(work: Pass, run: Run, target: Folder) -> None:
    """Written before the COPY: from where on its result would lie."""
    try:
        status = work.connection.status(target.wire_name)
    except ServerSaysNo as error:
        if error.response_code not in NO_SUCH_FOLDER:
            raise
        create(work, target)
        status = work.connection.status(target.wire_name)
    with work.transaction():
        for change in run:
            change.detail["before"] = {"uidvalidity": status.uidvalidity, "uidnext": status.uidnext or 1}
            change.save(update_fields=["detail"])
        reach("push.copy.before_journal")


def _select_again(work: Pass, run: Run) -> None:
    open_folder(work, run[0].folder, run)


def _remove(work: Pass, run: Run) -> None:
    """Mark and expunge exactly these letters of the selected folder."""
    uids = UidSet(change.uid or 0 for change in run)
    reach("push.remove.before_send")
    work.connection.store(uids, add=DELETED)
    reach("push.remove.marked")
    if work.connection.has_uidplus:
        work.connection.expunge(uids)
    reach("push.remove.sent")
