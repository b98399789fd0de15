"""Mailboxes polled for CRM alone, for administrators: connected with a visible test, set, mended, left (R30)."""

from dataclasses import asdict
from datetime import datetime, time
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from letterdesk.accounts.models import Employee
from letterdesk.accounts.pace import TooFast
from letterdesk.crm.linking.turns import people_in_turn
from letterdesk.crm.models import PolledLetter, PolledMailbox, PolledState, Returning, Unknown
from letterdesk.crm.polled import connect as polled
from letterdesk.crm.polled.read import LARGEST, LARGEST_ASKED
from letterdesk.mail.errors import MailError
from letterdesk.mail.imap_types import Login
from letterdesk.mailboxes.connect import Server as Mailserver
from letterdesk.web.account.people import administrators_only
from letterdesk.web.crm.settings import read_saving
from letterdesk.web.mail.words import translated
from letterdesk.web.mailboxes.connecting import SECURITIES, as_initial, shown_steps
from letterdesk.web.mailboxes.lookup import find
from letterdesk.web.mailboxes.state import advice_on
from letterdesk.web.request import Request

TYPED = ("address", "host", "port", "security", "user", "since")
REFUSALS = (polled.BadPolled, TooFast, MailError)
MOST_SHOWN = 50


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@administrators_only
def mailboxes(request: Request) -> HttpResponse:
    """GET /settings/sendsave/mailboxes: those of the account. POST: test the server step by step, and connect it."""
    if request.method == "GET":
        return _page(request)
    me, now = request.employee, timezone.now()
    typed = {name: request.POST.get(name, "").strip()[:320] for name in TYPED}
    _find_server(request, typed)
    server = _server(typed, request.POST.get("password", ""))
    steps: list[dict[str, Any]] = []
    try:
        older = _older(request)
        tried = polled.try_out(server, by=me, now=now)
        steps = [asdict(each) for each in shown_steps(tried, _as_shown(server), address=typed["address"])]
        if not all(step.ok for step in tried):
            return _page(request, typed=typed, steps=steps)
        made = polled.connect(
            typed["address"], server, by=me, now=now, older=older, becomes=_becomes(request), is_tried=True
        )
    except REFUSALS as error:
        return _page(request, typed=typed, steps=steps, error=translated(str(error)))
    messages.success(request, _("%(address)s is connected. What comes from now on goes to CRM.") % {"address": made})
    return redirect("polled_mailbox", made.public_id)


@require_http_methods(["GET", "POST"])
@administrators_only
def mailbox(request: Request, polled_id: str) -> HttpResponse:
    """GET /settings/sendsave/mailboxes/<id>: one of them. POST `change`: look, pause, resume, disconnect, saving,
    folders, older."""
    found = _found(request, polled_id)
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
    found = _found(request, polled_id)
    typed = {name: request.POST.get(name, "").strip()[:320] for name in TYPED}
    try:
        given = _server(typed, request.POST.get("password", ""))
        polled.mend(found, given, by=request.employee, now=timezone.now())
        messages.success(request, _("The server lets us in. Saved."))
    except REFUSALS as error:
        messages.error(request, _("Not saved.") + " " + translated(str(error)))
    return redirect("polled_mailbox", found.public_id)


@require_POST
@administrators_only
def letter(request: Request, polled_id: str, polled_letter_id: str) -> HttpResponse:
    """POST /settings/sendsave/mailboxes/<id>/letters/<id>: ask the server for it once more."""
    found = _found(request, polled_id)
    letters = PolledLetter.objects.editable_by(request.employee).filter(mailbox=found).exclude(trouble="")
    polled.try_letter(get_object_or_404(letters, public_id=polled_letter_id), now=timezone.now())
    messages.success(request, _("It is asked for once more. If it can be had now, it leaves this list."))
    return redirect("polled_mailbox", found.public_id)


def _look(_request: Request, found: PolledMailbox, now: datetime) -> str:
    polled.look_now(found, now=now)
    return _("It is looked at now.")


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
    polled.change(found, _becomes(request), by=request.employee)
    return _("Saved. It holds for letters that come from now on.")


def _folders(request: Request, found: PolledMailbox, now: datetime) -> str:
    ids = [int(each) for each in request.POST.getlist("folder") if each.isascii() and each.isdigit() and len(each) < 19]
    polled.choose_folders(found, ids, by=request.employee, now=now)
    return _("Saved.")


def _choose_older(request: Request, found: PolledMailbox, now: datetime) -> str:
    polled.choose_older(found, _older(request), by=request.employee, now=now)
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


def _found(request: Request, polled_id: str) -> PolledMailbox:
    mine = PolledMailbox.objects.editable_by(request.employee).exclude(state=PolledState.DISCONNECTED)
    found: PolledMailbox = get_object_or_404(mine.select_related("account"), public_id=polled_id)
    return found


def _find_server(request: Request, typed: dict[str, str]) -> None:
    """Where no server was typed, the one that is known of the address."""
    if typed["host"] or "@" not in typed["address"]:
        return
    if known := find(request, typed["address"]):
        initial = as_initial(known)
        for name in ("host", "port", "security"):
            typed[name] = str(initial[f"imap_{name}"])
        typed["user"] = typed["user"] or initial["imap_user"]


def _server(typed: dict[str, str], password: str) -> Login:
    port = typed["port"]
    return Login(
        host=typed["host"],
        port=int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 0,
        security=typed["security"],
        user=typed["user"] or typed["address"],
        password=password[:1000],
    )


def _as_shown(given: Login) -> Mailserver:
    return Mailserver(given.host, given.port, given.security, given.user)


def _older(request: Request) -> polled.Older:
    """What the form says of older letters. Raises BadPolled for what is no day."""
    typed = request.POST.get("since", "").strip()
    if request.POST.get("older") != "since":
        return polled.Older()
    try:
        day = parse_date(typed)
    except ValueError:
        day = None
    if day is None or day.year < 1970:
        raise polled.BadPolled(_("Choose the day from which older letters are taken."))
    since = timezone.make_aware(datetime.combine(day, time.min))
    return polled.Older(since, makes=request.POST.get("makes") == "yes")


def _becomes(request: Request) -> polled.Becomes:
    """What the form says of unknown people. Raises Http404 for what it cannot say."""
    said = read_saving(request)
    return polled.Becomes(
        incoming=said["unknown_incoming"],
        outgoing=said["unknown_outgoing"],
        returning=said["returning"],
        responsible=tuple(said["responsible"]),
        came_from=said["came_from"],
    )


def _page(
    request: Request, *, typed: dict[str, str] | None = None, steps: list[dict[str, Any]] | None = None, error: str = ""
) -> HttpResponse:
    mine = PolledMailbox.objects.visible_to(request.employee).exclude(state=PolledState.DISCONNECTED)
    said = _becomes(request)  # what was chosen stays chosen
    facts = {
        "area": "sendsave",
        "mailboxes": mine.order_by("address", "pk"),
        "typed": typed or {"port": "993", "security": "tls"},
        "steps": steps or [],
        "error": error,
        "securities": SECURITIES,
        "today": timezone.localdate(),
        "older_makes": request.POST.get("makes") == "yes",
        **_saving_facts(request, PolledMailbox(**said.columns()), list(said.responsible)),
    }
    return render(request, "web/polled/page.html", facts, status=422 if typed else 200)


def _facts(request: Request, found: PolledMailbox) -> dict[str, Any]:
    troubled = PolledLetter.objects.visible_to(request.employee).filter(mailbox=found).exclude(trouble="")
    return {
        "area": "sendsave",
        "mailbox": found,
        "advice": advice_on(found.error_code),
        "error": translated(found.error_text),
        "folders": found.folders.order_by("name"),
        "largest": LARGEST,
        "largest_asked": LARGEST_ASKED,
        "troubled": troubled.select_related("folder").order_by("-received_at")[:MOST_SHOWN],
        "securities": SECURITIES,
        "today": timezone.localdate(),
        **_saving_facts(request, found, people_in_turn(found)),
    }


def _saving_facts(request: Request, saving: PolledMailbox, in_turn: list[Employee]) -> dict[str, Any]:
    places = {person.pk: place for place, person in enumerate(in_turn)}
    working = Employee.objects.visible_to(request.employee).working().order_by("name")
    return {
        "saving": saving,
        "is_polled": True,
        "unknowns": Unknown.choices,
        "returnings": Returning.choices,
        "responsibles": sorted(working, key=lambda person: places.get(person.pk, len(places))),
        "in_turn": set(places),
    }
