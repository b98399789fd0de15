"""What an account sends in a month, counted exactly at any concurrency (R22–R25, P7).

A unit is reserved in the transaction that queues the letter, by a conditional update: of two that want the last one,
one gets it and the other is refused in words. It is given back, once, when the letter is stopped or fails for good.
The month is that of the account's time zone in which the letter is due; retries do not move it (R23).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account
from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach

from .catalogue import Terms
from .limits import LimitReached, NotInPlan, better_plans, terms
from .models import Channel, Reservation, Usage

WARN_AT = (80, 95)  # percent


@dataclass(frozen=True, slots=True)
class Meter:
    """A month's use. `limit` None is unlimited; `ends_at` is when the next month begins, in UTC."""

    month: date
    used: int
    limit: int | None
    by_channel: Mapping[str, int]
    ends_at: datetime

    @property
    def left(self) -> int | None:
        """How many more may be sent; None: as many as one likes."""
        return None if self.limit is None else max(0, self.limit - self.used)


def month_of(account: Account, at: datetime) -> date:
    """The first day of the calendar month, in the account's time zone, in which this moment lies (R23)."""
    return at.astimezone(ZoneInfo(account.time_zone)).date().replace(day=1)


def month_ends_at(account: Account, month: date) -> datetime:
    """When the month after this one begins, in UTC."""
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return datetime(following.year, following.month, 1, tzinfo=ZoneInfo(account.time_zone)).astimezone(UTC)


def require_channel(account: Account, channel: Channel, *, now: datetime, allowed: Terms | None = None) -> None:
    """Raise NotInPlan where the plan lets nothing out through this door (R24, R25). `allowed`: asked for already."""
    allowed = allowed or terms(account, now=now)
    if allowed.outgoing_from_crm_only and channel != Channel.CRM:  # R24
        text = _("Sending from anywhere but CRM is not in your plan %(plan)s.") % {"plan": allowed.name}
        raise NotInPlan(text, better_plans(lambda plan: not plan.outgoing_from_crm_only))
    if allowed.outgoing_per_month == 0:  # R25
        text = _("Sending e-mail is not in your plan %(plan)s.") % {"plan": allowed.name}
        raise NotInPlan(text, better_plans(lambda plan: plan.outgoing_per_month != 0))


@transaction.atomic
def reserve(account: Account, channel: Channel, *, due_at: datetime, now: datetime, units: int = 1) -> Reservation:
    """Take units of the month in which `due_at` lies. Inside the transaction that queues what they are for.

    Raises NotInPlan (R24, R25), or LimitReached where the month has no more (R22): two different errors.
    """
    require_channel(account, channel, now=now)
    limit = terms(account, now=now).outgoing_per_month
    usage, _made = Usage.objects.get_or_create(account=account, month=month_of(account, due_at))
    row = Usage.objects.filter(pk=usage.pk)
    room = row if limit is None else row.filter(used__lte=limit - units)
    if (limit is not None and units > limit) or room.update(used=F("used") + units) != 1:
        raise _used_up(account, usage, limit or 0, units)
    reach("usage.reserved")
    if limit:
        _warn(account, usage, limit)
    return Reservation.objects.create(account=account, usage=usage, channel=channel, units=units, reserved_at=now)


@transaction.atomic
def refund(reservation: Reservation, *, now: datetime) -> bool:
    """Give the units back to their own month, once; returns whether this call did it."""
    mine = Reservation.objects.filter(pk=reservation.pk, refunded_at=None).update(refunded_at=now) == 1
    if mine:
        Usage.objects.filter(pk=reservation.usage_id).update(used=F("used") - reservation.units)
    return mine


def meter(account: Account, *, now: datetime, allowed: Terms | None = None) -> Meter:
    """What this month has used, by channel, and what the plan in force allows. `allowed`: asked for already."""
    month = month_of(account, now)
    usage = Usage.objects.filter(account=account, month=month).first()
    channels = _ledger(usage) if usage else {}
    limit = (allowed or terms(account, now=now)).outgoing_per_month
    return Meter(month, usage.used if usage else 0, limit, channels, month_ends_at(account, month))


@transaction.atomic
def recount(usage: Usage, *, repair: bool = False) -> int:
    """By how much the counter differs from its ledger: 0 is right. With `repair` the ledger wins."""
    locked = Usage.objects.select_for_update(of=("self",)).select_related("account").get(pk=usage.pk)
    difference = locked.used - sum(_ledger(locked).values())
    if difference and repair:
        Usage.objects.filter(pk=locked.pk).update(used=F("used") - difference)
        record("quota.recounted", account=locked.account, month=f"{locked.month:%Y-%m}", difference=difference)
    return difference


def _ledger(usage: Usage) -> dict[str, int]:
    units = Reservation.objects.filter(usage=usage, refunded_at=None)
    return dict(units.order_by().values_list("channel").annotate(Sum("units")))


def _used_up(account: Account, usage: Usage, limit: int, units: int) -> LimitReached:
    ends = timezone.localtime(month_ends_at(account, usage.month), ZoneInfo(account.time_zone))
    facts = {"limit": f"{limit:,}", "month": f"{usage.month:%Y-%m}", "until": f"{ends:%Y-%m-%d}"}
    text = _("The %(limit)s e-mails that your plan allows in %(month)s are used up.") % facts
    way_out = _("The next month begins on %(until)s.") % facts
    more = better_plans(lambda plan: plan.outgoing_per_month is None or plan.outgoing_per_month > limit)
    return LimitReached(text, f"{way_out} {more}", limit=limit, wanted=limit + units)


def _warn(account: Account, usage: Usage, limit: int) -> None:
    """Told once per month and threshold, by whoever steps over it."""
    used = Usage.objects.values_list("used", flat=True).get(pk=usage.pk)
    reached = [percent for percent in WARN_AT if used * 100 >= percent * limit]
    if not reached:
        return
    if Usage.objects.filter(pk=usage.pk, warned__lt=reached[-1]).update(warned=reached[-1]):
        record("quota.nearly_used", account=account, month=f"{usage.month:%Y-%m}", percent=reached[-1], used=used,
               limit=limit)  # fmt: skip
