"""Legal holds, for administrators: placed with a reason, listed in counts, released; never what a letter says (F05)."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from letterdesk.mailboxes.models import Conversation, LegalHold, Mailbox
from letterdesk.mailboxes.retention import legal
from letterdesk.web.account.people import administrators_only
from letterdesk.web.request import Request

LONGEST = {"reason": 400, "address": 320}
IN_ADDRESS = re.compile(r"/(?:mail/[^/?#]+|conversations)/([A-Za-z0-9]{8,16})(?:[/?#]|$)")
Scope = LegalHold.Scope


@dataclass(frozen=True)
class Line:
    """A hold, what it is on, how many letters it holds, and when a released one lets go."""

    hold: LegalHold
    on: str
    letters: int
    ends_at: datetime | None


@require_http_methods(["GET", "POST"])
@administrators_only
def holds(request: Request) -> HttpResponse:
    """GET /settings/holds: the holds of the account. POST `scope`, `reason` and what it names: place one."""
    if request.method == "GET":
        return _page(request)
    try:
        placed = _placed(request)
    except legal.NotPossible as error:
        return _page(request, error=str(error), status=422)
    messages.success(request, _("On hold: %(what)s. What arrives is held, too.") % {"what": _what(placed)})
    return redirect("holds")


@require_POST
@administrators_only
def hold_release(request: Request, hold_id: str) -> HttpResponse:
    """POST /settings/holds/<id>/release: its letters stay for 30 days more (F08)."""
    hold = get_object_or_404(legal.in_force(request.employee.account), public_id=hold_id)
    if legal.release(hold, by=request.employee, now=timezone.now()):
        messages.success(request, _("Released: its letters stay for 30 days more, then they follow the rules again."))
    return redirect("holds")


def _placed(request: Request) -> LegalHold:
    """Place what the form says. Raises NotPossible, also where it names what is not there: never wider than asked."""
    scope = request.POST.get("scope", "")
    mailbox = _mailbox(request) if scope == Scope.MAILBOX else None
    conversation = _conversation(request) if scope == Scope.CONVERSATION else None
    address = _address(request) if scope == Scope.ADDRESS else ""
    if scope not in Scope.values:
        raise legal.NotPossible(_("Choose what is held."))
    me, reason = request.employee, request.POST.get("reason", "")[: LONGEST["reason"]]
    return legal.place(
        me.account, reason=reason, mailbox=mailbox, conversation=conversation, address=address, by=me,
        now=timezone.now(),
    )  # fmt: skip


def _mailbox(request: Request) -> Mailbox:
    boxes = Mailbox.objects.administered_by(request.employee)
    found: Mailbox | None = boxes.filter(public_id=request.POST.get("mailbox", "")).first()
    if found is None:
        raise legal.NotPossible(_("Choose a mailbox."))
    return found


def _conversation(request: Request) -> Conversation:
    """By the address of its page, which who reads it hands over; an administrator is not shown it here."""
    named = IN_ADDRESS.search(request.POST.get("conversation", ""))
    found = legal.conversation_named(request.employee.account, named[1]) if named else None
    if found is None:
        raise legal.NotPossible(_("Paste the address of the conversation's page, as a browser shows it."))
    return found


def _address(request: Request) -> str:
    address = request.POST.get("address", "").strip()
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", address) or len(address) > LONGEST["address"]:
        raise legal.NotPossible(_("Write one e-mail address."))
    return address


def _page(request: Request, *, error: str = "", status: int = 200) -> HttpResponse:
    account = request.employee.account
    found = list(legal.in_force(account).select_related("conversation__mailbox"))
    counts = legal.counted(account) if found else {}
    facts = {
        "area": "holds",
        "lines": [_line(hold, counts.get(hold.reference, 0)) for hold in found],
        "scopes": Scope.choices,
        "mailboxes": Mailbox.objects.administered_by(request.employee).defer("secret").order_by("address"),
        "asked": request.POST,
        "error": error,
    }
    return render(request, "web/holds/page.html", facts, status=status)


def _line(hold: LegalHold, letters: int) -> Line:
    return Line(hold, _what(hold), letters, hold.released_at + legal.GRACE if hold.released_at else None)


def _what(hold: LegalHold) -> str:
    """What a hold is on, in words."""
    if hold.scope == Scope.MAILBOX and hold.mailbox:
        return hold.mailbox.address
    if hold.scope == Scope.CONVERSATION and hold.conversation:
        return _("a conversation in %(mailbox)s") % {"mailbox": hold.conversation.mailbox.address}
    return hold.address or str(Scope(hold.scope).label)
