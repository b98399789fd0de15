"""Access to a mailbox, given and taken away where its settings are (R16, R17)."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.mailboxes.models import AccessRequest, Mailbox
from letterdesk.mailboxes.share import NotShareable, decline, grant, revoke
from letterdesk.outbound.keep_copies import make_room_for_readers
from letterdesk.plans.limits import PlanError
from letterdesk.web.mailboxes.access_choices import read_rights, recipient
from letterdesk.web.mailboxes.settings import mailbox_page
from letterdesk.web.request import Request


@require_POST
def grants(request: Request, mailbox_id: str) -> HttpResponse:
    """POST /mailboxes/<id>/grants: give access; what the plan refuses is said on the spot."""
    mailbox = get_object_or_404(Mailbox.objects.manageable_by(request.employee), public_id=mailbox_id)
    to = recipient(request, request.POST.get("to", ""))
    try:
        with transaction.atomic():
            grant(mailbox, to=to, by=request.employee, now=timezone.now(), **read_rights(request))
            make_room_for_readers(mailbox, now=timezone.now())
    except PlanError as refusal:
        return mailbox_page(request, mailbox, status=409, sharing_error=refusal)
    except NotShareable as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Access given."))
    return redirect("mailbox", mailbox.public_id)


@require_POST
def removal(request: Request, mailbox_id: str, grant_id: int) -> HttpResponse:
    """POST /mailboxes/<id>/grants/<n>/removal: take access away; open pages lose it within 30 s (C19)."""
    mailbox = get_object_or_404(Mailbox.objects.manageable_by(request.employee), public_id=mailbox_id)
    revoke(get_object_or_404(mailbox.grants, pk=grant_id), by=request.employee)
    messages.success(request, _("Access taken away."))
    return redirect("mailbox", mailbox.public_id)


@require_POST
def declined(request: Request, mailbox_id: str, request_id: int) -> HttpResponse:
    """POST /mailboxes/<id>/requests/<n>/declined: answer no to somebody who asked for access."""
    mailbox = get_object_or_404(Mailbox.objects.manageable_by(request.employee), public_id=mailbox_id)
    asked: AccessRequest = get_object_or_404(mailbox.access_requests, pk=request_id)
    decline(asked, by=request.employee)
    messages.success(request, _("Declined."))
    return redirect("mailbox", mailbox.public_id)
