"""The search page where the plan has no Webmail (R2): it finds what stands in CRM, which each plan has (R8)."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from letterdesk.accounts.zones import zone_of
from letterdesk.mailboxes.search.query import BadQuery, Node, parse_query
from letterdesk.mailboxes.search.saved import remember
from letterdesk.web.crm.records import crm_facts
from letterdesk.web.crm.search import crm_count, crm_page
from letterdesk.web.request import Request
from letterdesk.web.search.paging import PAGE, next_page, offset_of
from letterdesk.web.search.saved import view_facts
from letterdesk.web.search.words import chips, wider


def crm_alone(request: Request, query: str, now: datetime) -> HttpResponse:
    """Records and letters in CRM, as far as the reader sees them, and the searches of before; of Webmail nothing."""
    facts: dict[str, Any] = {"query": query, "show": "crm", "status": 200}
    try:
        facts |= _found(request, query, now) if query else {}
    except BadQuery as error:
        facts |= {"bad_query": str(error), "status": 422}
    facts |= crm_facts("search") | {"area": "search", "chips": chips(query, _address)} | view_facts(request, query)
    return render(request, "web/search/crm_alone.html", facts, status=facts["status"])


def _found(request: Request, query: str, now: datetime) -> dict[str, Any]:
    tree, offset = _tree(request, query, now), offset_of(request)
    facts = crm_page(request.employee, tree, now=now, most=PAGE, offset=offset)
    if offset == 0 and not request.htmx:
        remember(request.employee, query[:1000], now=now)
    is_empty = not facts["crm_records"] and not facts["crm_letters"] and offset == 0
    return {
        **facts,
        **next_page(offset, lambda start: _address(query, start), most=PAGE, goes_on=facts["crm_goes_on"]),
        "is_further": offset > 0,
        "wider": wider(query, lambda less: _count(request, less, now)) if is_empty else [],
    }


def _count(request: Request, query: str, now: datetime) -> tuple[int, bool, str]:
    """How many records and letters another query finds, whether more, and its address."""
    count, more = crm_count(request.employee, _tree(request, query, now), now=now, most=PAGE)
    return count, more, _address(query)


def _tree(request: Request, query: str, now: datetime) -> Node | None:
    """Raises BadQuery."""
    return parse_query(query, now=now, zone=zone_of(request.employee), me=request.employee.pk)


def _address(query: str, offset: int = 0) -> str:
    asked = {"q": query, **({"from": offset} if offset else {})}
    return f"{reverse('search')}?{urlencode(asked)}"
