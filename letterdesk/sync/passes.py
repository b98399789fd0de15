"""One pass over a mailbox: what people want is sent, then our copy follows the server. May be interrupted anywhere."""

from collections.abc import Callable, Sequence
from datetime import datetime

from letterdesk.lib.crashpoint import reach
from letterdesk.mail.imap import Connection
from letterdesk.mailboxes.models import Folder, Mailbox, Message
from letterdesk.mailboxes.remove import remove_unplaced

from . import ledger
from .connections import guard, sign_in
from .folders import Found, discover
from .passing import Pass
from .pull import pull
from .push import push
from .report import Report, Watching


def sync_mailbox(
    mailbox: Mailbox,
    connection: Connection,
    *,
    fence: int,
    now: datetime,
    folders: Sequence[Folder] | None = None,
    progress: Watching | None = None,
    reconnect: Callable[[], Connection] | None = None,
) -> Report:
    """Do one pass over the mailbox, or over these folders alone (something happened in them).

    `fence` is that of the lease. `reconnect` opens a second connection, with which a mass vanishing is verified.
    Raises MailError, LeaseLost, PlanError; what was committed before stays and the next pass goes on from there.
    """
    work = work_on(mailbox, connection, fence=fence, now=now, progress=progress, reconnect=reconnect)
    push(work)
    if folders is None:
        found = discover(work)
        pull(work, found)
        _after_all_folders(work)
    else:
        for folder in folders:
            folder.mailbox = mailbox
        pull(work, [Found(folder, None) for folder in folders])
    return work.report


def work_on(
    mailbox: Mailbox,
    connection: Connection,
    *,
    fence: int,
    now: datetime,
    progress: Watching | None = None,
    reconnect: Callable[[], Connection] | None = None,
) -> Pass:
    """What the parts of a pass share; for the other callers of those parts (the audit)."""
    return Pass(mailbox, connection, fence, now, reconnect or _reconnect(mailbox), progress)


def with_ledgers(report: Report) -> Report:
    """Add each folder's ledger to the report: counted, so only where somebody looks at it."""
    for each in report.folders:
        each.ledger = ledger.ledger_of(each.folder)
    return report


def _reconnect(mailbox: Mailbox) -> Callable[[], Connection]:
    return lambda: sign_in(mailbox, guard())


def _after_all_folders(work: Pass) -> None:
    """Every folder was looked at and has all its letters: what lies nowhere any more was not moved, it is gone."""
    if any(each.unsettled for each in work.report.folders):
        return
    mailbox = work.mailbox
    gone = Message.objects.filter(mailbox=mailbox, unplaced_at__lt=work.now, is_held=False)
    if gone.exists():
        with work.transaction():
            remove_unplaced(mailbox, before=work.now, now=work.now)
            reach("pull.removed.before_commit")
    if mailbox.first_sync_done_at is None:
        with work.transaction():
            mailbox.first_sync_done_at = work.now
            mailbox.save(update_fields=["first_sync_done_at"])
