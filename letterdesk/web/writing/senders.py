"""Senders of the account: addresses from which one writes without a mailbox, for administrators; and their owners' yes.

ux: a plain page of cards; the password is typed and never shown.
"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from letterdesk.accounts.models import Department, Employee
from letterdesk.accounts.pace import TooFast
from letterdesk.mail.errors import MailError
from letterdesk.mail.imap_types import Login
from letterdesk.outbound import senders, signing
from letterdesk.outbound.models import VerifiedSender
from letterdesk.outbound.pacing import BadLimit
from letterdesk.outbound.words import SIGNATURE_MARK, signature
from letterdesk.web.account.people import administrators_only
from letterdesk.web.mail.words import translated
from letterdesk.web.mailboxes.access_choices import recipient
from letterdesk.web.mailboxes.connecting import SECURITIES
from letterdesk.web.request import Request

REFUSALS = (senders.BadSender, senders.NoMail, BadLimit, TooFast, MailError)
TYPED = ("address", "name", "host", "port", "security", "user", "who")


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@administrators_only
def senders_page(request: Request) -> HttpResponse:
    """GET /settings/senders: the senders of the account. POST: try the server, keep it, and send its link."""
    if request.method == "GET":
        return _page(request)
    me, now = request.employee, timezone.now()
    said, address = request.POST, request.POST.get("address", "")[:320]
    try:
        made = senders.add(address, _server(request), name=said.get("name", ""), users=_users(request), by=me, now=now)
    except REFUSALS as error:
        return _page(request, error=translated(str(error)), typed={name: said.get(name, "")[:320] for name in TYPED})
    _send_link(request, made)
    return redirect("senders")


@require_POST
@administrators_only
def sender(request: Request, sender_id: str) -> HttpResponse:
    """POST /settings/senders/<id>: its name, who may write from it, and how many letters a day."""
    found = _sender(request, sender_id)
    most = request.POST.get("daily_most", "").strip()
    try:
        if most and not (most.isascii() and most.isdigit() and len(most) < 10):
            raise BadLimit(_("“%(typed)s” is no number.") % {"typed": most[:40]})
        below = signature(request.POST["signature"]) if "signature" in request.POST else None
        senders.change_use(
            found, name=request.POST.get("name", ""), users=_users(request), daily_most=int(most) if most else None,
            by=request.employee, signature=below,
            returns_here=request.POST.get("returns_here") == "yes" if "reports" in request.POST else None,
        )  # fmt: skip
        messages.success(request, _("Saved."))
    except REFUSALS as error:
        messages.error(request, translated(str(error)))
    return redirect("senders")


@sensitive_post_parameters("password")
@require_POST
@administrators_only
def sender_server(request: Request, sender_id: str) -> HttpResponse:
    """POST /settings/senders/<id>/server: another server or password, tried before it is kept."""
    found = _sender(request, sender_id)
    try:
        senders.change_server(found, _server(request), by=request.employee, now=timezone.now())
        messages.success(request, _("The server lets letters out. Saved."))
    except REFUSALS as error:
        messages.error(request, _("Not saved.") + " " + translated(str(error)))
    return redirect("senders")


@require_POST
@administrators_only
def sender_link(request: Request, sender_id: str) -> HttpResponse:
    """POST /settings/senders/<id>/link: send the link that proves the address once more."""
    _send_link(request, _sender(request, sender_id))
    return redirect("senders")


@require_POST
@administrators_only
def sender_removal(request: Request, sender_id: str) -> HttpResponse:
    """POST /settings/senders/<id>/removal: nothing leaves from it any more."""
    found = _sender(request, sender_id)
    senders.remove(found, by=request.employee, now=timezone.now())
    messages.success(request, _("%(address)s is removed: nothing leaves from it any more.") % {"address": found})
    return redirect("senders")


@login_not_required  # the token says who reads the address
@never_cache
def sender_proof(request: HttpRequest, token: str) -> HttpResponse:
    """GET /senders/<token>: the question to the address's owner, which changes nothing. POST: yes."""
    now = timezone.now()
    try:
        if request.method == "POST":
            proved = senders.verify(token, now=now)
            return render(request, "web/senders/proved.html", {"sender": proved})
        asked = senders.pending(token, now=now)
    except senders.LinkInvalid as error:
        return render(request, "web/senders/link_over.html", {"reason": str(error)}, status=404)
    return render(request, "web/senders/proof.html", {"sender": asked})


def _sender(request: Request, sender_id: str) -> VerifiedSender:
    mine = VerifiedSender.objects.editable_by(request.employee).select_related("account")
    found: VerifiedSender = get_object_or_404(mine, public_id=sender_id)
    return found


def _send_link(request: Request, found: VerifiedSender) -> None:
    try:
        senders.send_link(found, by=request.employee, now=timezone.now())
        text = _("A link went to %(address)s. Letters may leave once somebody who reads it there confirms.")
        messages.success(request, text % {"address": found})
    except REFUSALS as error:
        messages.error(request, translated(str(error)))


def _server(request: Request) -> Login:
    said = request.POST
    port = said.get("port", "").strip()
    return Login(
        host=said.get("host", "").strip()[:255],
        port=int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0,
        security=said.get("security", ""),
        user=said.get("user", "").strip()[:320],
        password=said.get("password", "")[:1000],
    )


def _users(request: Request) -> senders.Users:
    """Whom the form names. Http404 for whom it cannot."""
    who = request.POST.get("who", "")
    if who not in {"everyone", "some"}:
        raise Http404
    if who == "everyone":
        return senders.Users(is_everyones=True)
    named = [recipient(request, name) for name in request.POST.getlist("to")]
    return senders.Users(named=tuple(each for each in named if each is not None))


def _page(request: Request, *, error: str = "", typed: dict[str, str] | None = None) -> HttpResponse:
    me = request.employee
    found = VerifiedSender.objects.editable_by(me).prefetch_related("users__employee", "users__department")
    signed = set(signing.of(me.account).exclude(published_at=None).values_list("domain", flat=True))
    facts = {
        "area": "senders",
        "lines": [_line(each, signed) for each in found.order_by("address", "pk")],
        "people": Employee.objects.visible_to(me).working().order_by("name"),
        "departments": Department.objects.visible_to(me).order_by("name"),
        "securities": SECURITIES,
        "inbound": settings.INBOUND.domain,
        "error": error,
        "typed": typed or {"port": "465", "security": "tls", "who": "everyone"},
    }
    return render(request, "web/senders/page.html", facts, status=422 if error else 200)


def _line(each: VerifiedSender, signed: set[str]) -> dict[str, Any]:
    users = each.users.all()
    named = [f"employee:{one.employee.public_id}" for one in users if one.employee]
    named += [f"department:{one.department.public_id}" for one in users if one.department]
    labels = each.address.rpartition("@")[2].split(".")
    is_signed = not signed.isdisjoint(".".join(labels[level:]) for level in range(len(labels)))
    waits = each.link_expires_at is not None and each.link_expires_at > timezone.now()
    below = each.signature_text.removeprefix(SIGNATURE_MARK)
    return {"sender": each, "named": named, "is_signed": is_signed, "waits": waits, "signature": below}
