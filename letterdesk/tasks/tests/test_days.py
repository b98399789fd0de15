"""Deadlines as days of the reader's clock."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from letterdesk.tasks.days import column_of, day_of, month_of, on_day, span
from letterdesk.tasks.models import Task

BERLIN = ZoneInfo("Europe/Berlin")
TUESDAY = datetime(2026, 11, 24, 12, 0, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("days", "hours", "column"),
    [(0, 1, "today"), (0, -1, "overdue"), (1, 0, "week"), (6, 0, "later"), (7, 0, "later")],
)
def test_a_column_is_as_the_readers_clock_says(days, hours, column):
    assert column_of(Task(deadline=TUESDAY + timedelta(days=days, hours=hours)), TUESDAY) == column
    assert column_of(Task(), TUESDAY) == "none"


def test_what_is_due_after_midnight_here_is_not_due_today_though_it_is_in_utc():
    late = datetime(2026, 11, 24, 23, 30, tzinfo=ZoneInfo("UTC"))
    assert column_of(Task(deadline=late), TUESDAY) == "week"
    assert column_of(Task(deadline=late), TUESDAY.astimezone(ZoneInfo("UTC"))) == "today"


@pytest.mark.parametrize(
    ("column", "today", "day"),
    [
        ("today", "2026-11-24", "2026-11-24"),
        ("week", "2026-11-24", "2026-11-27"),  # its Friday
        ("week", "2026-11-27", "2026-11-29"),  # which is today: its Sunday
        ("week", "2026-11-29", None),  # it is over
        ("later", "2026-11-29", "2026-11-30"),
        ("overdue", "2026-11-24", None),
        ("none", "2026-11-24", None),
    ],
)
def test_each_column_puts_a_task_on_a_day(column, today, day):
    assert day_of(column, date.fromisoformat(today)) == (date.fromisoformat(day) if day else None)


@pytest.mark.parametrize("weekday", range(6))
def test_a_task_that_is_put_into_a_column_stands_in_it(weekday):
    local = TUESDAY + timedelta(days=weekday - 1)
    for column in ("today", "week", "later"):
        day = day_of(column, local.date())
        assert column_of(Task(deadline=on_day(day, TUESDAY - timedelta(days=9), local)), local) == column


def test_the_time_of_day_is_kept_and_today_it_is_never_over():
    nine = datetime(2026, 11, 2, 9, 0, tzinfo=BERLIN)
    assert on_day(date(2026, 11, 26), nine, TUESDAY).isoformat() == "2026-11-26T09:00:00+01:00"
    assert on_day(date(2026, 11, 26), None, TUESDAY).isoformat() == "2026-11-26T18:00:00+01:00"
    assert on_day(TUESDAY.date(), nine, TUESDAY).isoformat() == "2026-11-24T23:59:00+01:00"
    assert on_day(date(2027, 7, 1), nine, TUESDAY).isoformat() == "2027-07-01T09:00:00+02:00"  # summer


def test_a_month_has_whole_weeks_and_all_of_its_days():
    november = month_of(date(2026, 11, 24))
    assert (november[0][0], november[-1][-1], len(november)) == (date(2026, 10, 26), date(2026, 12, 6), 6)
    assert len(month_of(date(2027, 2, 1))) == 4
    assert month_of(date(2026, 12, 31))[-1][-1] == date(2027, 1, 3)


def test_a_day_lasts_from_midnight_to_midnight_also_where_the_clock_is_changed():
    begin, end = span(date(2026, 10, 25), date(2026, 10, 25), BERLIN)
    assert end.timestamp() - begin.timestamp() == 25 * 3600
