"""CRM's bin: records and letters lie there for 30 days, are restored, or go; each deletion is warned of first (R8)."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.crm.access import KEPT
from letterdesk.crm.activities.bin import NoRecord, delete_activity, restore_activity, stays_elsewhere
from letterdesk.crm.models import Activity, Record
from letterdesk.crm.records.bin import NotInBin, consequences, delete, purge, restore
from letterdesk.crm.records.change import InBin
from letterdesk.crm.records.lists import activities_in_bin, records_in_bin
from letterdesk.crm.records.notes import notes_in_bin
from letterdesk.web.bins import tell_back, tell_gone
from letterdesk.web.crm.records import crm_facts
from letterdesk.web.crm.words import BY_KIND
from letterdesk.web.request import Request

MOST = 500  # rows of each kind
REFUSALS = (InBin, NotInBin, NoRecord)


def crm_bin(request: Request) -> HttpResponse:
    """GET /crm/bin: what was deleted and can still be restored."""
    now, me = timezone.now(), request.employee
    facts = {
        **crm_facts("bin"),
        "records": records_in_bin(me, now=now)[:MOST],
        "activities": activities_in_bin(me, now=now)[:MOST],
        "notes": notes_in_bin(me, now=now)[:MOST],
    }
    return render(request, "web/crm/bin.html", facts)


def record_deletion(request: Request, record_id: str) -> HttpResponse:
    """GET /crm/records/<id>/deletion: what goes along. POST: into the bin, with the letters that stand nowhere else."""
    found = _record(request, record_id, Record.objects.editable_by(request.employee).present())
    if request.method != "POST":
        return _ask(request, found, for_good=False)
    try:
        count = delete(found, by=request.employee, now=timezone.now())
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect("record", found.public_id)
    tell_gone(request, _("%(name)s is in the bin.") % {"name": found.name}, count)
    return redirect("records", BY_KIND[found.kind].plural)


@require_POST
def record_restoration(request: Request, record_id: str) -> HttpResponse:
    """POST /crm/records/<id>/restoration: back from the bin, with the letters that went along."""
    now = timezone.now()
    found = _record(request, record_id, Record.objects.editable_by(request.employee).in_bin(now))
    try:
        count = restore(found, by=request.employee, now=now)
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect("crm_bin")
    tell_back(request, _("%(name)s is back.") % {"name": found.name}, count)
    return redirect("record", found.public_id)


def record_purging(request: Request, record_id: str) -> HttpResponse:
    """GET /crm/records/<id>/purging: what goes for good. POST: "Delete now"; its letters keep their 30 days (R8)."""
    now = timezone.now()
    found = _record(request, record_id, Record.objects.editable_by(request.employee).in_bin(now))
    if request.method != "POST":
        return _ask(request, found, for_good=True)
    try:
        purge(found, by=request.employee, now=now)
        messages.success(request, _("%(name)s is deleted for good.") % {"name": found.name})
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect("crm_bin")


def activity_deletion(request: Request, activity_id: str) -> HttpResponse:
    """GET /crm/activities/<id>/deletion: what becomes of it. POST: the letter goes into CRM's bin (R8)."""
    mine = Activity.objects.editable_by(request.employee).present().select_related("account")
    found = get_object_or_404(mine, public_id=activity_id)
    if request.method != "POST":
        facts = {"activity": found, "until": timezone.now() + KEPT, "stays": stays_elsewhere(found, request.employee)}
        return render(request, "web/crm/activity_deletion.html", {**crm_facts("activities"), **facts})
    try:
        is_binned = delete_activity(found, by=request.employee, now=timezone.now())
        away = _("The letter was taken away from your records. It stays where you may change nothing.")
        messages.success(request, _("The letter is in CRM's bin.") if is_binned else away)
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect("activities")


@require_POST
def activity_restoration(request: Request, activity_id: str) -> HttpResponse:
    """POST /crm/activities/<id>/restoration: back from the bin, to the records at which it stood."""
    now = timezone.now()
    mine = Activity.objects.editable_by(request.employee).in_bin(now).select_related("account")
    found = get_object_or_404(mine, public_id=activity_id)
    try:
        restore_activity(found, by=request.employee, now=now)
        messages.success(request, _("The letter is back."))
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect("activity", found.public_id)


def _record(request: Request, record_id: str, among: Any) -> Record:
    found: Record = get_object_or_404(among.select_related("account"), public_id=record_id)
    return found


def _ask(request: Request, found: Record, *, for_good: bool) -> HttpResponse:
    words = BY_KIND[found.kind]
    facts = {
        **crm_facts("bin" if for_good else words.plural),
        "record": found,
        "told": consequences([found.pk]),
        "for_good": for_good,
        "until": timezone.now() + KEPT,
    }
    return render(request, "web/crm/deletion.html", facts)
