"""How one signs: a name and a signature for each mailbox from which one may write."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from letterdesk.accounts.preferences import NotAChoice, prefer
from letterdesk.outbound.identities import Identity, identities_of, sign
from letterdesk.outbound.words import SIGNATURE_MARK, signature
from letterdesk.web.request import Request

UNDO = ("0", "5", "", "20", "30")  # seconds; empty: the usual 10


def signatures(request: Request) -> HttpResponse:
    """GET: the signatures, and how long a letter can be stopped. POST: `mailbox`, `from_name`, `text`; or `undo`."""
    if request.method != "POST":
        return render(request, "web/outbox/signatures.html", _facts(request))
    if "undo" in request.POST:
        _keep_undo(request)
    else:
        _keep_signature(request)
    messages.success(request, _("Saved."))
    return redirect("signatures")


def _keep_undo(request: Request) -> None:
    try:
        prefer(request.employee, undo_send=request.POST["undo"])
    except NotAChoice:
        raise Http404 from None


def _keep_signature(request: Request) -> None:
    mine = {each.public_id: each.mailbox for each in identities_of(request.employee)}
    chosen = mine.get(request.POST.get("mailbox", ""))
    if chosen is None:
        raise Http404
    html, text = signature(request.POST.get("text", ""))
    name = " ".join(request.POST.get("from_name", "").split())
    sign(chosen, request.employee, from_name=name, html=html, text=text)


def _facts(request: Request) -> dict[str, Any]:
    chosen = str(request.employee.preferences.get("undo_send", ""))
    return {
        "area": "mail",
        "view": "signatures",
        "lines": [_line(each) for each in identities_of(request.employee)],
        "choices": [(value, _seconds(value), value == chosen) for value in UNDO],
    }


def _line(each: Identity) -> dict[str, Any]:
    return {"mailbox": each.mailbox, "name": each.name, "text": each.signature_text.removeprefix(SIGNATURE_MARK)}


def _seconds(value: str) -> str:
    return _("Not at all") if value == "0" else _("%(count)s seconds") % {"count": value or "10"}
