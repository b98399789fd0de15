"""Deadlines as days of the reader's clock, as pure functions: columns of the board, weeks of the calendar."""

from datetime import date, datetime, time, timedelta, tzinfo

from .models import Task

OVERDUE, TODAY, WEEK, LATER, NONE = COLUMNS = ("overdue", "today", "week", "later", "none")
FRIDAY, SUNDAY = 4, 6
USUAL = time(18, 0)  # when a task is due that got a day and no time
LATEST = time(23, 59)


def column_of(task: Task, local: datetime) -> str:
    """One of COLUMNS: how far away the deadline is, as the reader's clock says it."""
    if task.deadline is None:
        return NONE
    if task.is_overdue(local):
        return OVERDUE
    day = task.deadline.astimezone(local.tzinfo).date()
    if day <= local.date():
        return TODAY
    return WEEK if day <= week_of(local.date())[-1] else LATER


def day_of(column: str, today: date) -> date | None:
    """The day on which a task is due that is put into that column; None: the column takes none.

    This week is its Friday while that lies ahead, then its Sunday; later begins with the next Monday.
    """
    monday = week_of(today)[0]
    friday, sunday = monday + timedelta(days=FRIDAY), monday + timedelta(days=SUNDAY)
    if column == WEEK:
        return friday if today < friday else sunday if today < sunday else None
    return {TODAY: today, LATER: monday + timedelta(days=7)}.get(column)


def on_day(day: date, before: datetime | None, local: datetime) -> datetime:
    """The deadline on that day: at the time of day that it had, else at 18:00; today never at a time that is over."""
    at = before.astimezone(local.tzinfo).time() if before else USUAL
    if day == local.date() and at <= local.time():
        at = LATEST
    return datetime.combine(day, at, tzinfo=local.tzinfo)


def week_of(day: date) -> list[date]:
    """The seven days of its week, from Monday on."""
    monday = day - timedelta(days=day.weekday())
    return [monday + timedelta(days=number) for number in range(7)]


def month_of(day: date) -> list[list[date]]:
    """The weeks of its month, whole: the first and the last may reach into the neighbours."""
    first = week_of(day.replace(day=1))
    weeks = [first]
    while (then := weeks[-1][-1] + timedelta(days=1)).month == day.month:
        weeks.append(week_of(then))
    return weeks


def span(first: date, last: date, zone: tzinfo | None) -> tuple[datetime, datetime]:
    """From the beginning of the first day to the end of the last one in that zone: from, and before."""
    midnights = (first, last + timedelta(days=1))
    begin, end = (datetime.combine(day, time.min, tzinfo=zone) for day in midnights)
    return begin, end
