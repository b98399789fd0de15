"""Records that look like one: the pairs, and the page on which two are made one, with what becomes of them."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from letterdesk.crm.models import Record
from letterdesk.crm.records.duplicates import Alike, Pair, doubles_of, pairs_of, tell_apart
from letterdesk.crm.records.lists import with_facts, with_words
from letterdesk.crm.records.merge import Preview, merge, preview
from letterdesk.tasks.bind import tasks_of
from letterdesk.web.crm.letter import record_named
from letterdesk.web.crm.record import REFUSALS, editable
from letterdesk.web.crm.records import crm_facts
from letterdesk.web.crm.words import BY_KIND
from letterdesk.web.request import Request

MOST_PAIRS = 50
MOST_FOUND = 20
MOST_DOUBLES = 3  # beside a record
ALIKE: dict[Alike, str | Promise] = {
    Alike.ADDRESS: gettext_lazy("The same address:"),
    Alike.PHONE: gettext_lazy("The same telephone number, ending in:"),
    Alike.NAME: gettext_lazy("The same name:"),
}
LABELS: dict[str, str | Promise] = {
    "name": gettext_lazy("Name"),
    "position": gettext_lazy("Position"),
    "company": gettext_lazy("Company"),
    "contact": gettext_lazy("Contact"),
    "stage": gettext_lazy("Stage"),
    "amount": gettext_lazy("Amount"),
    "currency": gettext_lazy("Currency"),
    "responsible": gettext_lazy("Responsible"),
    "came_from": gettext_lazy("Source"),
}


def duplicates(request: Request) -> HttpResponse:
    """GET /crm/duplicates: pairs that look like one. POST `record` and `other`: these two are not the same."""
    if request.method == "POST":
        one, other = record_named(request, "record"), record_named(request, "other")
        if one.pk != other.pk:
            tell_apart(one, other, by=request.employee, now=timezone.now())
            messages.success(request, _("Remembered: %(one)s is not %(other)s.") % {"one": one, "other": other})
        return redirect("duplicates")
    found = pairs_of(request.employee, most=MOST_PAIRS)
    facts = {"pairs": _in_words(found), "is_full": len(found) == MOST_PAIRS}
    return render(request, "web/crm/duplicates.html", {**crm_facts("duplicates"), **facts})


@require_safe
def doubles(request: Request, record_id: str) -> HttpResponse:
    """GET /crm/records/<id>/doubles: those that look like this one, which its page fetches; nothing where none does."""
    mine = Record.objects.editable_by(request.employee).present().prefetch_related("addresses", "phones")
    record = get_object_or_404(mine, public_id=record_id)
    return render(request, "web/crm/doubles.html", {"into": record, "doubles": _doubles(request, record)})


def merging(request: Request, record_id: str) -> HttpResponse:
    """GET /crm/records/<id>/merging?with=&q=: what becomes of the two, or with whom. POST `other`: make them one.

    `take` names the fields in which the other is right.
    """
    into = editable(request, record_id)
    if request.method == "POST":
        return _merged(request, into)
    named = request.GET.get("with", "")
    if not named:
        return _ask(request, into)
    mine = with_facts(Record.objects.editable_by(request.employee).present(), request.employee)
    other = get_object_or_404(mine.prefetch_related("phones"), public_id=named)
    try:
        told = preview(into, other)
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect("record_merging", into.public_id)
    facts = {
        **crm_facts(BY_KIND[into.kind].plural),
        "into": into,
        "other": other,
        "told": told,
        "choices": _choices(told),
        "tasks": tasks_of(other, request.employee),
    }
    return render(request, "web/crm/merging.html", facts)


def _merged(request: Request, into: Record) -> HttpResponse:
    other = record_named(request, "other")
    take = [name for name, said in request.POST.items() if said == "other"]
    try:
        merge(into, other, by=request.employee, now=timezone.now(), take=take)
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect("record_merging", into.public_id)
    messages.success(request, _("They are one now. The other lies in the bin for 30 days, as it was."))
    return redirect("record", into.public_id)


def _ask(request: Request, into: Record) -> HttpResponse:
    """The records of the same kind that one may choose from."""
    words = request.GET.get("q", "").strip()[:200]
    mine = Record.objects.editable_by(request.employee).present().filter(kind=into.kind).exclude(pk=into.pk)
    found = with_facts(with_words(mine, words), request.employee).order_by("-active_at", "-pk")
    shown = list(found[: MOST_FOUND + 1])
    first = MOST_FOUND if len(shown) > MOST_FOUND else 0
    facts = {"into": into, "query": words, "found": shown[:MOST_FOUND], "found_first": first}
    facts["doubles"] = [] if words else _doubles(request, into)
    facts |= crm_facts(BY_KIND[into.kind].plural)
    return render(request, "web/crm/merging_with.html", facts)


def _doubles(request: Request, record: Record) -> list[dict[str, Any]]:
    return _in_words(doubles_of(record, request.employee, most=MOST_DOUBLES))


def _in_words(pairs: list[Pair]) -> list[dict[str, Any]]:
    return [{"pair": pair, "alike": ALIKE[pair.alike], "words": BY_KIND[pair.first.kind]} for pair in pairs]


def _choices(told: Preview) -> list[dict[str, Any]]:
    """The fields in which they differ, in words: of a company or contact only what the reader may see is known here."""
    return [
        {"name": each.name, "label": each.label or LABELS[each.name], "mine": str(each.mine), "other": str(each.other)}
        for each in told.choices
    ]
