"""Views of CRM's lists: kept, shared, put in one's own order and forgotten by forms, and what a list shows of them."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.crm.models import ListView
from letterdesk.crm.records.views import BadView, change, move, query_of, save, views_of
from letterdesk.web.crm.list_columns import columns_kept
from letterdesk.web.crm.words import BY_KIND, BY_PLURAL, KindWords
from letterdesk.web.request import Request

OF_A_PAGE = {"before", "form", "columns"}  # what an address says beside its filters
STEPS = {"ahead": -1, "back": 1}


@require_POST
def list_views(request: Request) -> HttpResponse:
    """POST /crm/views: keep the list of `of` (contacts …) with the filters of `query` under `name`; `share`: "all"."""
    words = BY_PLURAL.get(request.POST.get("of", ""))
    if words is None:
        raise Http404
    query = query_of(_filters(QueryDict(request.POST.get("query", "")[:4000])))
    try:
        save(request.employee, words.kind, query, name=request.POST.get("name", ""), is_everyones=_is_shared(request))
        messages.success(request, _("Saved. It stands above the list, and in the palette."))
    except BadView as error:
        messages.error(request, str(error))
    return redirect(_address(words, query))


@require_POST
def list_view(request: Request, list_view_id: str) -> HttpResponse:
    """POST /crm/views/<id>: another `name`, another `share`; by its author, or an administrator."""
    view = _editable(request, list_view_id)
    try:
        change(view, name=request.POST.get("name", ""), is_everyones=_is_shared(request))
        messages.success(request, _("Saved."))
    except BadView as error:
        messages.error(request, str(error))
    return redirect(address_of(view))


@require_POST
def list_view_place(request: Request, list_view_id: str) -> HttpResponse:
    """POST /crm/views/<id>/place `to`: "ahead" or "back" in the reader's own order."""
    found = get_object_or_404(ListView.objects.visible_to(request.employee), public_id=list_view_id)
    to = request.POST.get("to", "")
    if to not in STEPS:
        raise Http404
    move(request.employee, found, by=STEPS[to])
    return redirect(address_of(found))


@require_POST
def list_view_removal(request: Request, list_view_id: str) -> HttpResponse:
    """POST /crm/views/<id>/removal: forget it, for all who see it; the list stays as it is."""
    found = _editable(request, list_view_id)
    found.delete()
    if found.is_everyones:
        messages.success(request, _("Forgotten, for everyone with whom it was shared."))
    return redirect(address_of(found))


def list_view_facts(request: Request, words: KindWords) -> dict[str, Any]:
    """What a list shows of its views: all of them, which of them it is, and what would be kept. One query."""
    query = query_of(_filters(request.GET))
    beside = [pair for pair in _filters(request.GET) if pair[0] != "column"]
    columns = [("column", each) for each in columns_kept(request, words).get("column", ())]
    shown = views_of(request.employee, words.kind)
    lines = [{"view": each, "address": address_of(each), "is_now": each.query == query} for each in shown]
    now = next((line for line in lines if line["is_now"]), None)
    place = lines.index(now) if now else -1
    return {
        "views": lines,
        "view_now": now["view"] if now else None,
        "view_is_first": place == 0,
        "view_is_last": place == len(lines) - 1,
        "view_query": query,
        "view_to_keep": query_of([*beside, *columns]),
    }


def address_of(view: ListView) -> str:
    """The list that a view is."""
    return _address(BY_KIND[view.kind], view.query)


def _address(words: KindWords, query: str) -> str:
    return f"{reverse('records', args=[words.plural])}{f'?{query}' if query else ''}"


def _filters(asked: QueryDict) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, values in asked.lists() for value in values if name not in OF_A_PAGE)


def _is_shared(request: Request) -> bool:
    return request.POST.get("share") == "all"


def _editable(request: Request, list_view_id: str) -> ListView:
    found: ListView = get_object_or_404(ListView.objects.editable_by(request.employee), public_id=list_view_id)
    return found
