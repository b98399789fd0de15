"""The lists of CRM: contacts, companies, leads, deals; on every plan, also where there is no Webmail (R8)."""

from dataclasses import replace
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from letterdesk.accounts.models import Employee
from letterdesk.crm.labels import labels_of
from letterdesk.crm.lists import RecordFilter, record_page
from letterdesk.crm.stages import pipelines_among, stages_for
from letterdesk.lib.keyset import BadCursor
from letterdesk.web.crm_words import BY_PLURAL, KINDS, KindWords
from letterdesk.web.record_board import board_facts
from letterdesk.web.request import Request


def crm(_request: Request) -> HttpResponse:
    """GET /crm: on to all activities."""
    return redirect("activities")


def records(request: Request, plural: str) -> HttpResponse:
    """GET /crm/<contacts|companies|leads|deals>?q=&who=&pipeline=&stage=&label=&before=: a list by activity.

    Of leads and deals with `view=board`: a board.
    """
    words = words_of(plural)
    wanted = wanted_of(request, words)
    if words.has_stages and request.GET.get("view") == "board":
        facts = _list_facts(request, words, wanted)
        board = board_facts(request, replace(wanted, stage=""), facts["stages"])
        return render(request, "web/crm/board.html", {**facts, **board, "is_board": True})
    try:
        page, following = record_page(request.employee, wanted, before=request.GET.get("before", ""))
    except BadCursor:
        return redirect("records", plural)
    facts = {
        **_list_facts(request, words, wanted),
        "records": page,
        "older": f"?{urlencode(_asked(request) | {'before': following})}" if following else "",
        "newest": f"?{urlencode(_asked(request))}" if request.GET.get("before") else "",
    }
    return render(request, "web/crm/records.html", facts)


def _list_facts(request: Request, words: KindWords, wanted: RecordFilter) -> dict[str, Any]:
    """What list and board show alike."""
    return {
        **crm_facts(words.plural),
        "words": words,
        "wanted": wanted,
        "here": request.get_full_path(),
        "colleagues": Employee.objects.visible_to(request.employee).working().order_by("name"),
        "stages": (stages := stages_for(request.employee, words.kind) if words.has_stages else []),
        "pipelines": pipelines_among(stages),
        "labels": labels_of(request.employee.account),
        "asked": urlencode(_asked(request)),
        "is_filtered": bool(_asked(request)),
    }


def crm_facts(here: str) -> dict[str, Any]:
    """What every page of CRM needs: its area, its sub-navigation, and where in it one is."""
    return {"area": "crm", "kinds": KINDS, "crm_here": here}


def words_of(plural: str) -> KindWords:
    """The kind behind an address. Raises Http404."""
    if plural not in BY_PLURAL:
        raise Http404
    return BY_PLURAL[plural]


def wanted_of(request: Request, words: KindWords) -> RecordFilter:
    """What of a list is asked for."""
    who = request.GET.get("who", "")
    return RecordFilter(
        kind=words.kind,
        is_mine=who == "me",
        responsible="" if who == "me" else who[:16],
        pipeline=request.GET.get("pipeline", "")[:16] if words.has_stages else "",
        stage=request.GET.get("stage", "")[:16] if words.has_stages else "",
        label=request.GET.get("label", "")[:16],
        words=request.GET.get("q", "").strip()[:200],
    )


def _asked(request: Request) -> dict[str, str]:
    return {key: request.GET[key] for key in ("q", "who", "pipeline", "stage", "label") if request.GET.get(key)}
