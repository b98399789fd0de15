"""The comparison of plans, to which every refusal leads (R3), and the page of a refusal itself (R2)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from letterdesk.plans.compare import compare
from letterdesk.plans.limits import PlanError
from letterdesk.web.request import Request


def plans(request: Request) -> HttpResponse:
    """All plans of the catalogue side by side, the account's own one marked."""
    table = compare(request.employee.account)
    return render(request, "web/plans.html", {"area": "plans", "table": table})


class RefusedByPlan:
    """Middleware: what the plan refuses anywhere becomes a page that says why and leads to the plans (R2, R3)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a PlanError with 403 and its own words."""
        if not isinstance(exception, PlanError):
            return None
        return render(request, "web/refused.html", {"area": "plans", "refusal": exception}, status=403)
