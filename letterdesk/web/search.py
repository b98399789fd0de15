"""The results of a search: conversations, newest first, the words marked."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from letterdesk.mailboxes.models import Mailbox, Placement
from letterdesk.mailboxes.retention import Period
from letterdesk.mailboxes.search import BadQuery, Found, Hit
from letterdesk.mailboxes.search import search as find
from letterdesk.plans import limits
from letterdesk.web.request import Request
from letterdesk.web.sidebar import shelves, shown_name

PAGE = 50
DEEPEST = 1000  # results that a page can be opened at


def search(request: Request) -> HttpResponse:
    """GET /search?q=…&mailbox=…: what is in the reader's mailboxes; a query that cannot be read says why."""
    now, query = timezone.now(), request.GET.get("q", "").strip()
    limits.require(request.employee.account, integration=True, now=now)  # R2
    period = Period.of(request.employee.account, now)
    facts: dict[str, Any] = {"area": "search", "query": query, "hits": [], "status": 200}
    try:
        facts |= _found(request, query, now, period) if query else {}
    except BadQuery as error:
        facts |= {"bad_query": str(error), "status": 422}
    facts["place"] = {"shelves": shelves(request.employee, now, period=period)}
    return render(request, "web/search/page.html", facts, status=facts["status"])


def _found(request: Request, query: str, now: datetime, period: Period) -> dict[str, Any]:
    mailbox, offset = _mailbox(request), _offset(request)
    found = find(request.employee, query, now=now, mailbox=mailbox, limit=PAGE, offset=offset, period=period)
    return {
        "hits": [_entry(hit) for hit in _with_places(found)],
        "mailbox": mailbox,
        "next_address": _next_address(request, offset) if found.more and offset + PAGE < DEEPEST else "",
        "is_first_page": offset == 0,
    }


def _mailbox(request: Request) -> Mailbox | None:
    wanted = request.GET.get("mailbox", "")
    visible = Mailbox.objects.visible_to(request.employee)
    return get_object_or_404(visible, public_id=wanted) if wanted else None


def _offset(request: Request) -> int:
    text = request.GET.get("from", "")
    return min(int(text), DEEPEST) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _with_places(found: Found) -> list[Hit]:
    places = Placement.objects.shown().select_related("folder").order_by("pk")
    prefetch_related_objects([hit.message for hit in found.hits], Prefetch("placements", places))
    return found.hits


def _entry(hit: Hit) -> dict[str, Any]:
    places = list(hit.message.placements.all())
    folder = places[0].folder if places else None
    address = reverse("conversation", args=[folder.public_id, hit.conversation.public_id]) if folder else ""
    return {"hit": hit, "folder": shown_name(folder) if folder else "", "address": address}


def _next_address(request: Request, offset: int) -> str:
    kept = {key: request.GET[key] for key in ("q", "mailbox") if request.GET.get(key)}
    return f"{reverse('search')}?{urlencode({**kept, 'from': offset + PAGE})}"
