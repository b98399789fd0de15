"""A lead becomes a contact, with company and deal as wished; its letters come along (features.md, CRM)."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.crm.linking.guess import company_of, name_of
from letterdesk.crm.models import Kind, Record
from letterdesk.crm.records.naming import known_names, named
from letterdesk.crm.records.qualify import qualify
from letterdesk.web.crm.record import REFUSALS, editable
from letterdesk.web.crm.records import crm_facts
from letterdesk.web.request import Request


def qualification(request: Request, record_id: str) -> HttpResponse:
    """GET /crm/records/<id>/qualification: what the lead is to become. POST `contact`, `company`, `deal`: do it."""
    found = editable(request, record_id)
    if found.kind != Kind.LEAD:
        raise Http404
    if request.method != "POST":
        return _ask(request, found)
    contact = _contact(request)
    if request.POST.get("who") == "known" and contact is None:
        messages.error(request, _("No contact that you may see has this name: “%(name)s”.") % {"name": _named(request)})
        return _ask(request, found, status=422)
    me, company = request.employee, request.POST.get("company", "").strip()[:300]
    known = named(me, Kind.COMPANY, company)
    try:
        made = qualify(
            found,
            by=me,
            now=timezone.now(),
            contact=contact,
            company=known,
            company_name="" if known else company,
            deal_name=request.POST.get("deal", "")[:300],
        )
    except REFUSALS as error:
        messages.error(request, str(error))
        return redirect("record", found.public_id)
    messages.success(request, _("%(name)s is qualified. The letters came along.") % {"name": found.name})
    return redirect("record", (made.deal or made.contact).public_id)


def _contact(request: Request) -> Record | None:
    """The contact that is there already, where the form chose one and somebody has the name."""
    return named(request.employee, Kind.CONTACT, _named(request)) if request.POST.get("who") == "known" else None


def _named(request: Request) -> str:
    return request.POST.get("contact", "")[:300]


def _ask(request: Request, found: Record, *, status: int = 200) -> HttpResponse:
    me = request.employee
    facts = {
        **crm_facts("leads"),
        "record": found,
        "company": request.POST.get("company", _company(found, me)),
        "deal": request.POST.get("deal", found.name),
        "contact": _named(request),
        "is_known": request.POST.get("who") == "known",
        "companies": known_names(me, Kind.COMPANY),
        "contacts": known_names(me, Kind.CONTACT),
    }
    return render(request, "web/crm/qualification.html", facts, status=status)


def _company(lead: Record, employee: Employee) -> str:
    """The company that the form suggests: the lead's, else the one that the domain of its first address tells."""
    if lead.company is not None:
        return lead.company.name
    first = lead.addresses.order_by("position", "pk").first()
    if first is None:
        return ""
    guessed = company_of(lead.account_id, first.key)
    seen = guessed and Record.objects.visible_to(employee).filter(pk=guessed.pk).exists()
    return guessed.name if guessed and seen else name_of(first.key)
