"""How many letters there are, without counting them: the database keeps a number for each hour of receipt.

The triggers of migration 0027 write the numbers in the statements that change letters (docs/decisions/0018). A range of
dates is the numbers of its whole hours and the letters of its two ends, which are counted; so the sum is exact.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet, Sum

from letterdesk.events.record import record

from . import rows
from .models import Mailbox, Message, Tally
from .retention.periods import MICROSECOND

HOUR = timedelta(hours=1)
KEY = "hour, is_held, held_by_task, held_by_law, in_crm, is_binned"
_OF_LETTERS = {
    "sqlite": "substr(received_at, 1, 13) || ':00:00'",
    "postgresql": "date_trunc('hour', received_at, 'UTC')",
}
_PUT = f"""
    INSERT INTO mailboxes_tally (account_id, mailbox_id, {KEY}, slot, number)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 0, %s)
    ON CONFLICT (mailbox_id, {KEY}, slot) DO UPDATE SET number = mailboxes_tally.number + excluded.number
    """  # noqa: S608  no value from outside
_DRIFT = """
    SELECT {key}, SUM(number) FROM (
        SELECT {hour} AS hour, is_held, held_by_task, held_by_law, in_crm, binned_at IS NOT NULL AS is_binned,
            1 AS number
        FROM mailboxes_message WHERE mailbox_id = %s
        UNION ALL SELECT {key}, -number FROM mailboxes_tally WHERE mailbox_id = %s
    ) AS compared GROUP BY {key} HAVING SUM(number) <> 0
    """


@dataclass(frozen=True, slots=True)
class Span:
    """Dates of receipt later than `after`, up to and with `until`; None: whatever they are."""

    after: datetime | None = None
    until: datetime | None = None

    @property
    def letters(self) -> Q:
        """The condition on letters."""
        young = Q() if self.after is None else Q(received_at__gt=self.after)
        return young if self.until is None else young & Q(received_at__lte=self.until)

    @property
    def hours(self) -> Q | None:
        """The condition on tallies: whole hours; None: there is none."""
        first, last = self._bounds()
        if first is not None and last is not None and first >= last:
            return None
        later = Q() if first is None else Q(hour__gte=first)
        return later if last is None else later & Q(hour__lt=last)

    @property
    def inner_hours(self) -> Q:
        """As `hours`; a condition that nothing meets where there is none."""
        return Q(pk__in=[]) if (hours := self.hours) is None else hours

    def has_hour(self, hour: datetime) -> bool:
        """Whether all moments of this hour are within."""
        first, last = self._bounds()
        return (first is None or first <= hour) and (last is None or hour < last)

    @property
    def ends(self) -> "Iterator[Span]":
        """What the whole hours leave out."""
        first, last = self._bounds()
        if first is not None and last is not None and first >= last:
            yield self
            return
        if first is not None and self.after is not None and self.after < first - MICROSECOND:
            yield Span(self.after, first - MICROSECOND)
        if last is not None and self.until is not None and last - MICROSECOND < self.until:
            yield Span(last - MICROSECOND, self.until)

    def _bounds(self) -> tuple[datetime | None, datetime | None]:
        """The first moments of the first whole hour and of that after the last."""
        first = None if self.after is None else _floor(self.after + HOUR)
        return first, None if self.until is None else _floor(self.until + MICROSECOND)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Letters that nothing holds, how many of those CRM keeps a copy of, and letters that are held."""

    free: int = 0
    in_crm: int = 0
    held: int = 0


def numbers(spans: Mapping[int, Span]) -> dict[int, Numbers]:
    """The letters of these mailboxes that were received in these spans, those in a bin included.

    Two queries for all of them; one where no span ends within an hour.
    """
    hours, ends = Q(pk__in=[]), Q(pk__in=[])
    for span in set(spans.values()):
        here = Q(mailbox__in=[mailbox for mailbox, its in spans.items() if its == span])
        hours |= here & span.inner_hours
        for end in span.ends:
            ends |= here & end.letters
    found: dict[int, Numbers] = {}
    for some, number in ((Tally.objects.filter(hours), Sum("number")), (Message.objects.filter(ends), Count("pk"))):
        for mailbox, is_held, in_crm, count in _grouped(some, number):
            found[mailbox] = _plus(found.get(mailbox, Numbers()), count, is_held=is_held, in_crm=in_crm)
    return found


def _grouped(some: QuerySet[Any], number: Sum | Count) -> QuerySet[Any, Any]:
    found: QuerySet[Any, Any] = some.order_by().values_list("mailbox", "is_held", "in_crm").annotate(count=number)
    return found


def _plus(one: Numbers, count: int, *, is_held: bool, in_crm: bool) -> Numbers:
    if is_held:
        return replace(one, held=one.held + count)
    return replace(one, free=one.free + count, in_crm=one.in_crm + count * in_crm)


def fold(mailbox: Mailbox) -> None:
    """Add up what single transactions left, and forget hours without a letter. The numbers stay the same."""
    with transaction.atomic():
        Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)
        parts = rows.run_returning(
            f"DELETE FROM mailboxes_tally WHERE mailbox_id = %s AND slot <> 0 RETURNING {KEY}, number",  # noqa: S608
            [mailbox.pk],
        )
        sums: dict[tuple[object, ...], int] = {}
        for *key, number in parts:
            sums[tuple(key)] = sums.get(tuple(key), 0) + number
        _put(mailbox, sums)
        rows.run("DELETE FROM mailboxes_tally WHERE mailbox_id = %s AND number = 0", [mailbox.pk])


def check(mailbox: Mailbox) -> list[str]:
    """Hours whose number is not that of their letters; empty: all is exact."""
    return [f"hour {key[0]}: {number:+d}" for key, number in _drift(mailbox).items()]


def audit(mailbox: Mailbox) -> int:
    """Count the letters anew: where the numbers differ the letters win, and it is told. Returns how many hours did."""
    with transaction.atomic():
        Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)
        if drift := _drift(mailbox):
            _put(mailbox, drift)
            record(
                "tally.repaired", account=mailbox.account, topic=mailbox.topic, subject=mailbox.topic, count=len(drift)
            )
    return len(drift)


def _drift(mailbox: Mailbox) -> dict[tuple[object, ...], int]:
    """What is to be added to the numbers of each hour: one statement, so letters and numbers are of one moment."""
    statement = _DRIFT.format(key=KEY, hour=_OF_LETTERS[connection.vendor])
    found = rows.run_returning(statement, [mailbox.pk, mailbox.pk])
    return {tuple(key): int(number) for *key, number in found}


def _put(mailbox: Mailbox, numbers: dict[tuple[object, ...], int]) -> None:
    rows.run_many(_PUT, [(mailbox.account_id, mailbox.pk, *key, number) for key, number in numbers.items()])


def _floor(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
