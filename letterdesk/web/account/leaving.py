"""Somebody leaves, left, or comes back: who takes over what they answer for, and until when it waits."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from letterdesk.accounts.dismiss import KEPT, NotDismissed, dismiss, ends_at, reinstate
from letterdesk.accounts.models import Employee
from letterdesk.accounts.roles import LastAdministrator
from letterdesk.crm.records import hand_over as crm
from letterdesk.mailboxes.connect import NotPossible, transfer
from letterdesk.mailboxes.models import Mailbox
from letterdesk.mailboxes.overview import Figures, figures
from letterdesk.plans.limits import PlanError
from letterdesk.tasks.hand_over import NotHandedOver, hand_over, open_tasks
from letterdesk.tasks.models import Task
from letterdesk.web.account.people import administrators_only
from letterdesk.web.request import Request


@require_http_methods(["GET", "POST"])
@administrators_only
def leaving(request: Request, employee_id: str) -> HttpResponse:
    """GET /people/<id>/leaving: what they own and answer for; POST: dismiss them, or hand over what they left."""
    person = get_object_or_404(Employee.objects.editable_by(request.employee), public_id=employee_id)
    if request.method != "POST":
        return _page(request, person)
    now = timezone.now()
    heirs = [(mailbox, _chosen(request, f"mailbox-{mailbox.public_id}")) for mailbox in _mailboxes(request, person)]
    tasks_to = _chosen(request, "tasks")  # found before anything is done: a wrong name changes nothing
    records_to = _chosen(request, "records")
    if person.dismissed_at is None:
        try:
            dismiss(person, by=request.employee, now=now)
        except LastAdministrator as error:
            return _page(request, person, status=409, error=str(error))
        said = _("%(name)s is signed out everywhere and cannot sign in any more.")
        messages.success(request, said % {"name": person})
    refused = [*_hand_over(request, heirs, now), *_hand_over_tasks(request, person, tasks_to, now)]
    refused += _hand_over_records(request, person, records_to)
    for text in refused:
        messages.error(request, text)
    return redirect("leaving", person.public_id) if refused or _waits(request, person) else redirect("people")


@require_POST
@administrators_only
def reinstatement(request: Request, employee_id: str) -> HttpResponse:
    """POST /people/<id>/reinstatement: take somebody back who left."""
    person = get_object_or_404(Employee.objects.editable_by(request.employee), public_id=employee_id)
    try:
        reinstate(person, by=request.employee)
    except NotDismissed as error:
        messages.error(request, str(error))
    else:
        said = _("%(name)s is back. They choose a new password by “Forgot your password?” at the sign-in.")
        messages.success(request, said % {"name": person})
    return redirect("people")


def _hand_over(request: Request, heirs: list[tuple[Mailbox, Employee | None]], now: datetime) -> list[str]:
    """Each by itself, as the form says; returns what was refused, and why."""
    refused, done = [], 0
    for mailbox, heir in heirs:
        if heir is None:
            continue
        try:
            transfer(mailbox, heir, by=request.employee, now=now)
            done += 1
        except (NotPossible, PlanError) as error:
            refused.append(f"{mailbox.address}: {error}")
    if done:
        said = ngettext("%(n)d mailbox was handed over.", "%(n)d mailboxes were handed over.", done)
        messages.success(request, said % {"n": done})
    return refused


def _hand_over_tasks(request: Request, person: Employee, heir: Employee | None, now: datetime) -> list[str]:
    if heir is None:
        return []
    try:
        count = hand_over(person, to=heir, by=request.employee, now=now)
    except NotHandedOver as error:
        return [str(error)]
    said = ngettext("%(n)d task was handed over.", "%(n)d tasks were handed over.", count)
    messages.success(request, said % {"n": count})
    return []


def _hand_over_records(request: Request, person: Employee, heir: Employee | None) -> list[str]:
    if heir is None:
        return []
    try:
        count = crm.hand_over(person, to=heir, by=request.employee)
    except crm.NotHandedOver as error:
        return [str(error)]
    said = ngettext("%(n)d record of CRM was handed over.", "%(n)d records of CRM were handed over.", count)
    messages.success(request, said % {"n": count})
    return []


def _chosen(request: Request, field: str) -> Employee | None:
    """The colleague whom this field names; None: later."""
    chosen = request.POST.get(field, "")
    people = Employee.objects.visible_to(request.employee).working()
    heir: Employee | None = get_object_or_404(people, public_id=chosen) if chosen else None
    return heir


def _mailboxes(request: Request, person: Employee) -> list[Mailbox]:
    own = Mailbox.objects.steered_by(request.employee).filter(owner=person).select_related("account", "owner")
    return list(own.defer("secret").order_by("address"))


def _waits(request: Request, person: Employee) -> bool:
    return bool(_mailboxes(request, person)) or _tasks(request, person) > 0 or crm.records_of(person) > 0


def _tasks(request: Request, person: Employee) -> int:
    return int(Task.objects.visible_to(request.employee).filter(responsible=person).count())


def _page(request: Request, person: Employee, *, status: int = 200, **more: Any) -> HttpResponse:
    now = timezone.now()
    mailboxes = _mailboxes(request, person)
    told = figures(person.account, [each.pk for each in mailboxes], now=now)
    facts = {
        "area": "people",
        "person": person,
        "lines": [(each, told.get(each.pk, Figures()), each.grants.count()) for each in mailboxes],
        "tasks": _tasks(request, person),
        "open_tasks": open_tasks(person),
        "records": crm.records_of(person),
        "heirs": Employee.objects.visible_to(request.employee).working().exclude(pk=person.pk).order_by("name"),
        "ends_at": ends_at(person.dismissed_at, person.warned_at) if person.dismissed_at else now + KEPT,
        **more,
    }
    return render(request, "web/people/leaving.html", facts, status=status)
