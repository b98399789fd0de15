"""Mailboxes of people who left: kept in step as before for 30 days, told 7 days before the end, then disconnected here.

Until then they can be handed over, or their owner taken back. How long is `accounts.dismiss.ends_at`. What a task
holds stays (R4), what CRM holds too (R8), and the mail server keeps everything (R26). A mailbox with a sent letter that
the server does not have yet waits until it has (R9).
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from letterdesk.accounts.dismiss import KEPT, WARNED_BEFORE, ends_at
from letterdesk.accounts.models import Account, Employee, Role
from letterdesk.accounts.preferences import language_of
from letterdesk.events.models import Event
from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach
from letterdesk.lib.jobs import job
from letterdesk.plans import limits

from . import forget
from .connect import disconnect
from .jobs import forget_mailboxes
from .models import Mailbox, MailboxState, PendingChange
from .retention.sweep import clock_is_in_doubt

WHY = "owner_left"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Leaver:
    """Somebody who left, with the mailboxes that are still theirs, and when those go."""

    person: Employee
    mailboxes: tuple[Mailbox, ...]
    ends_at: datetime


@job(name="mailboxes.follow_leavers", priority=-10)
def follow_leavers() -> None:
    """Hourly: tell the administrators what goes within 7 days, and let go what is over."""
    now = timezone.now()
    for account in warn(now=now):
        try:
            tell_by_mail(account)
        except Exception:  # one mail that cannot be sent keeps nothing from the others; the banner warns, too
            logger.exception("The administrators of account %s could not be told by mail", account.public_id)
    end(now=now)


def left_behind(account: Account) -> list[Leaver]:
    """Who left and still owns mailboxes here, those that go first before the others."""
    own: dict[Employee, list[Mailbox]] = {}
    kept = Mailbox.objects.filter(account=account, owner__dismissed_at__isnull=False, forgotten_at=None)
    for mailbox in kept.select_related("owner").defer("secret").order_by("address"):
        own.setdefault(mailbox.owner, []).append(mailbox)
    leavers = [
        Leaver(person, tuple(mailboxes), ends_at(person.dismissed_at, person.warned_at))
        for person, mailboxes in own.items()
        if person.dismissed_at is not None
    ]
    return sorted(leavers, key=lambda each: each.ends_at)


def warn(*, now: datetime) -> list[Account]:
    """Record the warnings that are due, each once; returns the accounts whose administrators are to be told."""
    due = _with_mailboxes().filter(warned_at=None, dismissed_at__lte=now - KEPT + WARNED_BEFORE)
    told = {person.account for person in due.select_related("account") if _warn(person, now)}
    for account in Account.objects.filter(left_behind_until__isnull=False) | Account.objects.filter(
        pk__in=[each.pk for each in told]
    ):
        settle(account)
    return sorted(told, key=lambda account: account.pk)


@transaction.atomic
def _warn(person: Employee, now: datetime) -> bool:
    unwarned = Employee.objects.filter(pk=person.pk, warned_at=None, dismissed_at=person.dismissed_at)
    if not unwarned.update(warned_at=now):
        return False  # taken back, or another scheduler was quicker
    count = _of(person).count()
    subject, at = f"employee:{person.public_id}", ends_at(person.dismissed_at or now, now)
    record("employee.mailboxes_ending", account=person.account, subject=subject, count=count, at=at.isoformat())
    return True


def settle(account: Account) -> None:
    """Write anew until when the banner warns: the first end among those who were warned of and have mailboxes left."""
    ends = [each.ends_at for each in left_behind(account) if each.person.warned_at is not None]
    Account.objects.filter(pk=account.pk).update(left_behind_until=min(ends, default=None))


def after_hand_over(event: Event) -> None:
    """A reaction to what may end a warning: a mailbox changed hands or was disconnected, a person was taken back."""
    if event.account.left_behind_until is not None:
        settle(event.account)


def tell_by_mail(account: Account) -> None:
    """Write to the administrators what goes, and when; no letter of anybody is in it."""
    ending = [each for each in left_behind(account) if each.person.warned_at is not None]
    lines = [
        f"{each.ends_at:%Y-%m-%d %H:%M} UTC: {each.person.name}, {', '.join(one.address for one in each.mailboxes)}"
        for each in ending
    ]
    for each in Employee.objects.filter(account=account, role=Role.ADMINISTRATOR).working() if lines else ():
        with language_of(each):
            send_mail(
                _("Mailboxes of people who left are about to be removed from Letterdesk"),
                _("Hand them over before, or their copies here are removed. The mail servers keep everything.")
                + "\n\n"
                + "\n".join(lines)
                + f"\n\n{settings.BASE_URL}/people\n",
                None,
                [each.email],
            )


def end(*, now: datetime) -> int:
    """Disconnect what is over, with its copies; returns how many mailboxes. None while the clock is in doubt (F11)."""
    if clock_is_in_doubt(now):
        return 0
    over = _with_mailboxes().filter(warned_at__lte=now - WARNED_BEFORE, dismissed_at__lte=now - KEPT)
    done = 0
    for person in over.select_related("account").order_by("pk"):
        for mailbox in _of(person).order_by("pk"):
            done += _end(mailbox, now)
        settle(person.account)
    if done:
        forget_mailboxes.later()
    return done


def _end(mailbox: Mailbox, now: datetime) -> bool:
    """Judged anew under the lock under which mailboxes change hands, and on the person's locked row."""
    with limits.locked(mailbox.account):
        if Account.objects.filter(pk=mailbox.account_id, closed_at__isnull=False).exists():
            return False
        owner = Employee.objects.select_for_update().get(pk=mailbox.owner_id)
        mailbox = Mailbox.objects.select_related("account").get(pk=mailbox.pk)
        if mailbox.owner_id != owner.pk or mailbox.forgotten_at is not None or not _is_over(owner, now):
            return False
        if _sends_a_copy(mailbox):
            return False
        if mailbox.state == MailboxState.DISCONNECTED:
            forget.begin(mailbox, now=now)
            record("mailbox.forgotten", account=mailbox.account, topic=mailbox.topic, subject=mailbox.topic, why=WHY)
        else:
            disconnect(mailbox, by=None, keep_copies=False, now=now, why=WHY)
        reach("left.before_commit")
    return True


def _is_over(owner: Employee, now: datetime) -> bool:
    if owner.dismissed_at is None or owner.warned_at is None:
        return False
    return now >= ends_at(owner.dismissed_at, owner.warned_at)


def _sends_a_copy(mailbox: Mailbox) -> bool:
    """Whether a letter of ours is here alone and on its way to the server; the sync stores it there, or gives up."""
    on_their_way = (PendingChange.State.WAITING, PendingChange.State.SENT)
    copies = PendingChange.objects.filter(mailbox=mailbox, kind=PendingChange.Kind.APPEND, state__in=on_their_way)
    return copies.exists()


def _of(person: Employee) -> QuerySet[Mailbox]:
    own: QuerySet[Mailbox] = Mailbox.objects.filter(owner=person, account=person.account_id, forgotten_at=None)
    return own


def _with_mailboxes() -> QuerySet[Employee]:
    """Of a closed account nobody: its administrators cannot act. Reopened, they are warned anew (`close.reopen`)."""
    own = Mailbox.objects.filter(owner=OuterRef("pk"), forgotten_at=None)
    found: QuerySet[Employee] = Employee.objects.filter(
        Exists(own), dismissed_at__isnull=False, account__closed_at=None
    )
    return found
