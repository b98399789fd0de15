"""Mailboxes polled for CRM alone, for administrators: connected with a visible test, set, mended, left (R30)."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from letterdesk.accounts.pace import TooFast
from letterdesk.accounts.zones import zone_of_account
from letterdesk.crm.linking.turns import people_in_turn
from letterdesk.crm.models import PolledLetter, PolledMailbox, PolledState
from letterdesk.crm.polled import connect as polled
from letterdesk.crm.polled.read import LARGEST, LARGEST_ASKED
from letterdesk.mail.errors import MailError
from letterdesk.mail.imap_types import Login
from letterdesk.mail.oauth import Provider
from letterdesk.mailboxes.connect import Server as Mailserver
from letterdesk.web.account.people import administrators_only
from letterdesk.web.crm.polled_consent import FORM, begin, editable
from letterdesk.web.crm.polled_form import becomes_of, connected, older_of, server_of, typed_in
from letterdesk.web.crm.settings import shown_saving
from letterdesk.web.mail.words import translated
from letterdesk.web.mailboxes.connecting import SECURITIES, as_initial, shown_steps
from letterdesk.web.mailboxes.consenting import provider_for, take_refusal
from letterdesk.web.mailboxes.lookup import find
from letterdesk.web.mailboxes.state import advice_on
from letterdesk.web.request import Request

REFUSALS = (polled.BadPolled, TooFast, MailError)
MOST_SHOWN = 50


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@administrators_only
def mailboxes(request: Request) -> HttpResponse:
    """GET /settings/sendsave/mailboxes: those of the account. POST: test the server step by step, and connect it."""
    if request.method == "GET":
        return _page(request, form=QueryDict(request.session.pop(FORM, "")), error=take_refusal(request))
    me, now = request.employee, timezone.now()
    typed = typed_in(request.POST)
    if provider := settings.OAUTH_PROVIDERS.get(request.POST.get("provider", "")):
        return _to(request, provider)
    _find_server(request, typed)
    server = server_of(typed, request.POST.get("password", ""))
    steps: list[dict[str, Any]] = []
    try:
        older = older_of(request.POST, me.account)
        tried = polled.try_out(server, by=me, now=now)
        steps = [asdict(each) for each in shown_steps(tried, _as_shown(server), address=typed["address"])]
        if not all(step.ok for step in tried):
            return _page(request, form=request.POST, typed=typed, steps=steps)
        made = polled.connect(
            typed["address"], server, by=me, now=now, older=older, becomes=becomes_of(request.POST, by=me),
            is_tried=True,
        )  # fmt: skip
    except REFUSALS as error:
        return _page(request, form=request.POST, typed=typed, steps=steps, error=translated(str(error)))
    messages.success(request, connected(made))
    return redirect("polled_mailbox", made.public_id)


@require_http_methods(["GET", "POST"])
@administrators_only
def mailbox(request: Request, polled_id: str) -> HttpResponse:
    """GET /settings/sendsave/mailboxes/<id>: one of them. POST `change`: look, pause, resume, disconnect, saving,
    folders, older."""
    found = editable(request, polled_id)
    if request.method == "GET":
        return render(request, "web/polled/mailbox.html", _facts(request, found))
    change = _CHANGES.get(request.POST.get("change", ""))
    if change is None:
        raise Http404
    try:
        messages.success(request, change(request, found, timezone.now()))
    except polled.BadPolled as error:
        messages.error(request, str(error))
    if request.POST.get("change") == "disconnect":
        return redirect("polled_mailboxes")
    return redirect("polled_mailbox", found.public_id)


@sensitive_post_parameters("password")
@require_POST
@administrators_only
def server(request: Request, polled_id: str) -> HttpResponse:
    """POST /settings/sendsave/mailboxes/<id>/server: another server or password, tried before it is kept."""
    found = editable(request, polled_id)
    try:
        given = server_of(typed_in(request.POST), request.POST.get("password", ""))
        polled.mend(found, given, by=request.employee, now=timezone.now())
        messages.success(request, _("The server lets us in. Saved."))
    except REFUSALS as error:
        messages.error(request, _("Not saved.") + " " + translated(str(error)))
    return redirect("polled_mailbox", found.public_id)


@require_POST
@administrators_only
def letter(request: Request, polled_id: str, polled_letter_id: str) -> HttpResponse:
    """POST /settings/sendsave/mailboxes/<id>/letters/<id>: ask the server for it once more."""
    found = editable(request, polled_id)
    letters = PolledLetter.objects.editable_by(request.employee).filter(mailbox=found).put_aside()
    polled.try_letter(get_object_or_404(letters, public_id=polled_letter_id), now=timezone.now())
    messages.success(request, _("It is asked for once more. If it can be had now, it leaves this list."))
    return redirect("polled_mailbox", found.public_id)


def _look(request: Request, found: PolledMailbox, now: datetime) -> str:
    if polled.look_now(found, by=request.employee, now=now):
        return _("A look is under way; the next one follows it. If it was broken off, that is within two minutes.")
    return _("It is looked at as soon as possible, mostly within seconds.")


def _pause(request: Request, found: PolledMailbox, _now: datetime) -> str:
    polled.pause(found, by=request.employee)
    return _("Paused. What comes meanwhile is taken when you resume it.")


def _resume(request: Request, found: PolledMailbox, now: datetime) -> str:
    polled.resume(found, by=request.employee, now=now)
    return _("It is looked at again.")


def _disconnect(request: Request, found: PolledMailbox, _now: datetime) -> str:
    polled.disconnect(found, by=request.employee)
    text = _("%(address)s is disconnected. What is in CRM stays there, and the mail on the server stays as it is.")
    return text % {"address": found}


def _saving(request: Request, found: PolledMailbox, _now: datetime) -> str:
    polled.change(found, becomes_of(request.POST, by=request.employee, now=found), by=request.employee)
    return _("Saved. It holds for letters that come from now on.")


def _folders(request: Request, found: PolledMailbox, now: datetime) -> str:
    ids = [int(each) for each in request.POST.getlist("folder") if each.isascii() and each.isdigit() and len(each) < 19]
    polled.choose_folders(found, ids, by=request.employee, now=now)
    return _("Saved.")


def _choose_older(request: Request, found: PolledMailbox, now: datetime) -> str:
    polled.choose_older(found, older_of(request.POST, found.account), by=request.employee, now=now)
    return _("Saved.")


_CHANGES = {
    "look": _look,
    "pause": _pause,
    "resume": _resume,
    "disconnect": _disconnect,
    "saving": _saving,
    "folders": _folders,
    "older": _choose_older,
}


def _find_server(request: Request, typed: dict[str, str]) -> None:
    """Where no server was typed, the one that is known of the address."""
    if typed["host"] or "@" not in typed["address"]:
        return
    if known := find(request, typed["address"]):
        initial = as_initial(known)
        for name in ("host", "port", "security"):
            typed[name] = str(initial[f"imap_{name}"])
        typed["user"] = typed["user"] or initial["imap_user"]


def _as_shown(given: Login) -> Mailserver:
    return Mailserver(given.host, given.port, given.security, given.user)


def _to(request: Request, provider: Provider) -> HttpResponse:
    """To the provider, or back to the form with what is wrong with it."""
    try:
        return begin(request, provider)
    except polled.BadPolled as error:
        return _page(request, form=request.POST, typed=typed_in(request.POST), error=str(error))


def _page(
    request: Request,
    *,
    form: QueryDict,
    typed: dict[str, str] | None = None,
    steps: list[dict[str, Any]] | None = None,
    error: str = "",
) -> HttpResponse:
    """The page with the form as it was filled in; `typed`: it is refused."""
    mine = PolledMailbox.objects.visible_to(request.employee).exclude(state=PolledState.DISCONNECTED)
    said = becomes_of(form, by=request.employee)  # what was chosen stays chosen
    facts = {
        "area": "sendsave",
        "mailboxes": mine.order_by("address", "pk"),
        "typed": typed or {"port": "993", "security": "tls", **(typed_in(form) if form else {})},
        "steps": steps or [],
        "error": error,
        "providers": settings.OAUTH_PROVIDERS.values(),
        "securities": SECURITIES,
        "today": timezone.localdate(timezone=zone_of_account(request.employee.account)),
        "older_makes": form.get("makes") == "yes",
        "is_polled": True,
        **shown_saving(PolledMailbox(**said.columns()), said.responsible, to=request.employee),
    }
    return render(request, "web/polled/page.html", facts, status=422 if typed else 200)


def _facts(request: Request, found: PolledMailbox) -> dict[str, Any]:
    zone = zone_of_account(found.account)
    troubled = PolledLetter.objects.visible_to(request.employee).filter(mailbox=found).put_aside()
    return {
        "area": "sendsave",
        "mailbox": found,
        "advice": advice_on(found.error_code),
        "is_late": found.is_late(timezone.now()),
        "error": translated(found.error_text),
        "refusal": take_refusal(request),
        "provider": provider_for(found.address, found.imap_host),
        "is_polled": True,
        "folders": found.folders.order_by("name"),
        "largest": LARGEST,
        "largest_asked": LARGEST_ASKED,
        "troubled": troubled.select_related("folder").order_by("-received_at")[:MOST_SHOWN],
        "securities": SECURITIES,
        "since": timezone.localtime(found.older_since, zone).date() if found.older_since else None,
        "today": timezone.localdate(timezone=zone),
        **shown_saving(found, people_in_turn(found), to=request.employee),
    }
