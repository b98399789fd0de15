"""The comparison of plans, to which every refusal leads (R3), and the page of a refusal itself (R2)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from letterdesk.accounts.models import Employee
from letterdesk.plans.compare import compare
from letterdesk.plans.limits import PlanError, require
from letterdesk.web.account.plan_notice import has_webmail
from letterdesk.web.request import Request


def plans(request: Request) -> HttpResponse:
    """All plans of the catalogue side by side, the account's own one marked."""
    table = compare(request.employee.account)
    return render(request, "web/plans.html", {"area": "plans", "table": table})


# Pages of Webmail: where the plan has none, each is refused, and not merely hidden (R2). A letter itself, its body and
# its files are not among them: what a task holds is read in its task (R4), and nothing else is shown by the clock.
# The search finds what stands in CRM, and refuses what it is asked of Webmail (web/search/page.py).
WEBMAIL = frozenset({
    "all_inboxes", "snoozed", "awaited", "hidden", "bundles", "label_list", "folder", "conversation", "changes", "acts",
    "undo", "splitting", "merging", "print", "seen", "connect", "connect_lookup", "connect_sign_in",
    "connect_choices", "mailbox_settings", "mailbox_folders", "passes", "mailbox_sign_in", "diagnostics",
    "access_requests", "grants", "labels", "label", "where", "where_all", "quarantined", "leaving_calendar",
    "leaving_day",
})  # fmt: skip


class RefusedByPlan:
    """Middleware: what the plan refuses anywhere becomes a page that says why and leads to the plans (R2, R3)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        """Refuse a page of Webmail where the plan has none at this second (R11); the plan came with the request."""
        found, user = request.resolver_match, request.user
        if found is None or found.url_name not in WEBMAIL or not isinstance(user, Employee) or has_webmail(user):
            return None
        try:
            require(user.account, integration=True)
        except PlanError as refusal:
            return self.process_exception(request, refusal)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a PlanError with 403 and its own words."""
        if not isinstance(exception, PlanError):
            return None
        return render(request, "web/refused.html", {"area": "plans", "refusal": exception}, status=403)
