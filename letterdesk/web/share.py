"""Access to a mailbox, given and taken away where its settings are (R16, R17)."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.accounts.models import Department, Employee
from letterdesk.mailboxes.models import Mailbox
from letterdesk.mailboxes.share import NotShareable, grant, revoke
from letterdesk.plans.limits import PlanError
from letterdesk.web.mailboxes import mailbox_page
from letterdesk.web.request import Request

RIGHTS = ("may_reply", "may_manage", "may_delete_on_server")


@require_POST
def grants(request: Request, mailbox_id: str) -> HttpResponse:
    """POST /mailboxes/<id>/grants: give access; what the plan refuses is said on the spot."""
    mailbox = get_object_or_404(Mailbox.objects.manageable_by(request.employee), public_id=mailbox_id)
    rights = {right: request.POST.get(right) == "yes" for right in RIGHTS}
    try:
        grant(mailbox, to=_to(request), by=request.employee, now=timezone.now(), **rights)
    except PlanError as refusal:
        return mailbox_page(request, mailbox, sharing_error=refusal)
    except NotShareable as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Access given."))
    return redirect("mailbox", mailbox.public_id)


def _to(request: Request) -> Employee | Department | None:
    """Whom the form names: `everyone`, `employee:<id>`, `department:<id>`."""
    kind, _colon, public_id = request.POST.get("to", "").partition(":")
    if kind == "everyone":
        return None
    if kind == "employee":
        people = Employee.objects.visible_to(request.employee).working()
        person: Employee = get_object_or_404(people, public_id=public_id)
        return person
    if kind == "department":
        department: Department = get_object_or_404(Department.objects.visible_to(request.employee), public_id=public_id)
        return department
    raise Http404


@require_POST
def removal(request: Request, mailbox_id: str, grant_id: int) -> HttpResponse:
    """POST /mailboxes/<id>/grants/<n>/removal: take access away; open pages lose it within 30 s (C19)."""
    mailbox = get_object_or_404(Mailbox.objects.manageable_by(request.employee), public_id=mailbox_id)
    revoke(get_object_or_404(mailbox.grants, pk=grant_id), by=request.employee)
    messages.success(request, _("Access taken away."))
    return redirect("mailbox", mailbox.public_id)
