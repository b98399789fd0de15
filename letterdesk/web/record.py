"""The page of a record (W6): what is known, the letters with it, what belongs to it; each changed by a plain form."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from letterdesk.crm.lists import deals_of, people_of, with_facts
from letterdesk.crm.models import Kind, Record
from letterdesk.crm.timeline import in_talks, record_page
from letterdesk.lib.keyset import BadCursor
from letterdesk.web.activity_storage import storage_of
from letterdesk.web.crm_words import BY_KIND
from letterdesk.web.records import crm_facts, stages_of
from letterdesk.web.request import Request


def record(request: Request, record_id: str) -> HttpResponse:
    """GET /crm/records/<id>: the page, also in the bin."""
    seen = with_facts(Record.objects.visible_to(request.employee), request.employee)
    found = get_object_or_404(seen.prefetch_related("phones"), public_id=record_id)
    try:
        return page_with(request, found)
    except BadCursor:
        return redirect("record", found.public_id)


def page_with(request: Request, found: Record, *, status: int = 200, **more: Any) -> HttpResponse:
    """The page; with a form that was refused, opened at it. Http404 once its 30 days in the bin are over (R8)."""
    if found.deleted_at is not None and not Record.objects.in_bin(timezone.now()).filter(pk=found.pk).exists():
        raise Http404
    words = BY_KIND[found.kind]
    facts = {
        **crm_facts("bin" if found.deleted_at else words.plural),
        "record": found,
        "words": words,
        "stages": stages_of(request, words),
        "here": request.path,
        **_timeline(request, found),
        **_beside(request, found),
        **more,
    }
    return render(request, "web/crm/record.html", facts, status=status)


def _timeline(request: Request, found: Record) -> dict[str, Any]:
    """The letters, grouped by conversation, each with why it stands here and what became of it in Webmail (R6, R7)."""
    bindings, following = record_page(found, before=request.GET.get("before", ""))
    for binding in bindings:
        binding.activity.binding = binding
    activities = [binding.activity for binding in bindings]
    return {
        "talks": in_talks(activities),
        "storage": storage_of(activities, request.employee.account, timezone.now()),
        "older": f"?before={following}" if following else "",
        "newest": request.path if request.GET.get("before") else "",
    }


def _beside(request: Request, found: Record) -> dict[str, Any]:
    """What belongs to it: deals, and the people of a company."""
    me = request.employee
    return {
        "deals": deals_of([found.pk], me) if found.kind in {Kind.CONTACT, Kind.COMPANY} else [],
        "people": people_of(found, me) if found.kind == Kind.COMPANY else [],
    }
