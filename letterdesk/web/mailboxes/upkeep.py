"""Pause, resume, mend, hand over and disconnect a mailbox."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from letterdesk.accounts.models import Employee
from letterdesk.accounts.pace import TooFast
from letterdesk.mail.check import test_login
from letterdesk.mailboxes.connect import AlreadyConnected, NotPossible, disconnect, mend, pause, resume, transfer
from letterdesk.mailboxes.consequences import of_disconnecting
from letterdesk.mailboxes.models import Mailbox
from letterdesk.plans.limits import PlanError
from letterdesk.sync.connections import guard
from letterdesk.web.mailboxes.connecting import SignInForm, logins_of, server_of, shown_steps, spend_test
from letterdesk.web.mailboxes.consenting import provider_for, take_refusal
from letterdesk.web.mailboxes.settings import mailbox_page
from letterdesk.web.request import Request

SERVER_FIELDS = tuple(name for name in SignInForm.base_fields if name != "password")


@require_POST
def mailbox_state(request: Request, mailbox_id: str) -> HttpResponse:
    """POST /mailboxes/<id>/state: `paused` or `connected`."""
    mailbox = get_object_or_404(Mailbox.objects.steered_by(request.employee), public_id=mailbox_id)
    try:
        messages.success(request, _go(request, mailbox, request.POST.get("state", "")))
    except NotPossible as error:
        messages.error(request, str(error))
    except PlanError as refusal:
        return mailbox_page(request, mailbox, status=409, control_error=refusal)
    return redirect("progress" if request.POST.get("next") == "progress" else "mailbox", mailbox.public_id)


def _go(request: Request, mailbox: Mailbox, state: str) -> str:
    """Do it; return what to say."""
    if state == "paused":
        pause(mailbox, by=request.employee)
        return _("Paused. Nothing is fetched until you resume.")
    if state == "connected":
        resume(mailbox, by=request.employee, now=timezone.now())
        return _("Resumed.")
    raise Http404


@never_cache
@sensitive_post_parameters("password")
def mended(request: Request, mailbox_id: str) -> HttpResponse:
    """GET and POST /mailboxes/<id>/sign-in: another password or server, tested before it is kept."""
    with_server = Mailbox.objects.manageable_by(request.employee).exclude(imap_host="")
    mailbox = get_object_or_404(with_server, public_id=mailbox_id)
    settings = {name: getattr(mailbox, name) for name in SERVER_FIELDS}
    if request.method != "POST":
        steps, error = _steps_of(request, mailbox), take_refusal(request)
        return _sign_in_page(request, mailbox, SignInForm(initial=settings), steps=steps, error=error)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_page(request, mailbox, form, status=422)
    try:
        spend_test(request)
    except TooFast as error:
        form.add_error(None, str(error))
        return _sign_in_page(request, mailbox, form, status=422)
    return _mend(request, mailbox, form)


def _mend(request: Request, mailbox: Mailbox, form: SignInForm) -> HttpResponse:
    server, password = server_of(form.cleaned_data, mailbox.address), form.cleaned_data["password"]
    imap, smtp = logins_of(server, {"password": password})
    steps = list(test_login(imap, guard(), smtp_login=smtp))
    if not all(step.ok for step in steps if step.name != "smtp"):
        shown = shown_steps(steps, server, address=mailbox.address)
        return _sign_in_page(request, mailbox, form, status=422, steps=shown)
    try:
        mend(mailbox, secret={"password": password}, server=server, by=request.employee, now=timezone.now())
    except (PlanError, AlreadyConnected, NotPossible) as error:
        return _sign_in_page(request, mailbox, form, status=409, error=str(error))
    messages.success(request, _("It let us in. The new settings are kept, and syncing goes on."))
    return redirect("mailbox", mailbox.public_id)


def _steps_of(request: Request, mailbox: Mailbox) -> list[dict[str, Any]]:
    """The test of a sign-in at a provider that has just failed (consent.py); shown once."""
    kept = request.session.pop("steps", None)
    return kept["steps"] if kept and kept["mailbox"] == mailbox.public_id else []


def _sign_in_page(
    request: Request, mailbox: Mailbox, form: SignInForm, *, status: int = 200, **facts: Any
) -> HttpResponse:
    provider = provider_for(mailbox.address, mailbox.imap_host)
    shown = {"area": "mailboxes", "mailbox": mailbox, "form": form, "open": True, "provider": provider, **facts}
    return render(request, "web/mailboxes/sign_in.html", shown, status=status)


@require_POST
def owner(request: Request, mailbox_id: str) -> HttpResponse:
    """POST /mailboxes/<id>/owner: give it to another employee; refused beyond that one's limit (R14)."""
    mailbox = get_object_or_404(Mailbox.objects.steered_by(request.employee), public_id=mailbox_id)
    people = Employee.objects.visible_to(request.employee).working()
    heir: Employee = get_object_or_404(people, public_id=request.POST.get("to", ""))
    try:
        transfer(mailbox, heir, by=request.employee, now=timezone.now())
    except NotPossible as error:
        messages.error(request, str(error))
    except PlanError as refusal:
        return mailbox_page(request, mailbox, status=409, control_error=refusal)
    else:
        messages.success(request, _("%(name)s owns this mailbox now.") % {"name": heir.name})
    is_known = Mailbox.objects.known_to(request.employee).filter(pk=mailbox.pk).exists()
    return redirect("mailbox", mailbox.public_id) if is_known else redirect("mailboxes")


def disconnection(request: Request, mailbox_id: str) -> HttpResponse:
    """GET /mailboxes/<id>/disconnection: the exact consequences; POST: do it, as its form says."""
    mailbox = get_object_or_404(Mailbox.objects.steered_by(request.employee), public_id=mailbox_id)
    now = timezone.now()
    if request.method != "POST" or request.POST.get("copies") not in {"keep", "delete"}:
        facts = {"area": "mailboxes", "mailbox": mailbox, "consequences": of_disconnecting(mailbox, now=now)}
        status = 422 if request.method == "POST" else 200
        return render(request, "web/mailboxes/disconnection.html", facts, status=status)
    keep = request.POST["copies"] == "keep"
    try:
        disconnect(mailbox, by=request.employee, keep_copies=keep, now=now)
    except NotPossible as error:
        messages.error(request, str(error))
        return redirect("mailbox", mailbox.public_id)
    kept = _("Disconnected. What is here stays readable until its time is over.")
    removed = _("Disconnected. Its copies are being removed here; the mail server keeps everything.")
    messages.success(request, kept if keep else removed)
    return redirect("mailbox", mailbox.public_id) if keep else redirect("mailboxes")
