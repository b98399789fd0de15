"""Who asks for what, in which time zone they live, and in which language they read."""

from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from letterdesk.accounts.models import Employee
from letterdesk.accounts.preferences import language_of
from letterdesk.accounts.zones import zone_of
from letterdesk.lib.frames import with_room


class Request(HttpRequest):
    """A request of a signed-in employee: what all views behind the sign-in get."""

    htmx: HtmxDetails
    employee: Employee


def room_for_frames(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, the outermost: pages are drawn in room for their frames (`lib/frames.py`)."""
    return with_room(get_response)


def without_nul(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, before any that reads the address: no NUL stands in it, which PostgreSQL takes in no text."""

    def answer(request: HttpRequest) -> HttpResponse:
        request.path_info = request.path_info.replace("\0", " ")
        request.META["QUERY_STRING"] = request.META.get("QUERY_STRING", "").replace("%00", "%20").replace("\0", " ")
        return get_response(request)

    return answer


def local_employee(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: put the employee on the request, show times in their zone and texts in their language."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return get_response(request)
        employee = request.user
        cast("Request", request).employee = employee
        with timezone.override(zone_of(employee)), language_of(employee):
            return get_response(request)

    return answer
