"""Connect a mailbox: find the server, test it in six visible steps, connect. Nothing is ever half-connected."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from letterdesk.accounts.pace import TooFast, spend
from letterdesk.mail.autoconfig import Found, find_settings
from letterdesk.mail.check import CheckStep, test_login
from letterdesk.mailboxes.connect import AlreadyConnected, owned
from letterdesk.mailboxes.connect import connect as connect_mailbox
from letterdesk.plans import limits
from letterdesk.plans.catalogue import Terms
from letterdesk.plans.limits import PlanError
from letterdesk.sync.connections import guard
from letterdesk.web.connecting import ConnectForm, as_initial, logins_of, server_of, shown_steps
from letterdesk.web.request import Request

TESTS_PER_HOUR = 10  # D03: no port scanner
SEARCHES_PER_HOUR = 60


@never_cache  # the form hands a typed password back, so that nobody types it twice
@sensitive_post_parameters("password")
def connect(request: Request) -> HttpResponse:
    """GET shows the form. POST `do`: `find` the server, `test` the sign-in, or test and `connect`."""
    if request.method != "POST":
        return _page(request, ConnectForm(_terms(request)))
    if request.POST.get("do") == "find":
        return _page(request, *_find(request))
    form = ConnectForm(_terms(request), _with_server(request))
    return _try(request, form) if form.is_valid() else _page(request, form)


@require_POST
def connect_server(request: Request) -> HttpResponse:
    """POST /mailboxes/connect/server: the server's settings for an address, as a part of the form (htmx)."""
    if request.POST.get("imap_host", "").strip():
        return HttpResponse(status=204)  # typed by hand: not to be overwritten
    form, facts = _find(request)
    return render(request, "web/connect/server.html", {"form": form, **facts})


def _find(request: Request) -> tuple[ConnectForm, dict[str, Any]]:
    """The form with what was found for its address filled in, and what to say about it."""
    found = _found(request)
    typed = {name: request.POST[name] for name in ("address", "password", "name", "fetch_days") if name in request.POST}
    form = ConnectForm(_terms(request))
    form.initial = {**typed, **(as_initial(found) if found else {"imap_port": 993, "smtp_port": 465})}
    if found:
        return form, {"found": found.provider or found.imap.host, "note": found.note}
    asked = "@" in request.POST.get("address", "")
    return form, _not_found() if asked else {"open": True}


def _not_found() -> dict[str, Any]:
    return {"not_found": _("No settings were found. Type the server's name below."), "open": True}


def _found(request: Request) -> Found | None:
    now, address = timezone.now(), request.POST.get("address", "").strip()
    if "@" not in address:
        return None
    try:
        _spend(request, "find", SEARCHES_PER_HOUR, now)
    except TooFast:
        return None
    return next(iter(find_settings(address, guard=guard())), None)


def _with_server(request: Request) -> dict[str, Any]:
    """What was posted, with the server looked up where none is named."""
    posted: dict[str, Any] = request.POST.dict()
    if not posted.get("imap_host", "").strip() and (found := _found(request)):
        posted |= {**as_initial(found), "imap_user": posted.get("imap_user") or found.imap.user}
    return posted


def _try(request: Request, form: ConnectForm) -> HttpResponse:
    wish, now = form.cleaned_data, timezone.now()
    if not wish["imap_host"]:
        return _page(request, form, _not_found(), status=422)
    try:
        _spend(request, "test", TESTS_PER_HOUR, now)
    except TooFast as error:
        form.add_error(None, str(error))
        return _page(request, form)
    imap, smtp = logins_of(server_of(wish), wish["password"])
    steps = list(test_login(imap, guard(), smtp_login=smtp))
    passed = all(step.ok for step in steps if step.name != "smtp")
    if passed and request.POST.get("do") == "connect":
        return _connect(request, form, steps, now)
    shown = {"steps": shown_steps(steps, with_smtp=smtp is not None), "steps_passed": passed}
    return _page(request, form, shown, status=200 if passed else 422)


def _connect(request: Request, form: ConnectForm, steps: list[CheckStep], now: datetime) -> HttpResponse:
    wish = form.cleaned_data
    try:
        mailbox = connect_mailbox(
            request.employee,
            address=wish["address"],
            server=server_of(wish),
            secret={"password": wish["password"]},
            name=wish["name"],
            fetch_days=wish["fetch_days"],
            by=request.employee,
            now=now,
        )
    except PlanError as refusal:
        return _page(request, form, {"refusal": refusal}, status=409)
    except AlreadyConnected as error:
        form.add_error(None, str(error))
        return _page(request, form)
    messages.success(request, _("Connected. The newest letters come first; you can work meanwhile."))
    if not steps[-1].ok and steps[-1].error:
        messages.warning(request, _("Receiving works. Sending does not yet: %(why)s") % {"why": steps[-1].error.text})
    return redirect("ledger", mailbox.public_id)


def _page(
    request: Request, form: ConnectForm, facts: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    used, most = owned(request.employee).count(), _terms(request).mailboxes_per_employee
    said = _("Connected mailboxes of yours: %(used)d.") if most is None else _("Your mailboxes: %(used)d of %(most)d.")
    shown = {"area": "connect", "form": form, "limits_text": said % {"used": used, "most": most}, **(facts or {})}
    return render(request, "web/connect/form.html", shown, status=422 if form.errors else status)


def _terms(request: Request) -> Terms:
    limits.require(request.employee.account, integration=True)  # R1, R2
    return limits.terms(request.employee.account)


def _spend(request: Request, action: str, most: int, now: datetime) -> None:
    me = request.employee
    spend(me.account, f"connect.{action}", who=me.public_id, most=most, within=timedelta(hours=1), now=now)
