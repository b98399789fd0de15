"""The first steps of a new employee: what they did already, and where the rest is done."""

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Mailbox
from letterdesk.web.request import Request


def first_steps(request: Request) -> HttpResponse:
    """GET /first-steps: the card; 204 where it was put away or nothing is left to do."""
    steps = [] if request.employee.preferences.get("checklist") else steps_of(request.employee)
    if all(step["done"] for step in steps):
        return HttpResponse(status=204)
    return render(request, "web/first_steps.html", {"steps": steps})


def steps_of(employee: Employee) -> list[dict[str, Any]]:
    """What is to be done, and whether it is."""
    is_connected = Mailbox.objects.visible_to(employee).exists()
    steps = [{"text": _("Connect a mailbox"), "address": reverse("connect"), "done": is_connected}]
    if employee.is_administrator:
        has_company = Employee.objects.visible_to(employee).exclude(pk=employee.pk).exists()
        steps.append({"text": _("Invite people"), "address": reverse("people"), "done": has_company})
    keys = {"text": _("Try the keyboard"), "address": f"{reverse('help')}#keys", "opens_keys": True}
    factor = {"text": _("Turn on a second factor"), "address": reverse("mfa_index")}
    return [
        *steps,
        {**keys, "done": bool(employee.preferences.get("tried_keys"))},
        {**factor, "done": is_mfa_enabled(employee)},
    ]
