"""The lists of CRM: contacts, companies, leads, deals; on every plan, also where there is no Webmail (R8)."""

from dataclasses import replace
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.crm.models import OwnField
from letterdesk.crm.own.values import own_fields_of
from letterdesk.crm.records.labels import labels_of
from letterdesk.crm.records.lists import RecordFilter, record_page
from letterdesk.crm.records.stages import pipelines_among, stages_for, usable
from letterdesk.lib.keyset import BadCursor
from letterdesk.web.crm.list_columns import (
    chosen_columns,
    column_facts,
    columns_asked,
    sort_asked,
    sort_of,
    with_cells,
)
from letterdesk.web.crm.own_form import asked_of, filter_lines, filters_of, is_there, names_asked
from letterdesk.web.crm.record_board import board_facts
from letterdesk.web.crm.record_views import list_view_facts
from letterdesk.web.crm.words import BY_PLURAL, KINDS, KindWords
from letterdesk.web.request import Request

FILTERS = ("q", "who", "pipeline", "stage", "label")
OF_A_LIST = {"pipeline", "stage", "sort", "column"}  # a board has these its own way
BESIDE = ("view", "before", "form", "sort", "column", "r", "all")  # what an address says beside filters


def crm(_request: Request) -> HttpResponse:
    """GET /crm: on to all activities."""
    return redirect("activities")


def records(request: Request, plural: str) -> HttpResponse:
    """GET /crm/<contacts|companies|leads|deals>: a list by q, who, stage, label, own-<id> …; sort, column, before.

    Of leads and deals with `view=board`: a board. With `columns`: on to the list with the columns that are named.
    """
    words = words_of(plural)
    if answer := chosen_columns(request, words):
        return answer
    own = own_fields_of(request.employee.account, words.kind)
    wanted, gone = still_there(request, words, wanted_of(request, words, own), own)
    if words.has_stages and request.GET.get("view") == "board":
        facts = _list_facts(request, words, wanted, own) | gone_facts(gone)
        board = board_facts(request, replace(wanted, stage=""), facts["stages"], own)
        return render(request, "web/crm/board.html", {**facts, **board, "is_board": True})
    try:
        page, following = record_page(request.employee, wanted, before=request.GET.get("before", ""))
    except BadCursor:
        return redirect("records", plural)
    facts = _list_facts(request, words, wanted, own) | gone_facts(gone)
    asked = asked_in(request, wanted, own)
    facts |= {
        "records": with_cells(page, facts["columns"]),
        "may_use": (may := usable(facts["pipelines"], request.employee)),
        "may_pick": bool(may) or not words.has_stages,
        "older": f"?{urlencode(asked | {'before': following}, doseq=True)}" if following else "",
        "newest": f"?{urlencode(asked, doseq=True)}" if request.GET.get("before") else "",
    }
    return render(request, "web/crm/records.html", facts)


def _list_facts(request: Request, words: KindWords, wanted: RecordFilter, own: list[OwnField]) -> dict[str, Any]:
    """What list and board show alike."""
    asked = asked_in(request, wanted, own)
    people = Employee.objects.visible_to(request.employee)  # of those who left, the one who is asked for
    return {
        **crm_facts(words.plural),
        "words": words,
        "wanted": wanted,
        "here": request.get_full_path(),
        "colleagues": (people.working() | people.filter(public_id=wanted.responsible)).order_by("name"),
        "stages": (stages := stages_for(request.employee, words.kind) if words.has_stages else []),
        "pipelines": pipelines_among(stages),
        "labels": labels_of(request.employee.account),
        "own_filters": (lines := filter_lines(request.GET, own)),
        "is_own_refused": any(line["why"] for line in lines),
        "asked": urlencode(asked, doseq=True),
        "asked_in_both": urlencode({name: said for name, said in asked.items() if name not in OF_A_LIST}, doseq=True),
        "asked_beside_columns": [(name, value) for name, value in asked.items() if name != "column"],
        "is_filtered": not asked.keys() <= {"sort", "column"},
        **column_facts(request, words, own, sort=wanted.sort, asked=asked),
        **list_view_facts(request, words),
    }


def crm_facts(here: str) -> dict[str, Any]:
    """What every page of CRM needs: its area, its sub-navigation, and where in it one is."""
    return {"area": "crm", "kinds": KINDS, "crm_here": here}


def words_of(plural: str) -> KindWords:
    """The kind behind an address. Raises Http404."""
    if plural not in BY_PLURAL:
        raise Http404
    return BY_PLURAL[plural]


def wanted_of(request: Request, words: KindWords, own: list[OwnField]) -> RecordFilter:
    """What of a list is asked for; `own` are the own fields of its kind."""
    who = request.GET.get("who", "")
    is_mine = who in {"me", request.employee.public_id}
    return RecordFilter(
        kind=words.kind,
        is_mine=is_mine,
        responsible="" if is_mine else who[:16],
        pipeline=request.GET.get("pipeline", "")[:16] if words.has_stages else "",
        stage=request.GET.get("stage", "")[:16] if words.has_stages else "",
        label=request.GET.get("label", "")[:16],
        words=request.GET.get("q", "").strip()[:200],
        own=filters_of(request.GET, own),
        sort=sort_of(request.GET, words.kind, own),
    )


def still_there(
    request: Request, words: KindWords, wanted: RecordFilter, own: list[OwnField]
) -> tuple[RecordFilter, list[str]]:
    """The same without filters whose person, label, pipeline, stage or option is gone or closed to the reader, and what
    those are called, empty for what nobody knows: an address or a view may be older than what it asks for."""
    there: dict[str, set[str]] = {}
    if wanted.responsible:
        named = Employee.objects.visible_to(request.employee).filter(public_id=wanted.responsible)
        there["responsible"] = set(named.values_list("public_id", flat=True))
    if wanted.label:
        there["label"] = {each.public_id for each in labels_of(request.employee.account)}
    if wanted.pipeline or wanted.stage not in {"", "open"}:
        stages = stages_for(request.employee, words.kind)
        there["stage"] = {"open", *(each.public_id for each in stages)}
        there["pipeline"] = {each.public_id for each in pipelines_among(stages)}
    gone: dict[str, Any] = {name: "" for name, known in there.items() if getattr(wanted, name) not in {"", *known}}
    left = tuple(each for each in wanted.own if is_there(each))
    known = {*FILTERS, *names_asked(own), *BESIDE}
    unknown = [name for name in request.GET if name not in known and request.GET[name].strip()]
    called = {"responsible": _("Responsible"), "label": _("Label"), "pipeline": _("Pipeline"), "stage": _("Stage")}
    names = [called[name] for name in gone] + [each.field.name for each in wanted.own if each not in left]
    return replace(wanted, own=left, **gone), names + [""] * len(unknown)


def gone_facts(gone: list[str]) -> dict[str, Any]:
    """What a page says of filters that were left out."""
    return {"gone_filters": len(gone), "gone_names": [name for name in gone if name]}


def asked_in(request: Request, wanted: RecordFilter, own: list[OwnField]) -> dict[str, Any]:
    """All that the address of a list asks for, for links to the same."""
    asked = {key: request.GET[key] for key in FILTERS if request.GET.get(key)}
    return asked | asked_of(request.GET, own) | sort_asked(wanted.sort) | columns_asked(request)
