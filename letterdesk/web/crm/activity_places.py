"""The records at which a letter stands at CRM: added to, taken away from, moved; for it alone or its conversation.

What a person did is remembered, and can be taken back (features.md, CRM).
"""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.crm.activities.timeline import with_bindings
from letterdesk.crm.linking.by_hand import move, stand_at, take_away
from letterdesk.crm.linking.corrections import (
    NOTHING,
    belongs,
    belongs_not,
    counterpart_of,
    forget,
    said_of,
    standing,
    take_back,
)
from letterdesk.crm.models import Activity, Correction, Record
from letterdesk.crm.records.change import InBin
from letterdesk.web.crm.letter import record_named, search_facts
from letterdesk.web.crm.records import crm_facts
from letterdesk.web.mail.acts import ours
from letterdesk.web.request import Request


@dataclass(frozen=True, slots=True)
class Wish:
    """What the form asks for."""

    activity: Activity
    record: Record
    whole: bool
    address: str  # whose later letters are meant, too; empty: nobody's
    now: datetime


def activity_places(request: Request, activity_id: str) -> HttpResponse:
    """GET /crm/activities/<id>/places?q=: the records at which it stands. POST `change` "add", "take" or "move".

    `record` says of which record, `target` whereto, `whole` "yes" that its whole conversation is meant, `later` "yes"
    that later letters of the same address are. `change` "forget" takes back what was said of these (`correction`).
    """
    seen = Activity.objects.editable_by(request.employee).present().select_related("account", "thread")
    found = get_object_or_404(seen, public_id=activity_id)
    if request.method == "POST":
        return _changed(request, found)
    with_bindings([found], request.employee)
    address = counterpart_of(found)
    said = said_of(address, request.employee)
    facts = {"activity": found, "address": address, "said": said, "undo": _undo(request), **search_facts(request)}
    return render(request, "web/crm/places.html", {**crm_facts("activities"), **facts})


def _changed(request: Request, found: Activity) -> HttpResponse:
    if request.POST.get("change") == "forget":
        return _forgotten(request, found)
    change = {"add": _add, "take": _take, "move": _move}.get(request.POST.get("change", ""))
    if change is None:
        raise Http404
    whole, later = request.POST.get("whole") == "yes", request.POST.get("later") == "yes"
    address = counterpart_of(found) if later or request.POST.get("unsay") else ""
    wish = Wish(found, record_named(request, "record"), whole, address, timezone.now())
    try:
        undone_by = change(request, wish)
    except InBin as error:
        messages.error(request, str(error))
        return redirect("activity_places", found.public_id)
    if not Activity.objects.visible_to(request.employee).present().filter(pk=found.pk).exists():
        return redirect("activity", found.public_id)
    asked = {**undone_by, "undo_whole": "yes" if whole else "", "next": ours(request.POST.get("next", ""))}
    return redirect(f"{reverse('activity_places', args=[found.public_id])}?{urlencode(asked)}")


def _forgotten(request: Request, found: Activity) -> HttpResponse:
    said = Correction.objects.editable_by(request.employee).filter(key=counterpart_of(found)).select_related("record")
    forget(get_object_or_404(said, public_id=request.POST.get("correction", "")), by=request.employee)
    messages.success(request, _("Forgotten. The rules alone decide about letters of this address."))
    return redirect("activity_places", found.public_id)


def _say(request: Request, wish: Wish, *, here: Record | None = None, away: Record | None = None) -> str:
    """Remember of the address what the change says of the letter; an undo takes it back.

    Returns how its form says what was said before: of the record that it adds to, and of that which it takes from.
    """
    if not wish.address:
        return ""
    me = request.employee
    if unsay := request.POST.get("unsay"):
        for record, was in zip((here, away), unsay.split("."), strict=False):
            if record is not None:
                take_back(wish.address, record, was=was, by=me, now=wish.now)
        return ""
    before = ".".join(standing(wish.address, each) if each else NOTHING for each in (away, here))
    if here is not None:
        belongs(wish.address, here, by=me, now=wish.now)
    if away is not None:
        belongs_not(wish.address, away, by=me, now=wish.now)
    return before


# Each does it, says it, and returns what the form must say that takes it back.


def _add(request: Request, wish: Wish) -> dict[str, str]:
    me, record = request.employee, wish.record
    count = stand_at(wish.activity, record, by=me, now=wish.now, whole_conversation=wish.whole)
    _say(request, wish, here=record)
    text = ngettext("%(n)d letter more at %(name)s.", "%(n)d letters more at %(name)s.", count)
    messages.success(request, text % {"n": count, "name": record.name})
    return {}


def _take(request: Request, wish: Wish) -> dict[str, str]:
    me, record = request.employee, wish.record
    taken = take_away(wish.activity, record, by=me, now=wish.now, whole_conversation=wish.whole)
    unsay = _say(request, wish, away=record)
    text = ngettext("%(n)d letter taken away from %(name)s.", "%(n)d letters taken away from %(name)s.", taken.count)
    messages.success(request, text % {"n": taken.count, "name": record.name})
    if taken.binned:
        messages.info(request, _("What stood nowhere else is in CRM's bin: %(n)d.") % {"n": taken.binned})
    return {"undo": "add", "undo_record": record.public_id, "undo_unsay": unsay}


def _move(request: Request, wish: Wish) -> dict[str, str]:
    me, source, target = request.employee, wish.record, record_named(request, "target")
    count = move(wish.activity, source=source, target=target, by=me, now=wish.now, whole_conversation=wish.whole)
    unsay = _say(request, wish, here=target, away=source)
    text = ngettext("%(n)d letter moved to %(name)s.", "%(n)d letters moved to %(name)s.", count)
    messages.success(request, text % {"n": count, "name": target.name})
    return {"undo": "move", "undo_record": target.public_id, "undo_target": source.public_id, "undo_unsay": unsay}


def _undo(request: Request) -> dict[str, str]:
    """What takes back the change that has just been made; empty: there is none."""
    asked = {name: request.GET.get(f"undo_{name}", "")[:16] for name in ("record", "target", "whole", "unsay")}
    change = request.GET.get("undo", "")
    return {"change": change, **asked} if change in {"add", "move"} else {}
