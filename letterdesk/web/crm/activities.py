"""CRM › Activities: all letters that CRM keeps and one may see, on every plan (R8)."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.http import urlencode

from letterdesk.accounts.models import Employee
from letterdesk.crm.activities.timeline import ActivityFilter, activity_page
from letterdesk.crm.models import Direction
from letterdesk.lib.keyset import BadCursor
from letterdesk.web.crm.records import crm_facts
from letterdesk.web.crm.words import BY_KIND
from letterdesk.web.request import Request

KEYS = ("q", "direction", "kind", "who", "since", "until", "files")


def activities(request: Request) -> HttpResponse:
    """GET /crm/activities?q=&direction=&kind=&who=&since=&until=&files=&before=: newest first, page by page."""
    wanted, days = _wanted(request)
    try:
        page, following = activity_page(request.employee, wanted, before=request.GET.get("before", ""))
    except BadCursor:
        return redirect("activities")
    asked = {key: request.GET[key] for key in KEYS if request.GET.get(key)}
    facts: dict[str, Any] = {
        **crm_facts("activities"),
        "wanted": wanted,
        "since": days[0],
        "until": days[1],
        "directions": Direction.choices,
        "colleagues": Employee.objects.visible_to(request.employee).working().order_by("name"),
        "activities": page,
        "is_filtered": wanted != ActivityFilter(),
        "older": f"?{urlencode(asked | {'before': following})}" if following else "",
        "newest": f"?{urlencode(asked)}" if request.GET.get("before") else "",
    }
    return render(request, "web/crm/activities.html", facts)


def _wanted(request: Request) -> tuple[ActivityFilter, tuple[date | None, date | None]]:
    """What the form asks for; days are those of the reader's clock, the last one included."""
    asked = request.GET
    since, until = _day(asked.get("since", "")), _day(asked.get("until", ""))
    wanted = ActivityFilter(
        direction=asked.get("direction", "") if asked.get("direction") in Direction.values else "",
        kind=asked.get("kind", "") if asked.get("kind") in BY_KIND else "",
        responsible=asked.get("who", "")[:16],
        has_attachments=asked.get("files") == "yes",
        words=asked.get("q", "").strip()[:200],
    )
    if since:
        wanted = replace(wanted, since=_begin_of(since))
    if until:
        wanted = replace(wanted, until=_begin_of(until + timedelta(days=1)))
    return wanted, (since, until)


def _day(typed: str) -> date | None:
    try:
        found = parse_date(typed)
    except ValueError:
        return None
    return found if found and 1970 <= found.year < 9000 else None


def _begin_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
