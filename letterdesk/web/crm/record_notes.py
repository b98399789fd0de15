"""Notes and calls at a record: written on its page, changed, deleted and brought back by who wrote them."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.crm.models import Note
from letterdesk.crm.records.bin import NotInBin
from letterdesk.crm.records.change import ChangedMeanwhile, InBin
from letterdesk.crm.records.notes import BadNote, bring_back, change, remove, version_of, write
from letterdesk.web.crm.note_form import NoteForm
from letterdesk.web.crm.record import editable, record_page_of
from letterdesk.web.crm.records import crm_facts
from letterdesk.web.crm.words import BY_KIND
from letterdesk.web.request import Request

REFUSALS = (BadNote, InBin, NotInBin)


@require_POST
def record_notes(request: Request, record_id: str) -> HttpResponse:
    """POST /crm/records/<id>/notes: `what` note or call; `text`, of a call `direction`, `at` and `minutes`."""
    found, what = editable(request, record_id), request.POST.get("what", "note")
    if what not in {"note", "call"}:
        raise Http404
    form = NoteForm(request.POST, is_call=what == "call")
    if not form.is_valid():
        return record_page_of(request, found, written=form, status=422)
    try:
        write(found, form.said(), by=request.employee, now=timezone.now())
    except REFUSALS as error:
        form.add_error(None, str(error))
        return record_page_of(request, found, written=form, status=422)
    return redirect("record", found.public_id)


def note(request: Request, note_id: str) -> HttpResponse:
    """GET /crm/notes/<id>: change one's own note or call. POST: keep it; `delete`: into CRM's bin."""
    mine = Note.objects.editable_by(request.employee).present().filter(record__deleted_at=None)
    found = get_object_or_404(mine.select_related("record"), public_id=note_id)
    if request.method != "POST":
        return _page(request, found, NoteForm(is_call=found.is_call, note=found))
    if "delete" in request.POST:
        try:
            remove(found, by=request.employee, now=timezone.now())
            messages.success(request, _("It is in CRM's bin, from where you can restore it for 30 days."))
        except REFUSALS as error:
            messages.error(request, str(error))
        return redirect("record", found.record.public_id)
    form = NoteForm(request.POST, is_call=found.is_call, note=found)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    try:
        change(found, form.said(found), by=request.employee, now=timezone.now(), seen=request.POST.get("seen", ""))
    except (*REFUSALS, ChangedMeanwhile) as error:
        form.add_error(None, str(error))
        return _page(request, found, form, status=409 if isinstance(error, ChangedMeanwhile) else 422)
    return redirect("record", found.record.public_id)


def _page(request: Request, found: Note, form: NoteForm, *, status: int = 200) -> HttpResponse:
    facts = {
        **crm_facts(BY_KIND[found.record.kind].plural),
        "note": found,
        "form": form,
        "version": version_of(found),
    }
    return render(request, "web/crm/note_page.html", facts, status=status)


@require_POST
def note_restoration(request: Request, note_id: str) -> HttpResponse:
    """POST /crm/notes/<id>/restoration: back from the bin, to its record."""
    now = timezone.now()
    mine = Note.objects.editable_by(request.employee).in_bin(now).select_related("record")
    found = get_object_or_404(mine, public_id=note_id)
    try:
        bring_back(found, by=request.employee, now=now)
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect("crm_bin")
    messages.success(request, _("It is back."))
    return redirect("record", found.record.public_id)
