"""The page of a record (W6): what is known, the letters with it, what belongs to it; each changed by a plain form."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from letterdesk.crm.activities.timeline import in_talks, record_page
from letterdesk.crm.linking.by_hand import LetterGone, link_by_hand
from letterdesk.crm.models import Activity, Binding, Kind, Record
from letterdesk.crm.own.said import Shown
from letterdesk.crm.own.values import own_fields_of, shown_at, shown_of
from letterdesk.crm.records.change import ChangedMeanwhile, InBin, change, move_to_stage, version_of
from letterdesk.crm.records.create import create
from letterdesk.crm.records.duplicates import has_the_same_address
from letterdesk.crm.records.fields import BadRecord
from letterdesk.crm.records.labels import labels_of, with_labels
from letterdesk.crm.records.lists import deals_of, people_of, with_facts
from letterdesk.crm.records.naming import known_names, usual_currency
from letterdesk.crm.records.stages import may_change, stages_for
from letterdesk.lib.keyset import BadCursor
from letterdesk.outbound.on_the_way import on_the_way
from letterdesk.tasks.bind import tasks_of
from letterdesk.web.crm.activity_storage import still_in_webmail
from letterdesk.web.crm.note_form import NoteForm, writing_forms
from letterdesk.web.crm.record_form import RecordForm
from letterdesk.web.crm.records import crm_facts, words_of
from letterdesk.web.crm.words import BY_KIND
from letterdesk.web.mail.acts import next_of, ours
from letterdesk.web.mail.letters import letters_to_link
from letterdesk.web.request import Request
from letterdesk.web.writing.tracked_words import told_of

REFUSALS = (BadRecord, InBin)


def record(request: Request, record_id: str) -> HttpResponse:
    """GET /crm/records/<id>: the page, also in the bin. POST: change what stands in it."""
    if request.method != "POST":
        seen = with_facts(Record.objects.visible_to(request.employee), request.employee)
        shown = with_labels(seen.prefetch_related("phones"))
        return record_page_of(request, get_object_or_404(shown, public_id=record_id))
    found = editable(request, record_id)
    form = RecordForm(found.kind, request.employee, request.POST, record=found)
    if not form.is_valid():
        return record_page_of(request, found, form=form, status=422)
    try:
        with transaction.atomic():
            wish = form.wish(now=timezone.now())
            change(found, wish, by=request.employee, seen=request.POST.get("seen", ""))
        messages.success(request, _("Saved."))
    except ChangedMeanwhile as error:
        form.add_error(None, str(error))
        return record_page_of(request, editable(request, record_id), form=form, status=409)
    except REFUSALS as error:
        form.add_error(None, str(error))
        anew = Record.objects.editable_by(request.employee).filter(pk=found.pk)  # `change` read more than they may see
        shown = get_object_or_404(with_labels(with_facts(anew, request.employee).prefetch_related("phones")))
        return record_page_of(request, shown, form=form, status=422)
    return to_record(request, found)


@require_safe
def record_form(request: Request, record_id: str) -> HttpResponse:
    """GET /crm/records/<id>/form: the page with its form open; for htmx the form alone."""
    found = editable(request, record_id)
    form = RecordForm(found.kind, request.employee, record=found)
    if request.htmx:
        return render(request, "web/crm/change.html", {"record": found, **_form(request, found, form)})
    return record_page_of(request, found, form=form)


def editable(request: Request, record_id: str) -> Record:
    """A record that the reader may change and that is not in the bin. Raises Http404."""
    mine = with_facts(Record.objects.editable_by(request.employee).present(), request.employee)
    found: Record = get_object_or_404(with_labels(mine.prefetch_related("phones")), public_id=record_id)
    return found


def to_record(request: Request, found: Record) -> HttpResponse:
    """On to its page; to the list where it was handed over to somebody whose records the reader does not see."""
    if Record.objects.visible_to(request.employee).filter(pk=found.pk).exists():
        return redirect("record", found.public_id)
    return redirect("records", BY_KIND[found.kind].plural)


def new_record(request: Request, plural: str) -> HttpResponse:
    """GET /crm/<kind>/new?name=&address=&contact=&company=&letter=&next=: the form, perhaps filled. POST: make it.

    `contact`, `company`: records to which it belongs; `letter`: one of Webmail that stands at it from then on, with
    the earlier ones of its conversation.
    """
    words = words_of(plural)
    given = _given(request)
    if request.method != "POST":
        asked = {"name": request.GET.get("name", "")[:300], "addresses": request.GET.get("address", "")[:320]}
        mine = {"responsible": request.employee.public_id}
        mine |= {"currency": usual_currency(request.employee)} if words.kind == Kind.DEAL else {}
        return _new(request, RecordForm(words.kind, request.employee, given=given, initial=asked | mine))
    form = RecordForm(words.kind, request.employee, request.POST, given=given)
    if not form.is_valid():
        return _new(request, form, status=422)
    now = timezone.now()
    try:
        with transaction.atomic():
            made = create(words.kind, form.wish(now=now), by=request.employee, now=now)
            _link(request, made)
    except (BadRecord, LetterGone) as error:
        form.add_error(None, str(error))
        return _new(request, form, status=422)
    messages.success(request, _("%(name)s is made.") % {"name": made.name})
    other = has_the_same_address(made, request.employee)
    if other is not None:
        messages.warning(
            request, _("%(name)s has the same address. Are both one? See Duplicates.") % {"name": other.name}
        )
    return redirect(next_of(request)) if request.POST.get("next") else to_record(request, made)


def _given(request: Request) -> dict[str, Record]:
    """The contact and company that the address names, of those that one sees; a contact brings its company."""
    seen = Record.objects.visible_to(request.employee).present()
    asked = {kind: request.GET.get(kind, "") for kind in (Kind.CONTACT.value, Kind.COMPANY.value)}
    found = {each.kind: each for each in seen.filter(public_id__in=filter(None, asked.values()), kind__in=asked)}
    contact = found.get(Kind.CONTACT)
    if contact is not None and contact.company_id:
        company = seen.filter(pk=contact.company_id).first()
        found |= {Kind.COMPANY.value: company} if company is not None else {}
    return found


def _link(request: Request, made: Record) -> None:
    asked = request.GET.get("letter", "")
    letter = letters_to_link(request.employee).filter(public_id=asked).first() if asked else None
    if letter is not None:
        link_by_hand(letter, made, by=request.employee, now=timezone.now(), with_earlier=True)


def _new(request: Request, form: RecordForm, *, status: int = 200) -> HttpResponse:
    words = BY_KIND[form.kind]
    facts = {
        **crm_facts(words.plural),
        "words": words,
        "form": form,
        "next": next_of(request) if request.POST.get("next") else ours(request.GET.get("next", "")),
        **offered(request, form),
    }
    return render(request, "web/crm/new.html", facts, status=status)


def offered(request: Request, form: RecordForm) -> dict[str, Any]:
    """Names that the form's fields offer."""
    return {
        "companies": known_names(request.employee, Kind.COMPANY) if "company" in form.fields else [],
        "contacts": known_names(request.employee, Kind.CONTACT) if "contact" in form.fields else [],
    }


@require_POST
def record_stage(request: Request, record_id: str) -> HttpResponse:
    """POST /crm/records/<id>/stage: how far a lead or deal has come; `seen` is the stage that the reader saw."""
    found = editable(request, record_id)
    stages = {stage.public_id: stage for stage in stages_for(request.employee, found.kind, to_change=True)}
    wanted = stages.get(request.POST.get("stage", ""))
    if wanted is None or not BY_KIND[found.kind].has_stages:
        raise Http404
    status = 200
    try:
        if move_to_stage(found, wanted, by=request.employee, seen=request.POST.get("seen", "")) and not request.htmx:
            messages.success(request, f"{found.name}: {wanted.name}")
    except ChangedMeanwhile:
        messages.error(request, _("A colleague moved “%(name)s” meanwhile.") % {"name": found.name})
        status = 409
    except REFUSALS as error:
        messages.error(request, str(error))
        status = 409
    if request.htmx:  # the board shows itself anew
        return render(request, "web/toasts.html", status=status)
    return redirect(next_of(request)) if request.POST.get("next") else redirect("record", found.public_id)


# The page


def record_page_of(
    request: Request,
    found: Record,
    *,
    form: RecordForm | None = None,
    written: NoteForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page; with a form, or a note or call that was refused, opened at it.

    Http404 once its 30 days in the bin are over (R8).
    """
    if found.deleted_at is not None and not Record.objects.in_bin(timezone.now()).filter(pk=found.pk).exists():
        raise Http404
    words, may_act = BY_KIND[found.kind], may_change(found, request.employee)
    may = may_act and found.deleted_at is None
    try:
        timeline = _timeline(request, found)
    except BadCursor:
        return redirect("record", found.public_id)
    facts = {
        **crm_facts("bin" if found.deleted_at else words.plural),
        "record": found,
        "words": words,
        "here": reverse("record", args=[found.public_id]),
        "merged_into": _merged_into(found, request),
        **timeline,
        **_beside(request, found),
        "on_the_way": on_the_way(found.reference, request.employee),
        "own": shown_of(form.own_said, form.own) if form else _own(request, found),
        "may_restore": may_act and found.deleted_at is not None,
        "may_change": may,
        **(_changing(request, found) | writing_forms(written) if may else {}),
        **(_form(request, found, form) if form else {}),
    }
    return render(request, "web/crm/record.html", facts, status=status)


def _own(request: Request, found: Record) -> list[Shown]:
    return shown_at(found, own_fields_of(request.employee.account, found.kind))


def _merged_into(found: Record, request: Request) -> Record | None:
    """The record into which this one was merged, if the reader may see it."""
    if found.merged_into_id is None:
        return None
    seen: Record | None = Record.objects.visible_to(request.employee).present().filter(pk=found.merged_into_id).first()
    return seen


def _changing(request: Request, found: Record) -> dict[str, Any]:
    """What whoever may change it finds on its page; the form of all fields is fetched when it is opened."""
    has_stages, is_open = BY_KIND[found.kind].has_stages, found.stage is not None and not found.stage.outcome
    return {
        "known_labels": labels_of(request.employee.account),
        "stages": stages_for(request.employee, found.kind, to_change=True) if has_stages else [],
        "may_qualify": found.kind == Kind.LEAD and is_open and not found.contact_id,
    }


def _form(request: Request, found: Record, form: RecordForm) -> dict[str, Any]:
    return {"form": form, "version": version_of(found, form.own_said), **offered(request, form)}


def _timeline(request: Request, found: Record) -> dict[str, Any]:
    """Notes, calls, and the letters by conversation, each with whether it is in Webmail, too (R6, R7)."""
    page, following = record_page(found, before=request.GET.get("before", ""))
    entries: list[Any] = [each.activity if isinstance(each, Binding) else each for each in page]
    letters: list[Any] = [each for each in entries if isinstance(each, Activity)]
    there = still_in_webmail(letters, request.employee.account, timezone.now())
    tracked = told_of(letters)
    for letter in letters:
        letter.is_in_webmail, letter.tracked = letter.pk in there, tracked.get(letter.pk)
    return {
        "timeline": in_talks(entries),
        "older": f"?before={following}" if following else "",
        "newest": reverse("record", args=[found.public_id]) if request.GET.get("before") else "",
    }


def _beside(request: Request, found: Record) -> dict[str, Any]:
    """What belongs to it: tasks, deals, and the people of a company."""
    me = request.employee
    return {
        "tasks": tasks_of(found, me),
        "now": timezone.now(),
        "deals": deals_of([found.pk], me) if found.kind in {Kind.CONTACT, Kind.COMPANY} else [],
        "people": people_of(found, me) if found.kind == Kind.COMPANY else [],
    }
