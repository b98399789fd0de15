"""What becomes of a letter, and when: one arithmetic for the list, the storage line, the sync and the sweep.

Hidden is judged by the clock at every reading (R20); deletion is only the cleaning-up. A letter leaves when
`now >= received_at + days × 24 h` (R19), to the second, unless it is held (R4). Nothing here writes to a mail server.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Count, Min, Model, Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.accounts.models import Account
from letterdesk.plans import limits

from .models import Attachment, Hold, Listing, Mailbox, MailboxState, Message, Placement

SOON = timedelta(days=14)  # from here on the list shows the days that remain (ux.md 1.1)

Row = TypeVar("Row", bound=Model)


class Outcome(Enum):
    """What the end of the period does to a letter (R9)."""

    STAYS = "stays"  # not over yet, or held by a task or a person
    CRM_ONLY = "crm only"  # leaves Webmail; the activity keeps its copy (R7, R8)
    DELETED = "deleted"  # row, body and attachments


def outcome(*, received_at: datetime, is_held: bool, in_crm: bool, days: int | None, now: datetime) -> Outcome:
    """The table of R9 at `now`; `days` is the plan's period, None without end."""
    if is_held or not Period(days).is_over(received_at, now):
        return Outcome.STAYS
    return Outcome.CRM_ONLY if in_crm else Outcome.DELETED


@dataclass(frozen=True, slots=True)
class Period:
    """How many times 24 hours letters stay from their receipt; None: without end. An hour is 3,600 s, DST or not."""

    days: int | None

    @classmethod
    def of(cls, account: Account, now: datetime) -> "Period":
        """The period of the plan that the account is on at `now` (R18)."""
        return cls(limits.terms(account, now=now).days_kept)

    def leaves_at(self, received_at: datetime) -> datetime | None:
        """The first moment at which a letter is no longer shown; None: never."""
        return None if self.days is None else received_at + timedelta(hours=24 * self.days)  # R19

    def is_over(self, received_at: datetime, now: datetime) -> bool:
        """Whether the period has ended at `now`."""
        leaves_at = self.leaves_at(received_at)
        return leaves_at is not None and now >= leaves_at

    def cutoff(self, now: datetime) -> datetime | None:
        """What was received at or before this is over; None: nothing is."""
        return None if self.days is None else now - timedelta(hours=24 * self.days)


def is_fetched(received_at: datetime, *, chosen_days: int | None, now: datetime) -> bool:
    """Whether the depth chosen at connecting reaches back to a letter, to the second (R21); None: everything."""
    return chosen_days is None or now < received_at + timedelta(hours=24 * chosen_days)


def fetched_after(mailbox: Mailbox, now: datetime) -> datetime | None:
    """Letters received after this moment are fetched: the chosen depth and the plan's cut-off both hold (R10, R21).

    None: everything is.
    """
    depths = [mailbox.fetch_days, Period.of(mailbox.account, now).days]
    days = min((days for days in depths if days is not None), default=None)
    return Period(days).cutoff(now)


_BIN: dict[type[Model], Q] = {Message: Q(binned_at=None), Attachment: Q(message__binned_at=None)}  # R29
_RECEIVED: dict[type[Model], tuple[str, str]] = {
    Message: ("received_at", "is_held"),
    Placement: ("received_at", "message__is_held"),
    Listing: ("newest_at", "is_held"),
    Attachment: ("message__received_at", "message__is_held"),
}


def shown(rows: QuerySet[Row], cutoff: datetime | None) -> QuerySet[Row]:
    """Messages, placements, attachments or listings that the clock shows: received after the cut-off, or held (R20).

    Without what lies in a bin (R29): placements and listings leave that out by themselves.
    """
    found = rows.filter(_BIN[rows.model]) if rows.model in _BIN else rows
    return found if cutoff is None else found.filter(is_shown(rows.model, cutoff))


def is_shown(model: type[Model], cutoff: datetime) -> Q:
    """The condition of `shown`, for a query of one's own."""
    received, held = _RECEIVED[model]
    return Q(**{f"{received}__gt": cutoff}) | Q(**{held: True})


def visible(rows: QuerySet[Any], account: Account, *, now: datetime) -> QuerySet[Any]:
    """`shown` at `now` by the account's plan; asks the database for the plan."""
    return shown(rows, limits.cutoff(account, now))


@dataclass(frozen=True, slots=True)
class Leaving:
    """The next letters that leave a mailbox: when the first does, and how many leave on that day of the account."""

    at: datetime
    count: int


def next_leaving(account: Account, mailboxes: Sequence[int], *, now: datetime) -> dict[int, Leaving]:
    """What the period ends next in each of these mailboxes (R9, R18), by key; absent: nothing leaves.

    Two queries for up to 400 mailboxes; what a task holds never counts (R4).
    """
    period, zone = Period.of(account, now), ZoneInfo(account.time_zone)
    if period.days is None:
        return {}
    letters = shown(Message.objects.filter(mailbox__in=mailboxes, is_held=False), period.cutoff(now))
    oldest = dict(letters.values_list("mailbox").annotate(oldest=Min("received_at")).order_by())
    first = {mailbox: received + timedelta(hours=24 * period.days) for mailbox, received in oldest.items()}
    counts: dict[int, int] = {}
    for some in _in_parts(list(first), 400):
        that_day = Q()
        for mailbox in some:
            day_ends = first[mailbox].astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
            day_ends += timedelta(days=1)  # the account's midnight, whatever the hours of that day
            that_day |= Q(mailbox=mailbox, received_at__lt=day_ends - timedelta(hours=24 * period.days))
        counts |= dict(letters.filter(that_day).values_list("mailbox").annotate(number=Count("pk")).order_by())
    return {mailbox: Leaving(at, counts.get(mailbox, 0)) for mailbox, at in first.items()}


def _in_parts(keys: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def days_left(received_at: datetime, period: Period, *, now: datetime) -> int | None:
    """Whole days until a letter leaves, where that is soon enough to be told in a list; else None."""
    leaves_at = period.leaves_at(received_at)
    return None if leaves_at is None or leaves_at - now > SOON else max((leaves_at - now) // timedelta(days=1), 0)


def storage_line(
    message: Message, now: datetime, *, period: Period | None = None, holds: Sequence[Hold] | None = None
) -> str:
    """What becomes of the letter and when, in words, in the account's time zone.

    Pass `period` and `holds` where many letters are shown; they are asked from the database otherwise.
    """
    if message.is_held:
        return _kept(message.holds.all() if holds is None else holds)
    period = period or Period.of(message.account, now)
    leaves_at = period.leaves_at(message.received_at)
    if leaves_at is None:
        return _without_end(message.mailbox)
    zone = ZoneInfo(message.account.time_zone)
    return f"{_leaves(leaves_at.astimezone(zone), now.astimezone(zone))} · {_original(message.mailbox)}"


def _kept(holds: Sequence[Hold] | QuerySet[Hold]) -> str:
    reasons = sorted({_reason(hold) for hold in holds})
    return _("Kept: %(reasons)s") % {"reasons": ", ".join(reasons)} if reasons else _("Kept")


def _reason(hold: Hold) -> str:
    if hold.reason == "task":
        return _("linked to task #%(task)s") % {"task": hold.reference.removeprefix("task:")}
    return _("on hold, cannot be deleted") if hold.reason == "legal" else hold.reference


def _without_end(mailbox: Mailbox) -> str:
    if not mailbox.imap_host:
        return _("Kept here until somebody deletes it · imported, no copy on a mail server")
    if mailbox.state == MailboxState.DISCONNECTED:
        return _("Kept here · no longer kept in step with %(host)s") % {"host": mailbox.imap_host}
    return _("Kept here as long as it is on %(host)s") % {"host": mailbox.imap_host}


def _original(mailbox: Mailbox) -> str:
    host = mailbox.imap_host
    return _("stays on %(host)s") % {"host": host} if host else _("imported, no copy on a mail server")


def _leaves(leaves_at: datetime, now: datetime) -> str:
    left = leaves_at - now
    day = date_format(leaves_at, "j M" if leaves_at.year == now.year else "j M Y")
    if left <= timedelta(0):
        return _("Left Webmail on %(day)s") % {"day": day}
    if left > SOON:
        return _("Leaves Webmail on %(day)s") % {"day": day}
    return _soon(left) % {"count": _units(left), "day": f"{day}, {leaves_at:%H:%M}"}


def _units(left: timedelta) -> int:
    unit = next((unit for unit in (timedelta(days=1), timedelta(hours=1)) if left >= unit), timedelta(minutes=1))
    return left // unit


def _soon(left: timedelta) -> str:
    count = _units(left)
    if left >= timedelta(days=1):
        return ngettext(
            "Leaves Webmail in %(count)d day (%(day)s)", "Leaves Webmail in %(count)d days (%(day)s)", count
        )
    if left >= timedelta(hours=1):
        return ngettext(
            "Leaves Webmail in %(count)d hour (%(day)s)", "Leaves Webmail in %(count)d hours (%(day)s)", count
        )
    if left >= timedelta(minutes=1):
        return ngettext(
            "Leaves Webmail in %(count)d minute (%(day)s)", "Leaves Webmail in %(count)d minutes (%(day)s)", count
        )
    return _("Leaves Webmail within a minute")
