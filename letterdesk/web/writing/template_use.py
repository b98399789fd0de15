"""Putting a template into a letter: from the menu, above what is written, or by its name where one writes (`/`)."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from letterdesk.crm.models import Record
from letterdesk.crm.writing.placeholders import values_at
from letterdesk.crm.writing.write import record_of
from letterdesk.mail.addresses import address_key
from letterdesk.outbound import drafts, files, templates
from letterdesk.outbound.identities import identity_for
from letterdesk.outbound.models import Draft, Template
from letterdesk.web.mail.words import translated
from letterdesk.web.request import Request
from letterdesk.web.writing.draft import REFUSALS, draft_or_404, keep, saved_words, writing_page
from letterdesk.web.writing.form import Written, written

MOST_FOUND = 8


@require_GET
def template_finder(request: Request) -> HttpResponse:
    """GET /settings/templates/found?q=: the templates whose names say that, those that begin with it first."""
    typed = " ".join(request.GET.get("q", "").split())[:80]
    found = templates.named(request.employee, typed, most=MOST_FOUND)
    return render(request, "web/compose/template_options.html", {"found": found})


@require_POST
def template_use(request: Request, draft_id: str) -> HttpResponse:
    """POST /drafts/<id>/template: save what is written, and put `template` above it, filled in; its files go along.

    For our script as JSON: what to put where the writer's cursor is.
    """
    found = draft_or_404(request, draft_id)
    named = request.POST.get("template", "")
    template = get_object_or_404(Template.objects.visible_to(request.employee), public_id=named)
    said, unsaved = written(request, found), True
    try:
        found, unsaved = keep(request, found, said), False
        values = values_for(request, found)
        if request.htmx:
            return _handed(request, found, template, templates.filled(template, values))
        templates.insert(found, template, values, by=request.employee, now=timezone.now())
    except drafts.DraftChanged as error:
        told = _("This draft was changed meanwhile. Look at it, then choose the template again.")
        return _refused(request, error.draft, said, told)
    except REFUSALS as error:
        return _refused(request, found, said if unsaved else None, translated(str(error)))
    return redirect("draft", found.public_id)


def _handed(request: Request, saved: Draft, template: Template, text: templates.Filled) -> HttpResponse:
    """The filled text, and the lines of all files of the letter, for the page that is open."""
    files.take_over(saved, template, now=timezone.now())
    lines = [render_to_string("web/compose/file.html", {"file": each}, request) for each in saved.files.order_by("pk")]
    subject = "" if saved.subject.strip() else text.subject
    known = {"version": saved.version, "told": saved_words(saved), "subject": subject, "files": "".join(lines)}
    return JsonResponse({**known, "html": text.html, "text": text.text})


def _refused(request: Request, found: Draft, said: Written | None, told: str) -> HttpResponse:
    """`said` is None where it was saved before: then the page that is open goes on from that version."""
    if request.htmx:
        return JsonResponse({"told": told} | ({} if said else {"version": found.version}), status=409)
    return writing_page(request, found, said=said, problem=told, status=409)


def values_for(request: Request, draft: Draft) -> dict[str, str]:
    """What is known of the first recipient, from CRM only what this employee may see, and of the writer."""
    name, address = next(iter(draft.to), ["", ""])
    known = Record.objects.visible_to(request.employee).present().filter(addresses__key=address_key(address))
    contact = known.filter(kind="contact").select_related("company").order_by("-active_at").first() if address else None
    name = (contact.name if contact else name).strip()
    company = contact.company if contact and contact.company_id else None
    may_see = company is not None and Record.objects.visible_to(request.employee).filter(pk=company.pk).exists()
    found = {"name": name, "first_name": name.split(" ")[0], "company": company.name if company and may_see else ""}
    identity = identity_for(draft, request.employee)
    at = record_of(draft, request.employee) if draft.about else contact
    fields = values_at(at, request.employee) if at else {}
    my_name = identity.name if identity else request.employee.name
    return found | fields | {"my_name": my_name, "my_address": draft.outlet.address}
