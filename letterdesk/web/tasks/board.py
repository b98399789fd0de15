"""The board and the calendar of tasks: places that a task is put into, by mouse, keys or menu (ux.md 1.16)."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from letterdesk.tasks.change import deadline_version
from letterdesk.tasks.days import COLUMNS, LATER, NONE, OVERDUE, TODAY, WEEK, column_of, day_of, month_of, span, week_of
from letterdesk.tasks.models import Status, Task
from letterdesk.web.request import Request
from letterdesk.web.tasks.filter import Filter

MOST = 300  # tasks on a board or in a calendar: more make every key slow (ux.md 0.5)
MOST_DONE = 20
MOST_IN_A_DAY = 4  # in a month; the week shows all of them
MOST_UNDATED = 40


def board(request: Request, asked: Filter, now: datetime) -> HttpResponse:
    """GET /tasks?view=board&by=: a column for each status, or for how far away the deadline is (by=deadline)."""
    by = "deadline" if request.GET.get("by") == "deadline" else "status"
    open_ones = list(asked.found(request.employee, now, status="open")[: MOST + 1])
    columns = _by_deadline(open_ones[:MOST], now) if by == "deadline" else _by_status(request, asked, open_ones, now)
    orders = [(name, text, asked.address(by=name)) for name, text in _orders()]
    facts = {"by": by, "orders": orders, "columns": columns, "most": MOST, "is_cut": len(open_ones) > MOST}
    return render(request, "web/tasks/board.html", {**asked.facts(request), **facts})


def _orders() -> list[tuple[str, str]]:
    return [("", _("By status")), ("deadline", _("By deadline"))]


def _by_status(request: Request, asked: Filter, open_ones: list[Task], now: datetime) -> list[dict[str, Any]]:
    tasks: defaultdict[str, list[Task]] = defaultdict(list)
    for task in open_ones[:MOST]:
        tasks[task.status].append(task)
    tasks[Status.DONE] = list(asked.found(request.employee, now, status="done")[: MOST_DONE + 1])
    columns = [
        {"key": key, "name": name, "put": "status", "value": key, "cards": _cards(tasks[key][:MOST], now)}
        for key, name in Status.choices
    ]
    done = columns[-1]
    if len(tasks[Status.DONE]) > MOST_DONE:
        done |= {
            "cards": _cards(tasks[Status.DONE][:MOST_DONE], now),
            "more": asked.address(view="list", status="done"),
        }
    return columns


def _by_deadline(open_ones: list[Task], now: datetime) -> list[dict[str, Any]]:
    local = timezone.localtime(now)
    tasks: defaultdict[str, list[Task]] = defaultdict(list)
    for task in open_ones:
        tasks[column_of(task, local)].append(task)
    columns = []
    for key in COLUMNS:
        day = day_of(key, local.date())
        takes = key == NONE or day is not None
        value = day.isoformat() if day else ""
        cards = _cards(tasks[key], now)
        columns.append(
            {"key": key, "name": said(key), "put": "day" if takes else "", "value": value, "day": day, "cards": cards}
        )
    return columns


def said(column: str) -> str:
    """The column in words for people."""
    names = {OVERDUE: _("Overdue"), TODAY: _("Today"), WEEK: _("This week"), LATER: _("Later"), NONE: _("No date")}
    return names[column]


def _cards(tasks: Iterable[Task], now: datetime) -> list[dict[str, Any]]:
    return [
        {"task": task, "is_overdue": task.is_overdue(now), "deadline_seen": deadline_version(task)} for task in tasks
    ]


# The calendar


def calendar(request: Request, asked: Filter, now: datetime) -> HttpResponse:
    """GET /tasks?view=calendar&by=&day=: the month around a day, or its week (by=week), in the reader's time zone."""
    today = timezone.localtime(now).date()
    day, is_week = day_named(request.GET.get("day", "")) or today, request.GET.get("by") == "week"
    weeks = [week_of(day)] if is_week else month_of(day)
    begin, end = span(weeks[0][0], weeks[-1][-1], timezone.get_current_timezone())
    dated = asked.found(request.employee, now).filter(deadline__gte=begin, deadline__lt=end).order_by("deadline", "pk")
    found = list(dated[: MOST + 1])
    by = "week" if is_week else ""
    undated = asked.found(request.employee, now, status="open").filter(deadline=None)[:MOST_UNDATED]
    facts = {
        "by": by,
        "weeks": _weeks(weeks, found[:MOST], asked, day=day, today=today, now=now),
        "title": _title(day, weeks[0], is_week=is_week),
        "undated": _cards(undated, now),
        "earlier": asked.address(by=by, day=_step(day, -1, is_week=is_week).isoformat()),
        "later": asked.address(by=by, day=_step(day, 1, is_week=is_week).isoformat()),
        "today": asked.address(by=by),
        "spans": [(name, text, asked.address(by=name, day=day.isoformat())) for name, text in _spans()],
        "most": MOST,
        "is_cut": len(found) > MOST,
    }
    return render(request, "web/tasks/calendar.html", {**asked.facts(request), **facts})


def _spans() -> list[tuple[str, str]]:
    return [("", _("Month")), ("week", _("Week"))]


def _weeks(
    weeks: list[list[date]], found: list[Task], asked: Filter, *, day: date, today: date, now: datetime
) -> list[list[dict[str, Any]]]:
    tasks: defaultdict[date, list[Task]] = defaultdict(list)
    for task in found:
        if task.deadline is not None:
            tasks[timezone.localtime(task.deadline).date()].append(task)
    shown = MOST_IN_A_DAY if len(weeks) > 1 else MOST
    return [
        [
            {
                "day": each,
                "is_today": each == today,
                "is_beside": len(weeks) > 1 and each.month != day.month,
                "cards": _cards(tasks[each][:shown], now),
                "more": max(len(tasks[each]) - shown, 0),
                "week": asked.address(by="week", day=each.isoformat()),
            }
            for each in week
        ]
        for week in weeks
    ]


def _title(day: date, week: list[date], *, is_week: bool) -> str:
    if not is_week:
        return date_format(day, _("F Y"))
    return f"{date_format(week[0], _('j M'))} – {date_format(week[-1], _('j M Y'))}"


def _step(day: date, by: int, *, is_week: bool) -> date:
    """The week or the month before or after; a month by its first day."""
    if is_week:
        return day + timedelta(days=7 * by)
    first = day.replace(day=1)
    return (first - timedelta(days=1)).replace(day=1) if by < 0 else (first + timedelta(days=31)).replace(day=1)


def day_named(written: str) -> date | None:
    """The day that an address names as 2026-11-30, if it is one."""
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return None
    return day if 1900 <= day.year <= 9000 else None
