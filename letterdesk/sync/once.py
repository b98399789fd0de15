"""Bring one mailbox in step, now: for the command line, jobs and tests. And what becomes of a mailbox that fails."""

import errno
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from django.db import DatabaseError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from letterdesk.events.record import record
from letterdesk.lib.ids import new_public_id
from letterdesk.mail.errors import MailError
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Connection
from letterdesk.mailboxes.models import Mailbox, MailboxState
from letterdesk.plans.limits import PlanError, require

from . import backoff, lease
from .connections import guard as default_guard
from .connections import sign_in
from .fence import KEPT_IN_STEP
from .lease import LeaseLost
from .models import Lease
from .passes import sync_mailbox, with_ledgers
from .report import Report, Watching

Result = TypeVar("Result")
PASSES_AT_MOST = 8
LEASE_SECONDS = 60.0


class NotSyncable(Exception):
    """The mailbox is paused, suspended, disconnected or has no server. The text is for people."""


class Busy(Exception):
    """Another process is at this mailbox."""


def sync_once(
    mailbox: Mailbox,
    *,
    guard: Guard | None = None,
    now: datetime | None = None,
    progress: Watching | None = None,
    timeout: float = 30.0,
) -> Report:
    """Do passes until one finds nothing to do (at most eight), and return what happened, with ledgers.

    `timeout` is the server's time for one answer, in seconds. Raises NotSyncable, PlanError (R2), Busy, LeaseLost,
    and MailError, which is noted on the mailbox.
    """

    def sync(connection: Connection, fence: int, at: datetime, reconnect: Callable[[], Connection]) -> Report:
        return _until_quiet(mailbox, connection, fence, now=at, progress=progress, reconnect=reconnect)

    report = holding(mailbox, sync, guard=guard, now=now or timezone.now(), timeout=timeout)
    return with_ledgers(report)


def holding(
    mailbox: Mailbox,
    do: Callable[[Connection, int, datetime, Callable[[], Connection]], Result],
    *,
    guard: Guard | None,
    now: datetime,
    timeout: float,
) -> Result:
    """Call `do(connection, fence, now, reconnect)` while holding the mailbox's lease; raises as `sync_once`."""
    _refuse(mailbox)
    fence = lease.acquire(mailbox, holder=f"once-{new_public_id()}", seconds=LEASE_SECONDS)
    if fence is None:
        raise Busy(f"{mailbox.address} is being synced by another process.")
    connect = partial(sign_in, mailbox, guard or default_guard(), timeout=timeout)
    try:
        with connect() as connection:
            result = do(connection, fence, now, connect)
            connection.logout()
        record_success(mailbox, now)
    except (LeaseLost, PlanError):
        raise
    except Exception as error:
        record_failure(mailbox, error, now)
        raise
    finally:
        lease.release(mailbox, fence)
    return result


def _refuse(mailbox: Mailbox) -> None:
    require(mailbox.account, integration=True)  # R2
    if not mailbox.imap_host:
        raise NotSyncable(_("This mailbox was imported; it has no server."))
    if mailbox.state not in KEPT_IN_STEP:
        raise NotSyncable(_("This mailbox is %(state)s.") % {"state": mailbox.get_state_display().lower()})


def _until_quiet(
    mailbox: Mailbox,
    connection: Connection,
    fence: int,
    *,
    now: datetime,
    progress: Watching | None,
    reconnect: Callable[[], Connection],
) -> Report:
    total: Report | None = None
    for _pass in range(PASSES_AT_MOST):
        lease.renew(mailbox, fence, seconds=LEASE_SECONDS)
        tell = _renewing(mailbox, fence, progress)
        report = sync_mailbox(mailbox, connection, fence=fence, now=now, progress=tell, reconnect=reconnect)
        is_quiet = not report.did_something
        if total is not None:
            report.add(total)
        total = report
        if is_quiet:
            break
    return total or Report()


def _renewing(mailbox: Mailbox, fence: int, progress: Watching | None) -> Watching:
    """Prolong the lease while batches are stored: a first sync takes longer than a lease."""
    renewed = timezone.now()

    def tell(*told: object) -> None:
        nonlocal renewed
        if timezone.now() - renewed > timedelta(seconds=LEASE_SECONDS / 3):
            lease.renew(mailbox, fence, seconds=LEASE_SECONDS)
            renewed = timezone.now()
        if progress is not None:
            progress(*told)  # type: ignore[arg-type]

    return tell


# Health -------------------------------------------------------------------------------------------------------------


def record_success(mailbox: Mailbox, now: datetime) -> None:
    """The mailbox was brought in step: failures are forgotten, and told as over where one was shown."""
    with transaction.atomic():
        Lease.objects.filter(mailbox=mailbox, failures__gt=0).update(failures=0, retry_at=None)
        had_failed = (
            Mailbox.objects.filter(pk=mailbox.pk, state__in=KEPT_IN_STEP)
            .exclude(error_code="")
            .update(state=MailboxState.CONNECTED, error_code="", error_text="", error_since=None)
        )
        Mailbox.objects.filter(pk=mailbox.pk).update(last_synced_at=now)
        if had_failed:
            record("mailbox.recovered", account=mailbox.account, topic=mailbox.topic)


def record_failure(mailbox: Mailbox, error: Exception, now: datetime) -> None:
    """Note a failure on the mailbox: a refused sign-in stops it until a person acts, all else is tried again later.

    The wait grows with each failure in a row and is spread (A40, A41); it is counted by the database's clock.
    """
    code, text = _named(error)
    needs_person = isinstance(error, MailError) and error.needs_person
    with transaction.atomic():
        _retry_later(mailbox)
        before = Mailbox.objects.filter(pk=mailbox.pk, state__in=KEPT_IN_STEP)
        is_news = before.exclude(error_code=code).update(error_since=now) == 1
        before.update(
            state=MailboxState.FAILING if needs_person else F("state"), error_code=code, error_text=text[:2000]
        )
        if is_news:
            record("mailbox.failing", account=mailbox.account, topic=mailbox.topic, code=code)


def _named(error: Exception) -> tuple[str, str]:
    if isinstance(error, MailError):
        return error.code, error.text
    if isinstance(error, PlanError):
        return "over_plan", error.text  # the way out is said where it is shown, in the reader's language
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "disk_full", "The disk on which Letterdesk keeps letters is full. What is here can be read."
    if isinstance(error, OSError | DatabaseError):
        return "storage", f"Letterdesk cannot store letters now ({type(error).__name__}). It tries again by itself."
    return "unknown", f"Something went wrong here ({type(error).__name__})."


def _retry_later(mailbox: Mailbox) -> None:
    held = Lease.objects.filter(mailbox=mailbox)
    failures = (held.values_list("failures", flat=True).first() or 0) + 1
    held.update(failures=failures, retry_at=Now() + timedelta(seconds=backoff.delay(failures)))
