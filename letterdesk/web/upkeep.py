"""Pause, resume, mend and disconnect a mailbox."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from letterdesk.mailboxes.connect import NotPossible, disconnect, mend, pause, resume
from letterdesk.mailboxes.models import Mailbox
from letterdesk.web.request import Request


@require_POST
@sensitive_post_parameters("password")
def mailbox_state(request: Request, mailbox_id: str) -> HttpResponse:
    """POST /mailboxes/<id>/state: `paused`, `connected` (with a password: a new one), or `disconnected`."""
    mailbox = get_object_or_404(Mailbox.objects.manageable_by(request.employee), public_id=mailbox_id)
    try:
        messages.success(request, _go(request, mailbox, request.POST.get("state", "")))
    except NotPossible as error:
        messages.error(request, str(error))
    if mailbox.forgotten_at is not None:
        return redirect("mailboxes")
    return redirect("progress" if request.POST.get("next") == "progress" else "mailbox", mailbox.public_id)


def _go(request: Request, mailbox: Mailbox, state: str) -> str:
    """Do it; return what to say."""
    by, now, password = request.employee, timezone.now(), request.POST.get("password", "")
    if state == "paused":
        pause(mailbox, by=by)
        return _("Paused. Nothing is fetched until you resume.")
    if state == "connected" and password:
        mend(mailbox, secret={"password": password}, by=by, now=now)
        return _("The new password is kept. Syncing goes on.")
    if state == "connected":
        resume(mailbox, by=by, now=now)
        return _("Resumed.")
    if state == "disconnected" and request.POST.get("sure") == "yes":
        keep = request.POST.get("copies") != "delete"
        disconnect(mailbox, by=by, keep_copies=keep, now=now)
        if keep:
            return _("Disconnected. What is here stays readable until its time is over.")
        return _("Disconnected. Its copies are being removed here; the mail server keeps everything.")
    raise Http404
