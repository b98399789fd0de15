"""The calendar of what leaves when: days with their counts, the letters of a day, and the days under another plan."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from letterdesk.accounts.models import Employee
from letterdesk.lib.keyset import BadCursor, page_of
from letterdesk.mailboxes.models import Mailbox, Message, Placement
from letterdesk.mailboxes.retention.calendar import Calendar, calendar, days_from, groups_of, letters_of_day
from letterdesk.mailboxes.retention.letters import storage_line
from letterdesk.mailboxes.retention.own_times import periods_of, periods_under
from letterdesk.mailboxes.retention.periods import Periods
from letterdesk.web.account.plan_notice import turn_shown
from letterdesk.web.request import Request

ACCOUNT = "account"  # ?of=account: the counts of all mailboxes, for administrators; never a letter
PER_PAGE = 50
SIMULATED = 30  # days
MOST_MONTHS = 120


@require_GET
def leaving_calendar(request: Request) -> HttpResponse:
    """GET /plan/calendar?month=2026-12&of=account: what leaves on the days of a month."""
    me, now = request.employee, timezone.now()
    whole = me.is_administrator and request.GET.get("of") == ACCOUNT
    mailboxes, periods = _mailboxes(me, whole=whole), periods_of(me.account, now)
    first = _today(me, now).replace(day=1)
    last = _last_month(periods, mailboxes, me, now)
    month = min(max(_month(request.GET.get("month", ""), first), first), last)
    days = [day for day in days_from(month, 31) if day.month == month.month]
    facts = {
        "area": "plan",
        "month": month,
        "today": _today(me, now),
        "before": _months_after(month, -1) if month > first else None,
        "after": _months_after(month, 1) if month < last else None,
        "of": ACCOUNT if whole else "",
        "seen": (seen := calendar(me.account, mailboxes, days, periods=periods, now=now)),
        "reasons": reasons_told(seen),
        "is_open": not whole,
        "has_none": not mailboxes,
        "endless": not any(groups_of(periods, mailboxes, now)),
        "turn": turn_shown(me, now),
    }
    return render(request, "web/plan/calendar.html", facts)


@require_GET
def leaving_day(request: Request, day: str) -> HttpResponse:
    """GET /plan/calendar/2026-12-24: the letters that leave on that day, of mailboxes that one reads."""
    me, now = request.employee, timezone.now()
    periods, zone = periods_of(me.account, now), ZoneInfo(me.account.time_zone)
    groups = list(groups_of(periods, _mailboxes(me, whole=False), now))
    shown: QuerySet[Any] = Message.objects.visible_to(me).select_related("account", "mailbox", "conversation")
    try:
        letters = letters_of_day(shown, groups, wanted := _day(day), zone=zone, now=now)
        page, older = page_of(letters, "received_at", before=request.GET.get("before", ""), limit=PER_PAGE)
    except (BadCursor, OverflowError, ValueError) as error:
        raise Http404 from error
    places = _places(me, page)
    lines = [
        (each, places.get(each.pk), storage_line(each, now, period=groups[each.group].period, holds=()))
        for each in page
    ]
    return render(request, "web/plan/day.html", {"area": "plan", "day": wanted, "lines": lines, "older": older})


def simulated(me: Employee, plan_days: int | None, *, now: datetime) -> Calendar:
    """What would leave in the next 30 days if the account kept letters by another plan from now on.

    The account's for an administrator, that of one's own mailboxes for others.
    """
    periods = periods_under(me.account, plan_days, now=now)
    mailboxes = _owned(me)
    return calendar(me.account, mailboxes, days_from(_today(me, now), SIMULATED), periods=periods, now=now)


def reasons_told(seen: Calendar) -> list[str]:
    """Why letters are kept, in words, the most frequent reason first."""
    ordered = sorted(seen.reasons.items(), key=lambda each: -each[1])
    return [_reason(reason, count) % {"n": f"{count:,}"} for reason, count in ordered]


def _reason(reason: str, count: int) -> str:
    if reason == "task":
        return ngettext("%(n)s linked to a task", "%(n)s linked to tasks", count)
    if reason == "legal":
        return ngettext("%(n)s on legal hold", "%(n)s on legal hold", count)
    return ngettext("%(n)s held for another reason", "%(n)s held for other reasons", count)


def _mailboxes(me: Employee, *, whole: bool) -> list[int]:
    """Those that one reads; as an administrator, on demand, all of the account (P9)."""
    known = Mailbox.objects.administered_by(me) if whole else Mailbox.objects.visible_to(me)
    return list(known.values_list("pk", flat=True))


def _places(me: Employee, letters: Sequence[Message]) -> dict[int, str]:
    """A folder in which each of these letters lies, by its public id."""
    placed = Placement.objects.visible_to(me).filter(message__in=[each.pk for each in letters]).shown()
    return dict(placed.order_by("-pk").values_list("message_id", "folder__public_id"))


def _owned(me: Employee) -> list[int]:
    if me.is_administrator:
        return _mailboxes(me, whole=True)
    return list(Mailbox.objects.visible_to(me).filter(owner=me).values_list("pk", flat=True))


def _today(me: Employee, now: datetime) -> date:
    return now.astimezone(ZoneInfo(me.account.time_zone)).date()


def _last_month(periods: Periods, mailboxes: Sequence[int], me: Employee, now: datetime) -> date:
    """The month in which a letter that is received now leaves, at the latest."""
    ends = [group.period.leaves_at(now) for group in groups_of(periods, mailboxes, now)]
    latest = max((end for end in ends if end is not None), default=now)
    this = _today(me, now).replace(day=1)
    return min(max(_today(me, latest + timedelta(days=1)).replace(day=1), this), _months_after(this, MOST_MONTHS))


def _months_after(month: date, count: int) -> date:
    number = month.year * 12 + month.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)


def _month(written: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(f"{written}-01")
    except ValueError:
        return otherwise


def _day(written: str) -> date:
    day = date.fromisoformat(written)
    if not 2000 <= day.year <= 2999:
        raise ValueError(written)
    return day
