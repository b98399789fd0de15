"""The mailboxes of a reader: which there are, how they are, and who may open them."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from letterdesk.accounts.models import Department, Employee
from letterdesk.mailboxes.models import Mailbox, MailboxState
from letterdesk.mailboxes.share import shared_mailboxes
from letterdesk.plans.limits import PlanError, terms
from letterdesk.web.ledger import may_manage
from letterdesk.web.request import Request
from letterdesk.web.sidebar import Shelf, shelves
from letterdesk.web.state import state_of


def mailboxes(request: Request) -> HttpResponse:
    """GET /mailboxes: all of them, with their health."""
    now = timezone.now()
    entries = [
        {
            "shelf": shelf,
            "mailbox": shelf.mailbox,
            "state": state_of(shelf.mailbox, now, may_manage=shelf.may_manage),
            "tone": "ok" if _is_well(shelf) else "danger" if shelf.state_class == "danger" else "warn",
            "state_text": shelf.state_text or shelf.mailbox.get_state_display(),
        }
        for shelf in shelves(request.employee, now)
    ]
    return render(request, "web/mailboxes/list.html", {"area": "mailboxes", "entries": entries})


def _is_well(shelf: Shelf) -> bool:
    return shelf.mailbox.state == MailboxState.CONNECTED and not shelf.mailbox.error_code


def mailbox(request: Request, mailbox_id: str) -> HttpResponse:
    """GET /mailboxes/<id>: its connection, its access, pausing and disconnecting."""
    found = get_object_or_404(
        Mailbox.objects.visible_to(request.employee).select_related("owner"), public_id=mailbox_id
    )
    return mailbox_page(request, found)


def mailbox_page(request: Request, mailbox: Mailbox, *, sharing_error: PlanError | None = None) -> HttpResponse:
    """The settings of a mailbox; a refused grant says why where it happened (R17)."""
    facts = {
        "area": "mailboxes",
        "mailbox": mailbox,
        "may_manage": may_manage(request, mailbox),
        "state": state_of(mailbox, timezone.now(), may_manage=False),
        "grants": mailbox.grants.select_related("employee", "department").order_by("pk"),
        "requests": mailbox.access_requests.select_related("employee").order_by("created_at"),
        "sharing_error": sharing_error,
        **_sharing(request, mailbox),
    }
    return render(request, "web/mailboxes/mailbox.html", facts, status=409 if sharing_error else 200)


def _sharing(request: Request, mailbox: Mailbox) -> dict[str, Any]:
    me = request.employee
    colleagues = Employee.objects.visible_to(me).working().exclude(pk=mailbox.owner_id)
    return {
        "colleagues": colleagues.exclude(grants__mailbox=mailbox).order_by("name"),
        "departments": Department.objects.visible_to(me).order_by("name"),
        "shared_limit": terms(me.account).shared_mailboxes,
        "shared_used": shared_mailboxes(me.account),
    }
