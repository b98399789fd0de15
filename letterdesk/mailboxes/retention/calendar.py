"""What leaves on which day: counted for a month or for the days to come, by the arithmetic of list, sync and sweep.

A day is one of the account's time zone. Who has left by a moment is a range of dates of receipt (`Period.gone_by`), and
the numbers of such a range are known without counting (`tally.py`), but where a mailbox keeps sent letters or drafts
apart: there the index of letters is walked (R9, R18, R19). What is held stays (R4).
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Sum, Value, When

from letterdesk.accounts.models import Account

from ..models import Message, Tally
from ..tally import Span
from .letters import letters_by_period
from .periods import MICROSECOND, Period, Periods

AT_ONCE = 400  # mailboxes in one query
FATES = {
    "deleted": Q(is_held=False, in_crm=False),
    "in_crm_alone": Q(is_held=False, in_crm=True),
    "kept": Q(is_held=True),
}
WHY = {"task": Q(held_by_task=True), "legal": Q(held_by_law=True)}
COUNTS = {fate: Count("pk", filter=which) for fate, which in (FATES | WHY).items()}  # in one walk through the index
SUMS = {fate: Sum("number", filter=which, default=0) for fate, which in (FATES | WHY).items()}


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
    """The days that were asked for, in order, and for what reasons letters are kept in all of them.

    A letter that is held for several reasons counts for each.
    """

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
    """Letters of one period: which mailboxes, and where they lie; `is_whole`: all letters of these mailboxes."""

    period: Period
    where: Q
    is_whole: bool = False

    def leaving(self, start: datetime, end: datetime) -> Q | None:
        """Those that leave from `start` on and before `end`; None: none can."""
        span = self.span(start, end)
        return None if span is None else self.where & span.letters

    def span(self, start: datetime, end: datetime) -> Span | None:
        """When those were received."""
        after, until = self.period.gone_by(start - MICROSECOND), self.period.gone_by(end - MICROSECOND)
        if until is None or (after is not None and until <= after):
            return None
        return Span(after, until)


def calendar(
    account: Account, mailboxes: Collection[int], days: Sequence[date], *, periods: Periods, now: datetime
) -> Calendar:
    """What leaves these mailboxes on these days (consecutive ones), of what is here at `now`.

    Two queries for up to 400 mailboxes of the same period, and one for each part of a mailbox that keeps sent letters
    or drafts apart.
    """
    zone = ZoneInfo(account.time_zone)
    counted = [[0] * len(COUNTS) for _ in days]
    for group in groups_of(periods, mailboxes, now):
        for index, *numbers in _counts(group, days, zone, now):
            counted[index] = [one + more for one, more in zip(counted[index], numbers, strict=True)]
    whys = {why: sum(column) for why, column in zip(WHY, list(zip(*counted, strict=True))[len(FATES) :], strict=True)}
    found = (Day(day, *numbers[: len(FATES)]) for day, numbers in zip(days, counted, strict=True))
    return Calendar(tuple(found), {why: number for why, number in whys.items() if number})


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
                yield Group(period, Q(mailbox__in=some[start : start + AT_ONCE]), is_whole=True)


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


def _counts(group: Group, days: Sequence[date], zone: ZoneInfo, now: datetime) -> Iterator[tuple[int, ...]]:
    """Which of the days, then the numbers of FATES and WHY."""
    spans = [(index, span) for index, day in enumerate(days) if (span := group.span(*_bounds(day, zone, now)))]
    if group.is_whole and spans:
        yield from _of_hours(group, spans)
    parts = []
    for index, span in spans:
        for part in span.ends if group.is_whole else (span,):
            letters = Message.objects.filter(group.where & part.letters, binned_at=None).order_by()
            parts.append(letters.values_list(Value(index, output_field=IntegerField())).annotate(**COUNTS))
    if parts:
        yield from parts[0].union(*parts[1:], all=True)


def _of_hours(group: Group, spans: Sequence[tuple[int, Span]]) -> Iterator[tuple[int, ...]]:
    """As `_counts`, of the whole hours in spans that follow each other: one query, whatever the number of spans."""
    known = Tally.objects.filter(group.where, Span(spans[0][1].after, spans[-1][1].until).inner_hours, is_binned=False)
    following = iter(spans)
    index, span = next(following)
    for hour, *sums in known.values_list("hour").annotate(**SUMS).order_by("hour"):
        while span.until is not None and hour > span.until:
            index, span = next(following)
        if span.has_hour(hour):
            yield index, *sums


def _bounds(day: date, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """The moments of a day that are still to come: its first, and the first of the next day."""
    start = datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)  # in UTC, or hours are those of the wall clock
    end = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    return max(start, now + MICROSECOND), end
