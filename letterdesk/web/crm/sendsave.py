"""Secret addresses of Send & Save: one's own, and the company's (R30)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.accounts.models import Employee
from letterdesk.crm.models import SendSaveAddress, Unknown
from letterdesk.crm.sendsave import addresses as sendsave
from letterdesk.web.crm.settings import pipeline_named, pipelines_of_deals
from letterdesk.web.request import Request


@dataclass(frozen=True)
class Place:
    """One's own address, or the company's: as it is now, and those before it that still take letters."""

    name: str
    title: str
    words: str
    address: SendSaveAddress | None
    before: list[Any]
    may_change: bool


def page(request: Request) -> HttpResponse:
    """GET /settings/sendsave: the addresses, what becomes of unknown people's letters, and how to use them."""
    facts = {
        "area": "sendsave",
        "is_on": settings.INBOUND.is_on,
        "places": _places(request.employee, timezone.now()),
        "graces": [(name, words) for name, (_time, words) in sendsave.GRACES.items()],
        "unknowns": Unknown.choices,
        "pipelines": pipelines_of_deals(request.employee),
        "colleagues": Employee.objects.visible_to(request.employee).working().order_by("name"),
    }
    return render(request, "web/sendsave/page.html", facts)


@require_POST
def addresses(request: Request) -> HttpResponse:
    """POST /settings/sendsave/addresses: make one's `own` or the `company`'s; `grace`: how long the old one works."""
    of_account = request.POST.get("whose") == "company"
    if of_account and not request.employee.is_administrator:
        raise PermissionDenied
    if request.POST.get("grace", "now") not in sendsave.GRACES or not settings.INBOUND.is_on:
        raise Http404
    grace, _words = sendsave.GRACES[request.POST.get("grace", "now")]
    sendsave.make(by=request.employee, of_account=of_account, now=timezone.now(), grace=grace)
    messages.success(request, _("Here is the new address. Put it into your mail program's address book."))
    return redirect("sendsave")


@require_POST
def address(request: Request, address_id: str) -> HttpResponse:
    """POST /settings/sendsave/addresses/<id>: `change` is "settings" or "end", which refuses it at once."""
    found = get_object_or_404(SendSaveAddress.objects.editable_by(request.employee), public_id=address_id)
    if request.POST.get("change") == "end":
        sendsave.end_at_once(found, by=request.employee, now=timezone.now())
        messages.success(request, _("The address takes no more letters."))
        return redirect("sendsave")
    incoming, outgoing = (request.POST.get(name, "") for name in ("unknown_incoming", "unknown_outgoing"))
    if not {incoming, outgoing} <= set(Unknown.values):
        raise Http404
    colleagues = Employee.objects.visible_to(request.employee).working()
    named = request.POST.get("responsible", "")
    sendsave.change(
        found,
        by=request.employee,
        unknown_incoming=incoming,
        unknown_outgoing=outgoing,
        responsible=get_object_or_404(colleagues, public_id=named) if named else None,
        came_from=request.POST.get("came_from", "").strip()[:200],
        pipeline=pipeline_named(request.POST, by=request.employee, now=found.pipeline),
        reads_cards=request.POST.get("reads_cards") == "yes",
    )
    messages.success(request, _("Saved. It holds for letters that come from now on."))
    return redirect("sendsave")


def _places(employee: Employee, now: datetime) -> list[Place]:
    return [_place(employee, employee, now), _place(employee, None, now)]


def _place(by: Employee, of: Employee | None, now: datetime) -> Place:
    """Who may see it is asked once more here (P9)."""
    seen = SendSaveAddress.objects.visible_to(by).filter(employee=of).select_related("responsible", "pipeline")
    return Place(
        name="own" if of else "company",
        title=_("Your address") if of else _("The company's address"),
        words=_("For you alone: nobody else sees it.") if of else _("For all of you."),
        address=seen.filter(ends_at=None).first(),
        before=list(seen.filter(ends_at__gt=now).order_by("ends_at")),
        may_change=of is not None or by.is_administrator,
    )
