"""Many records of a list changed at once: what is chosen is shown first, what was done says so and can be taken back.

Plain forms, with no script: a list's ticks and filters go on in the address of the page on which one says what to do.
"""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from letterdesk.accounts.models import Employee
from letterdesk.crm.access import people_seen
from letterdesk.crm.jobs import change_many
from letterdesk.crm.models import ChangeOfMany, Label, Record
from letterdesk.crm.own.values import own_fields_of
from letterdesk.crm.records.bin import consequences
from letterdesk.crm.records.change_many import (
    AT_ONCE,
    KEPT,
    MOST,
    Chosen,
    NotSo,
    Wish,
    became,
    begin,
    choose,
    undo,
    work,
)
from letterdesk.crm.records.labels import labels_of
from letterdesk.crm.records.stages import stages_for
from letterdesk.mailboxes.labels import BadLabel
from letterdesk.web.crm.many_words import how_far, told
from letterdesk.web.crm.own_form import filter_lines
from letterdesk.web.crm.records import asked_in, crm_facts, gone_facts, still_there, wanted_of, words_of
from letterdesk.web.crm.words import BY_KIND, KindWords
from letterdesk.web.mail.acts import next_of
from letterdesk.web.request import Request

SHOWN = 8  # names of what is chosen
SHOWN_CHANGES = 100
What = ChangeOfMany.What


def many(request: Request, plural: str) -> HttpResponse:
    """GET /crm/<plural>/many, as the list, with `r`, ids of records, or `all`: how many that are, and what one may do.

    POST `change` (responsible, stage, label, unlabel, bin) with its field, `seen`: which ones the page spoke of.
    """
    words = words_of(plural)
    own = own_fields_of(request.employee.account, words.kind)
    wanted, gone = still_there(request, words, wanted_of(request, words, own), own)
    chosen = choose(request.employee, wanted, None if request.GET.get("all") else request.GET.getlist("r"))
    back = f"{reverse('records', args=[plural])}?{urlencode(asked_in(request, wanted, own), doseq=True)}"
    unread = [line for line in filter_lines(request.GET, own) if line["why"]]  # they ask for nothing
    facts = {"back": back.removesuffix("?"), "unread": unread, **gone_facts(gone)}
    if request.method != "POST":
        return _page(request, words, chosen, facts)
    if request.POST.get("seen", "") != chosen.version:
        why = _("Meanwhile these are others. Look at them again.")
        return _page(request, words, chosen, facts | {"error": why}, status=409)
    try:
        made = begin(_wish(request, words), chosen.keys, kind=words.kind, by=request.employee)
    except (NotSo, BadLabel) as error:
        return _page(request, words, chosen, facts | {"error": str(error)}, status=422)
    return _carry_out(request, made, to=facts["back"])


def _wish(request: Request, words: KindWords) -> Wish:
    """What the form asks for, found among what the reader may use. Raises Http404, NotSo."""
    me, what, to = request.employee, request.POST.get("change", ""), request.POST.get("to", "")
    if what == What.BIN:
        return Wish(what)
    if not to.strip():
        raise NotSo(_("Say what is to become of them."))
    if what == What.RESPONSIBLE:
        here = Employee.objects.visible_to(me).working()
        return Wish(what, responsible=get_object_or_404(here, public_id=to))
    if what == What.LABEL:
        return Wish(what, label=to)
    if what == What.UNLABEL:
        return Wish(what, label=get_object_or_404(Label.objects.visible_to(me), public_id=to))
    stages = {each.public_id: each for each in stages_for(me, words.kind, to_change=True)} if words.has_stages else {}
    if what != What.STAGE or to not in stages:
        raise Http404
    return Wish(what, stage=stages[to])


def _carry_out(request: Request, change: ChangeOfMany, *, to: str) -> HttpResponse:
    """Few at once, and on to `to`; many by a job, whose page says how far it is."""
    if change.total > AT_ONCE:
        change_many.later(change.pk)
        return redirect("change_of_many", change.public_id)
    while work(change.pk, now=timezone.now()):
        pass
    text = " ".join(told(change, became(change)))
    messages.success(request, text, extra_tags="" if change.undone_at else f"many-{change.public_id}")
    return redirect(to)


def _page(
    request: Request, words: KindWords, chosen: Chosen, facts: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    me = request.employee
    colleagues = list(Employee.objects.visible_to(me).working().order_by("name"))
    first = Record.objects.visible_to(me).in_bulk(chosen.keys[:SHOWN])
    facts |= {
        **crm_facts(words.plural),
        "words": words,
        "chosen": chosen,
        "count": len(chosen.keys),
        "shown": [first[pk].name for pk in chosen.keys[:SHOWN] if pk in first],
        "most": MOST,
        "here": request.get_full_path(),
        "colleagues": colleagues,
        "goes_out_of_sight": not {each.pk for each in colleagues} <= set(people_seen(me)),
        "stages": stages_for(me, words.kind, to_change=True) if words.has_stages else [],
        "labels": labels_of(me.account),
        "told": consequences(chosen.keys),
        "until": timezone.now() + KEPT,
    }
    return render(request, "web/crm/many.html", facts, status=status)


@require_safe
def changes_of_many(request: Request) -> HttpResponse:
    """GET /crm/changes: what the reader did with many records in the last 30 days."""
    mine = ChangeOfMany.objects.visible_to(request.employee).order_by("-at", "-pk")[:SHOWN_CHANGES]
    lines = [{"change": each, "words": BY_KIND[each.kind]} for each in mine]
    return render(request, "web/crm/many_changes.html", {**crm_facts(""), "lines": lines})


@require_safe
def change_of_many(request: Request, change_of_many_id: str) -> HttpResponse:
    """GET /crm/changes/<id>: how far it is, what became of the records, and a way to take it back."""
    found = get_object_or_404(ChangeOfMany.objects.visible_to(request.employee), public_id=change_of_many_id)
    counts, words = became(found), BY_KIND[found.kind]
    facts = {
        **crm_facts(words.plural),
        "change": found,
        "words": words,
        "lines": told(found, counts),
        "progress": how_far(found, counts),
    }
    return render(request, "web/crm/many_progress.html" if request.htmx else "web/crm/many_change.html", facts)


@require_POST
def undoing_of_many(request: Request, change_of_many_id: str) -> HttpResponse:
    """POST /crm/changes/<id>/undoing: take it back; `next` is where the reader was."""
    found = get_object_or_404(ChangeOfMany.objects.editable_by(request.employee), public_id=change_of_many_id)
    undo(found, now=timezone.now())
    found.refresh_from_db()
    there = next_of(request) if request.POST.get("next") else reverse("change_of_many", args=[found.public_id])
    return _carry_out(request, found, to=there)
