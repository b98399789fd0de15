"""Our copy follows the server: which folders are looked at, in which order, and when what is gone is let go."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from letterdesk.mail.errors import MailError, ServerSaysNo
from letterdesk.mail.imap import Connection, Status
from letterdesk.mailboxes.models import Folder, FolderRole

from . import state
from .decide import COMPARE, SCAN_WITH_MODSEQ
from .folders import Found
from .models import FolderCursor
from .passing import Pass
from .visit import STALLED_FOR, Visit

LONG = 1000  # letters
BROKEN_AT_MOST = 2  # folders that break the connection, in one pass
ORDER = (FolderRole.INBOX, FolderRole.SENT, FolderRole.DRAFTS, FolderRole.NONE, FolderRole.ARCHIVE, FolderRole.ALL)


def pull(work: Pass, found: Sequence[Found]) -> None:
    """Look at every folder that is not known to be unchanged. New letters of all folders first, then what is gone:
    so a letter that another program moved has arrived in its new folder before it leaves the old one (A19).

    A folder that breaks the connection does not keep the others from being read (A12); its error is raised at the end.
    """
    wanted = sorted(_to_be_visited(work, found), key=lambda each: _rank(each.folder))
    done: list[Visit] = []
    broken: list[MailError] = []
    mine: list[Connection] = []
    try:
        for each in wanted:
            visit = Visit(work, each.folder, each.status)
            try:
                done += _run(visit)
            except MailError as error:
                visit.report.unsettled = error.text
                broken.append(error)
                _go_on(work, mine, broken)
            if visit.report.stored > LONG:  # what came before need not wait for what comes after
                done = _finish(done)
        _finish(done)
    finally:
        for connection in mine:
            connection.close()
    if broken:
        raise broken[0]


def _run(visit: Visit) -> list[Visit]:
    try:
        visit.run()
    except ServerSaysNo as error:  # this folder alone: the connection is as good as before
        visit.report.unsettled = error.text
        return []
    return [visit]


def _go_on(work: Pass, mine: list[Connection], broken: list[MailError]) -> None:
    """A fresh connection for the other folders. Raises the first error when there is none to be had."""
    if len(broken) > BROKEN_AT_MOST or broken[-1].needs_person:
        raise broken[0]
    work.connection.close()
    try:
        work.connection = work.reconnect()
    except MailError:
        raise broken[0] from None
    mine.append(work.connection)


def _finish(visits: list[Visit]) -> list[Visit]:
    for visit in visits:
        visit.finish()
    return []


def _rank(folder: Folder) -> tuple[int, str]:
    """The inbox first, then what was sent; spam and bin last."""
    roles = [role.value for role in ORDER]
    return (roles.index(folder.role) if folder.role in roles else len(roles), folder.name)


def _to_be_visited(work: Pass, found: Sequence[Found]) -> list[Found]:
    on = [each for each in found if each.folder.is_selectable and each.folder.is_on]
    _forget_depth(each.folder for each in found if not each.folder.is_on)
    cursors = {
        cursor.folder_id: cursor for cursor in FolderCursor.objects.filter(folder__in=[each.folder for each in on])
    }
    here = state.counts([each.folder for each in on])
    retries = state.due_retries([each.folder for each in on], work.now)
    wanted = []
    for each in on:
        cursor = cursors.get(each.folder.pk)
        report = work.about(each.folder)
        if cursor is not None and cursor.stalled_reason and not _may_move_again(cursor, work.now):
            report.unsettled = cursor.stalled_reason
        elif (
            cursor is None
            or each.folder.pk in retries
            or not _is_unchanged(cursor, each.status, here.get(each.folder.pk, 0), work)
        ):
            wanted.append(each)
            _count_again_unless(cursor, here.get(each.folder.pk, 0))
    return wanted


def _count_again_unless(cursor: FolderCursor | None, here: int) -> None:
    """Letters were taken out here (retention, a person): what the cursor takes for held is to be counted."""
    if cursor is not None and cursor.settled and cursor.settled.get("held") != here:
        FolderCursor.objects.filter(pk=cursor.pk).update(settled={})


def _forget_depth(off: Iterable[Folder]) -> None:
    """R21: when a folder is switched on again, the depth counts from that moment."""
    ids = [folder.pk for folder in off]
    if ids:
        FolderCursor.objects.filter(folder__in=ids).exclude(depth=-1).update(depth=-1, settled={})


def _is_unchanged(cursor: FolderCursor, status: Status | None, here: int, work: Pass) -> bool:
    """Whether nothing is to be done: the server says what it said when the folder was settled, and so does our copy."""
    if status is None or status.highestmodseq is None or status.uidnext is None or not cursor.settled:
        return False  # without MODSEQ, changed flags show only when they are looked at (A23, A27)
    if cursor.depth != (work.mailbox.fetch_days or 0) or cursor.flags_checked_at is None:
        return False
    if cursor.times_resumed != work.mailbox.times_resumed:  # R10, R13
        return False
    if work.now - cursor.flags_checked_at >= SCAN_WITH_MODSEQ or work.now - (cursor.compared_at or work.now) >= COMPARE:
        return False
    return bool(cursor.settled == state.seen_as(status) | {"held": here})


def _may_move_again(cursor: FolderCursor, now: datetime) -> bool:
    """A stalled folder is tried again after a day."""
    since = cursor.settled.get("stalled")
    if since is not None and now - datetime.fromisoformat(since) < STALLED_FOR:
        return False
    cursor.stalled_reason, cursor.validity_changes, cursor.settled = "", 0, {}
    cursor.save(update_fields=["stalled_reason", "validity_changes", "settled"])
    return True
