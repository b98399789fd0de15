"""The domains whose letters are signed, for administrators: what to put into DNS, and whether it stands there."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from letterdesk.mail import dkim
from letterdesk.mail.dkim import Published
from letterdesk.outbound import signing
from letterdesk.outbound.models import SigningKey
from letterdesk.web.account.people import administrators_only
from letterdesk.web.request import Request


@dataclass(frozen=True)
class Line:
    """A domain, with the name and the text of the record that DNS has to say."""

    key: SigningKey
    name: str
    text: str


@require_http_methods(["GET", "POST"])
@administrators_only
def domains(request: Request) -> HttpResponse:
    """GET /settings/domains: the domains of the account. POST `domain`: add one."""
    if request.method == "GET":
        return _page(request)
    try:
        added = signing.add(
            request.employee.account, request.POST.get("domain", "")[:300], by=request.employee, now=timezone.now()
        )
    except signing.NotADomain as error:
        return _page(request, error=str(error), status=422)
    messages.success(request, _("%(domain)s is added. Put its record into DNS, then check.") % {"domain": added.domain})
    return redirect("domains")


@require_POST
@administrators_only
def domain_check(request: Request, domain_id: str) -> HttpResponse:
    """POST /settings/domains/<id>/check: ask DNS now; signing begins or ends with its answer."""
    key = _key(request, domain_id)
    said = signing.check(key, by=request.employee, now=timezone.now())
    tell = messages.success if said == Published.YES else messages.warning
    tell(request, _answer(said) % {"domain": key.domain})
    return redirect("domains")


@require_POST
@administrators_only
def domain_removal(request: Request, domain_id: str) -> HttpResponse:
    """POST /settings/domains/<id>/removal: letters of this domain are not signed any more."""
    key = _key(request, domain_id)
    signing.remove(key, by=request.employee)
    messages.success(request, _("%(domain)s is removed: its letters are not signed any more.") % {"domain": key.domain})
    return redirect("domains")


def _key(request: Request, domain_id: str) -> SigningKey:
    key: SigningKey = get_object_or_404(signing.of(request.employee.account), public_id=domain_id)
    return key


def _answer(said: Published) -> str:
    return {
        Published.YES: _("The record of %(domain)s stands in DNS: its letters are signed."),
        Published.MISSING: _("DNS has no such record of %(domain)s yet. A new one can take some hours to be seen."),
        Published.OTHER: _("DNS has another key for %(domain)s. Replace its text by the one below."),
        Published.UNREACHABLE: _("DNS did not answer. Nothing was changed; try again in a while."),
    }[said]


def _page(request: Request, *, error: str = "", status: int = 200) -> HttpResponse:
    lines = [
        Line(each, dkim.record_name(each.selector, each.domain), dkim.record_text(each.key))
        for each in signing.of(request.employee.account)
    ]
    facts = {"area": "domains", "lines": lines, "asked": request.POST.get("domain", ""), "error": error}
    return render(request, "web/domains/page.html", facts, status=status)
