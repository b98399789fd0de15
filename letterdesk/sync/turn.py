"""One turn of one mailbox in a worker thread: open or wake its connection, do a pass, lay it down to idle."""

import logging
import time
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import close_old_connections
from django.db.models import Q, QuerySet
from django.utils import timezone

from letterdesk.mail.errors import MailError
from letterdesk.mail.imap import Connection
from letterdesk.mailboxes.models import Folder, FolderRole, Mailbox
from letterdesk.plans.limits import PlanError

from .audit import audit_mailbox
from .connections import Connections
from .lease import LeaseLost
from .models import FolderCursor
from .once import record_failure, record_success
from .passes import sync_mailbox

logger = logging.getLogger(__name__)
AUDIT_EVERY = timedelta(hours=24)
PASSES_AT_MOST = 3  # in one turn; a mailbox that still changes comes round again at once


@dataclass(slots=True)
class Watched:
    """A mailbox that this process holds. Only the thread that has its turn touches the connection."""

    mailbox_id: int
    fence: int
    connection: Connection | None = None
    host: str = ""
    listening: int = -1  # the descriptor that the selector knows; the connection may be closed by now
    busy: bool = False
    woken: bool = False  # something happened in the inbox while it was idle or busy
    all_folders: bool = True  # the next turn looks at every folder
    due_at: float = 0.0  # monotonic time of the next turn, whatever happens
    idle_since: float = 0.0
    ended: str = field(default="")  # why it is to be given back; empty: go on


def take_turn(watched: Watched, connections: Connections, poll_every: float) -> None:
    """Do the turn. Every outcome is left in `watched`; nothing is raised, but nothing is swallowed either."""
    close_old_connections()
    mailbox = Mailbox.objects.select_related("account").get(pk=watched.mailbox_id)
    try:
        _pass_until_quiet(watched, mailbox, connections)
        record_success(mailbox, timezone.now())
        watched.due_at = time.monotonic() + poll_every
    except LeaseLost:
        _end(watched, connections, "lease lost")
    except PlanError as error:  # R11: nothing that is fetched is stored, and the connection ends at once
        record_failure(mailbox, error, timezone.now())
        _end(watched, connections, "not in plan")
    except MailError as error:
        record_failure(mailbox, error, timezone.now())
        _end(watched, connections, error.code)
    except Exception as error:
        logger.exception("The pass over mailbox %s failed", mailbox.public_id)
        record_failure(mailbox, error, timezone.now())
        _end(watched, connections, "unknown")
    finally:
        close_old_connections()


def hang_up(watched: Watched, connections: Connections) -> None:
    """Close the mailbox's connection, if it has one."""
    if watched.connection is not None:
        watched.connection.close()
        watched.connection = None
        connections.closed(watched.host)


def _pass_until_quiet(watched: Watched, mailbox: Mailbox, connections: Connections) -> None:
    connection = _awake(watched, mailbox, connections)
    folders = None if watched.all_folders else list(_inbox(mailbox))
    if folders is None and _audit_is_due(mailbox):
        audit_mailbox(mailbox, connection, fence=watched.fence, now=timezone.now())
    for _ in range(PASSES_AT_MOST):
        watched.woken = watched.all_folders = False
        sync_mailbox(mailbox, connection, fence=watched.fence, now=timezone.now(), folders=folders)
        if _idles_without_news(watched, mailbox, connection):
            return
        folders = list(_inbox(mailbox))
    watched.woken = True


def _audit_is_due(mailbox: Mailbox) -> bool:
    """Once a day every folder is compared with the server UID by UID, whatever the passes found (A28, hard rule 5)."""
    a_day_ago = timezone.now() - AUDIT_EVERY
    if mailbox.first_sync_done_at is None or mailbox.first_sync_done_at > a_day_ago:
        return False
    folders = FolderCursor.objects.filter(folder__mailbox=mailbox, folder__is_on=True, folder__gone_at=None)
    return folders.filter(Q(audited_at=None) | Q(audited_at__lt=a_day_ago)).exists()


def _awake(watched: Watched, mailbox: Mailbox, connections: Connections) -> Connection:
    """The connection, out of IDLE; a new one where there is none or the old one died in its sleep."""
    if watched.connection is not None:
        try:
            watched.connection.done()
        except MailError:
            hang_up(watched, connections)
            watched.all_folders = True
    if watched.connection is None:
        watched.connection = connections.open(mailbox)
        watched.host = mailbox.imap_host
    return watched.connection


def _idles_without_news(watched: Watched, mailbox: Mailbox, connection: Connection) -> bool:
    """Select the inbox and idle in it; False when it changed since the pass, so that nothing falls in between."""
    if not connection.has_idle:
        return True
    inbox = _inbox(mailbox).first()
    if inbox is None:
        return True
    selected = connection.select(inbox.wire_name)
    cursor = FolderCursor.objects.filter(folder=inbox).first()
    if cursor is not None and (selected.uidnext or 0) > cursor.uidnext and selected.uidvalidity == cursor.uidvalidity:
        return False
    connection.idle()
    watched.idle_since = time.monotonic()
    return True


def _inbox(mailbox: Mailbox) -> QuerySet[Folder]:
    return mailbox.folders.filter(role=FolderRole.INBOX, gone_at=None, is_on=True)


def _end(watched: Watched, connections: Connections, why: str) -> None:
    hang_up(watched, connections)
    watched.ended = why
