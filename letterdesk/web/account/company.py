"""The company as a whole, for its administrators: its deletion, and how to take that back."""

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from letterdesk.accounts.close import KEPT, AlreadyClosed, NotClosed, NotThisName, close, purges_at, reopen
from letterdesk.accounts.models import Employee
from letterdesk.tenancy.figures import figures_of
from letterdesk.tenancy.own_export import exports_of
from letterdesk.tenancy.purge import legal_holds
from letterdesk.web.account.people import administrators_only
from letterdesk.web.request import Request

# While the deletion waits, administrators get here alone: to take it back, to export, to sign out.
OPEN_WHILE_CLOSED = frozenset({
    "company", "company_deletion", "company_reopening", "company_export", "company_export_file",
    "account_logout", "account_login",
    "account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "help",
    "tracked_picture", "tracked_link",
})  # fmt: skip


class ClosedCompany:
    """Middleware: of a company whose deletion was asked for, administrators see these pages and no other."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        """Lead every other page to the company's own; the account came with the request."""
        found, user = request.resolver_match, request.user
        if found is None or not isinstance(user, Employee) or not user.account.is_closed:
            return None
        return None if found.url_name in OPEN_WHILE_CLOSED else redirect("company")


@require_GET
@administrators_only
def company(request: Request) -> HttpResponse:
    """GET /company: what there is of it, and the way out."""
    account = request.employee.account
    facts = {
        "area": "company",
        "account": account,
        "figures": figures_of(account),
        "purges_at": purges_at(account),
        "held": legal_holds(account) if account.is_closed else 0,
        "exports": exports_of(request.employee, now=timezone.now()),
    }
    return render(request, "web/company/page.html", facts)


@require_http_methods(["GET", "POST"])
@administrators_only
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth is not typed
def company_deletion(request: Request) -> HttpResponse:
    """GET /company/deletion: what it does; POST: ask for it, with the name typed, after confirming who one is."""
    if request.method != "POST":
        return _deletion_page(request)
    account = request.employee.account
    try:
        close(account, typed=request.POST.get("name", ""), by=request.employee, now=timezone.now())
    except NotThisName as error:
        return _deletion_page(request, status=422, error=str(error))
    except AlreadyClosed as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Everybody else is signed out. You can take this back until the day named here."))
    return redirect("company")


@require_POST
@administrators_only
def company_reopening(request: Request) -> HttpResponse:
    """POST /company/reopening: take the deletion back."""
    try:
        reopen(request.employee.account, by=request.employee)
    except NotClosed as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The deletion was taken back. All is as it was, and syncing goes on."))
    return redirect("company")


def _deletion_page(request: Request, *, status: int = 200, **more: Any) -> HttpResponse:
    account = request.employee.account
    facts = {
        "area": "company",
        "account": account,
        "figures": figures_of(account),
        "held": legal_holds(account),
        "would_purge_at": timezone.now() + KEPT,
        **more,
    }
    return render(request, "web/company/deletion.html", facts, status=status)
