"""Connect a mailbox, steps 1 and 2: the address, and a sign-in tested in six visible steps. Step 3: connect_choices.py.

Nothing is ever half-connected: what was told lies in an encrypted draft until everything is decided (wizard.py).
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from letterdesk.accounts.pace import TooFast
from letterdesk.mail.check import CheckStep, test_login
from letterdesk.mail.errors import MailError
from letterdesk.mail.survey import survey
from letterdesk.mailboxes.connect import AlreadyConnected, Server, connected_as, owned
from letterdesk.plans import limits
from letterdesk.plans.catalogue import Terms
from letterdesk.plans.limits import PlanError
from letterdesk.sync.connections import guard
from letterdesk.web.mailboxes import wizard as drafts
from letterdesk.web.mailboxes.connect_choices import connect_usual
from letterdesk.web.mailboxes.connecting import (
    AddressForm,
    SignInForm,
    as_initial,
    depth_days,
    logins_of,
    meter,
    server_of,
    shown_steps,
    spend_test,
)
from letterdesk.web.mailboxes.consenting import provider_for, take_refusal
from letterdesk.web.mailboxes.lookup import find
from letterdesk.web.mailboxes.wizard import Draft, DraftFolder
from letterdesk.web.request import Request


@never_cache
def connect(request: Request) -> HttpResponse:
    """Step 1. GET shows it; POST takes the address, looks for its server and goes on to the sign-in."""
    terms, draft = _terms(request), drafts.load(request)
    form = AddressForm(request.POST or None, initial={"address": draft.address})
    if request.method == "POST" and form.is_valid() and _room(request) is None:
        _begin(request, draft, form.cleaned_data["address"])
        return redirect("connect_sign_in")
    refusal = _room(request)
    status = 409 if refusal and request.method == "POST" else 422 if form.errors else 200
    facts = {"form": form, "refusal": refusal, "step": 1, **meter(request, terms)}
    return render(request, "web/connect/address.html", {"area": "connect", **facts}, status=status)


def _begin(request: Request, draft: Draft, address: str) -> None:
    """A new draft, unless the person has only gone back and on again."""
    if draft.address.lower() == address.lower() and draft.server:
        return
    found = find(request, address)
    server = as_initial(found) if found else {"imap_port": 993, "smtp_port": 465}
    where = found.provider or found.imap.host if found else ""
    drafts.keep(request, Draft(address, server=server, found=where, note=found.note if found else ""))


def _room(request: Request) -> PlanError | None:
    """Why the plan has no place for another mailbox of this person; None: it has (R14)."""
    try:
        limits.require(request.employee.account, integration=True, mailboxes=owned(request.employee).count() + 1)
    except PlanError as refusal:
        return refusal
    return None


@never_cache  # the form hands a typed password back, so that nobody types it twice
@sensitive_post_parameters("password")
def sign_in(request: Request) -> HttpResponse:
    """Step 2. POST `do`: `test` alone, test and go on to the `next` step, or test and `connect` with usual choices."""
    terms, draft = _terms(request), drafts.load(request)
    if not draft.address:
        return redirect("connect")
    if request.method != "POST":
        form = SignInForm(initial=draft.server, has_password=bool(draft.password))
        return _page(request, draft, form, steps=draft.steps, error=take_refusal(request))
    form = SignInForm(_with_way(request), has_password=bool(draft.password))
    if not form.is_valid():
        return _page(request, draft, form, status=422)
    return _test(request, draft, form, terms)


def _with_way(request: Request) -> dict[str, Any]:
    """What was typed, changed by the way out that was taken ("imap_port=993&imap_security=tls")."""
    fields = {name for name in SignInForm.base_fields if name != "password"}
    way = {name: value for name, value in parse_qsl(request.POST.get("use", "")) if name in fields}
    return {**request.POST.dict(), **way}


def _test(request: Request, draft: Draft, form: SignInForm, terms: Terms) -> HttpResponse:
    wish, now = form.cleaned_data, timezone.now()
    password = wish.pop("password") or draft.password
    server = server_of(wish, draft.address)
    if there := connected_as(request.employee.account, server, draft.address):
        return _page(request, draft, form, already=AlreadyConnected(there), status=409)
    try:
        spend_test(request)
    except TooFast as error:
        form.add_error(None, str(error))
        return _page(request, draft, form, status=422)
    draft.take({"password": password})
    draft.server = wish
    steps = take_steps(draft, server, terms, now)
    drafts.keep(request, draft)
    if not draft.is_tested:
        return _page(request, draft, form, steps=draft.steps, status=422)
    return _go_on(request, draft, form, sending=steps[-1].ok)


def take_steps(draft: Draft, server: Server, terms: Terms, now: datetime) -> list[CheckStep]:
    """Test the sign-in, then see what the mailbox holds; both are kept in the draft."""
    imap, smtp = logins_of(server, draft.secret)
    steps = list(test_login(imap, guard(), smtp_login=smtp))
    draft.steps = [asdict(step) for step in shown_steps(steps, server, address=draft.address)]
    draft.is_tested = all(step.ok for step in steps if step.name != "smtp")
    if draft.is_tested:
        try:
            seen = survey(imap, guard(), depths=depth_days(terms), now=now)
        except MailError:  # it let us in a moment ago: the folders are then simply all taken
            seen = []
        draft.folders = [DraftFolder.of(each) for each in seen]
    return steps


def _go_on(request: Request, draft: Draft, form: SignInForm, *, sending: bool) -> HttpResponse:
    wanted = request.POST.get("do")
    if wanted == "next" and sending:
        return redirect("connect_choices")
    if wanted == "connect":
        try:
            return connect_usual(request, draft)
        except PlanError as refusal:
            return _page(request, draft, form, refusal=refusal, steps=draft.steps, status=409)
        except AlreadyConnected as already:
            return _page(request, draft, form, already=already, status=409)
    return _page(request, draft, form, steps=draft.steps)


def _page(request: Request, draft: Draft, form: SignInForm, *, status: int = 200, **facts: Any) -> HttpResponse:
    is_open = not draft.found or bool(form.errors) or any(step["state"] == "failed" for step in facts.get("steps", ()))
    provider = provider_for(draft.address, draft.server.get("imap_host", ""))
    shown = {"area": "connect", "step": 2, "form": form, "draft": draft, "open": is_open, "provider": provider, **facts}
    return render(request, "web/connect/sign_in.html", shown, status=status)


def _terms(request: Request) -> Terms:
    limits.require(request.employee.account, integration=True)  # R1, R2
    return limits.terms(request.employee.account)
