"""What an operator sees: all accounts of the installation in numbers, never a letter. Nobody else learns of it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from letterdesk.accounts.close import purges_at
from letterdesk.plans.limits import plan_of
from letterdesk.tenancy.accounts import accounts_for, page_of
from letterdesk.tenancy.figures import AccountFigures, figures
from letterdesk.web.request import Request


def operators_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For all others there is no such page; who has a second factor must have used it in this session."""

    @wraps(view)
    def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.employee.is_operator:
            raise Http404
        if _lacks_second_factor(request):
            there = request.path if request.method == "GET" else reverse("operator_accounts")
            return redirect(f"/accounts/2fa/reauthenticate/?next={there}")
        return view(request, *args, **kwargs)

    return guarded


@require_GET
@operators_only
def operator_accounts(request: Request) -> HttpResponse:
    """GET /operator/accounts?q=&after=: a page of them, with plan, people, mailboxes, letters, bytes, last sync."""
    words, now = request.GET.get("q", "")[:200], timezone.now()
    shown, following = page_of(accounts_for(request.employee), words=words, after=request.GET.get("after", ""))
    told = figures([account.pk for account in shown])
    lines: list[dict[str, Any]] = [
        {
            "account": account,
            "plan": None if account.purged_at else plan_of(account, now=now).name,
            "figures": told.get(account.pk, AccountFigures()),
            "purges_at": purges_at(account),
        }
        for account in shown
    ]
    facts = {"area": "operator", "lines": lines, "q": words, "following": following}
    return render(request, "web/operator/accounts.html", facts)


def _lacks_second_factor(request: Request) -> bool:
    """Whether the person has one and this session was opened without it."""
    if not is_mfa_enabled(request.employee):
        return False
    return all(record["method"] != "mfa" for record in get_authentication_records(request, request.employee))
