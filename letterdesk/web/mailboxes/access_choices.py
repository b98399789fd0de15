"""Who can use a mailbox, as a form: only me, everyone, or some departments and people; and what they may do."""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404

from letterdesk.accounts.models import Department, Employee
from letterdesk.mailboxes.choose import Access
from letterdesk.mailboxes.share import shared_mailboxes
from letterdesk.plans.limits import terms
from letterdesk.web.request import Request

RIGHTS = ("may_reply", "may_manage", "may_delete_on_server")


def sharing_facts(request: Request) -> dict[str, Any]:
    """Whom one may let in, and what the plan says about shared mailboxes (R15, R17)."""
    me = request.employee
    return {
        "colleagues": Employee.objects.visible_to(me).working().exclude(pk=me.pk).order_by("name"),
        "departments": Department.objects.visible_to(me).order_by("name"),
        "shared_limit": terms(me.account).shared_mailboxes,
        "shared_used": shared_mailboxes(me.account),
    }


def read_rights(request: Request) -> dict[str, bool]:
    """The rights that were ticked."""
    return {right: request.POST.get(right) == "yes" for right in RIGHTS}


def read_access(request: Request) -> list[Access]:
    """Whom the form lets in; Http404 for whom it cannot name."""
    who, rights = request.POST.get("who", "me"), read_rights(request)
    if who == "everyone":
        return [Access(None, **rights)]
    if who == "some":
        return [Access(recipient(request, name), **rights) for name in request.POST.getlist("to")]
    return []


def recipient(request: Request, name: str) -> Employee | Department | None:
    """Whom a form names: `everyone`, `employee:<id>`, `department:<id>`. Http404 for anybody else."""
    kind, _colon, public_id = name.partition(":")
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
