"""What leaves on which day: counted for a month or for the days to come, by the arithmetic of list, sync and sweep.

A day is one of the account's time zone. Who has left by a moment is a range of dates of receipt (`Period.gone_by`), so
each day is counted in the index of letters, whatever the number of letters (R9, R18, R19). What is held stays (R4).
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When

from letterdesk.accounts.models import Account

from .models import Hold, Message
from .periods import MICROSECOND, Period, Periods
from .retention import letters_by_period

AT_ONCE = 400  # mailboxes in one query
SUMS = {  # three sums in one walk through the index: grouping the rows takes longer
    "deleted": Count("pk", filter=Q(is_held=False, in_crm=False)),
    "in_crm_alone": Count("pk", filter=Q(is_held=False, in_crm=True)),
    "kept": Count("pk", filter=Q(is_held=True)),
}


@dataclass(frozen=True, slots=True)
class Day:
    """One day: letters that leave and are deleted, those of which CRM keeps a copy (R8), and those held back (R4)."""

    day: date
    deleted: int = 0
    in_crm: int = 0
    kept: int = 0

    @property
    def leaves(self) -> int:
        """How many leave Webmail."""
        return self.deleted + self.in_crm


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days that were asked for, in order, and for what reasons letters are kept in all of them."""

    days: tuple[Day, ...]
    reasons: dict[str, int]

    @property
    def deleted(self) -> int:
        """Letters that are deleted on these days."""
        return sum(each.deleted for each in self.days)

    @property
    def in_crm(self) -> int:
        """Letters that leave Webmail on these days and stay in CRM."""
        return sum(each.in_crm for each in self.days)

    @property
    def kept(self) -> int:
        """Letters whose time ends on these days, and which are held."""
        return sum(each.kept for each in self.days)


@dataclass(frozen=True, slots=True)
class Group:
    """Letters of one period: which mailboxes, and where they lie."""

    period: Period
    where: Q

    def leaving(self, start: datetime, end: datetime) -> Q | None:
        """Those that leave from `start` on and before `end`; None: none can."""
        after, until = self.period.gone_by(start - MICROSECOND), self.period.gone_by(end - MICROSECOND)
        if until is None or (after is not None and until <= after):
            return None
        young = Q() if after is None else Q(received_at__gt=after)
        return self.where & young & Q(received_at__lte=until)


def calendar(
    account: Account, mailboxes: Collection[int], days: Sequence[date], *, periods: Periods, now: datetime
) -> Calendar:
    """What leaves these mailboxes on these days (consecutive ones), of what is here at `now`.

    One query for up to 400 mailboxes of the same period, one for each part of a mailbox that keeps sent letters or
    drafts apart, and one for the reasons.
    """
    zone = ZoneInfo(account.time_zone)
    groups = list(groups_of(periods, mailboxes, now))
    counted: defaultdict[date, list[int]] = defaultdict(lambda: [0, 0, 0])
    for group in groups:
        for index, *numbers in _counts(group, days, zone, now):
            counted[days[index]] = [one + more for one, more in zip(counted[days[index]], numbers, strict=True)]
    found = tuple(Day(day, *counted[day]) for day in days)
    if not any(each.kept for each in found):
        return Calendar(found, {})
    start, end = _bounds(days[0], zone, now)[0], _bounds(days[-1], zone, now)[1]
    return Calendar(found, _reasons(account, groups, start, end))


def groups_of(periods: Periods, mailboxes: Collection[int], now: datetime) -> Iterator[Group]:
    """The letters of these mailboxes by period; those that stay without end are left out."""
    plain: defaultdict[Period, list[int]] = defaultdict(list)
    for mailbox in sorted(mailboxes):
        found = letters_by_period(periods, mailbox, now)
        if len(found) == 1:
            plain[found[0][0]].append(mailbox)
            continue
        yield from (Group(period, Q(mailbox=mailbox) & where) for period, where in found if period != Period(None))
    for period, some in plain.items():
        if period != Period(None):
            for start in range(0, len(some), AT_ONCE):
                yield Group(period, Q(mailbox__in=some[start : start + AT_ONCE]))


def letters_of_day(
    letters: QuerySet[Any], groups: Sequence[Group], day: date, *, zone: ZoneInfo, now: datetime
) -> QuerySet[Any]:
    """Of these letters those that leave on that day; `group` says which of the groups each belongs to."""
    conditions = [(number, group.leaving(*_bounds(day, zone, now))) for number, group in enumerate(groups)]
    known = [(number, where) for number, where in conditions if where is not None]
    if not known:
        return letters.none()
    any_of = Q()
    for _number, where in known:
        any_of |= where
    which = Case(*(When(where, then=Value(number)) for number, where in known), output_field=IntegerField())
    found: QuerySet[Any] = letters.filter(any_of, binned_at=None, is_held=False).annotate(group=which)
    return found


def days_from(day: date, count: int) -> list[date]:
    """That day and those after it."""
    return [day + timedelta(days=number) for number in range(count)]


def _counts(group: Group, days: Sequence[date], zone: ZoneInfo, now: datetime) -> Iterator[tuple[int, int, int, int]]:
    """(which of the days, deleted, staying in CRM, kept)."""
    each_day = []
    for index, day in enumerate(days):
        where = group.leaving(*_bounds(day, zone, now))
        if where is not None:
            letters = Message.objects.filter(where, binned_at=None).order_by()
            which = letters.values_list(Value(index, output_field=IntegerField()))
            each_day.append(which.annotate(**SUMS))
    if each_day:
        yield from each_day[0].union(*each_day[1:], all=True)


def _bounds(day: date, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """The moments of a day that are still to come: its first, and the first of the next day."""
    start = datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)  # in UTC, or hours are those of the wall clock
    end = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    return max(start, now + MICROSECOND), end


def _reasons(account: Account, groups: Sequence[Group], start: datetime, end: datetime) -> dict[str, int]:
    """Why letters are kept: how many for each reason; one may have several."""
    any_of = Q()
    for where in filter(None, (group.leaving(start, end) for group in groups)):
        any_of |= where
    letters = Message.objects.filter(any_of, pk=OuterRef("message"), binned_at=None, is_held=True)
    held = Hold.objects.filter(Exists(letters), account=account).order_by()
    return dict(held.values_list("reason").annotate(number=Count("message", distinct=True)))
