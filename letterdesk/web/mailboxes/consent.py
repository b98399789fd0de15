"""Sign in by OAuth: to the provider and back, to connect a mailbox or to sign in to it anew (docs/decisions/0014)."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from letterdesk.accounts.pace import TooFast
from letterdesk.mail.check import CheckStep, test_login
from letterdesk.mail.errors import MailError
from letterdesk.mail.oauth import Provider, Tokens, code_of, redeem
from letterdesk.mailboxes.connect import AlreadyConnected, NotPossible, connected_as, mend
from letterdesk.mailboxes.models import Mailbox
from letterdesk.mailboxes.tokens import Consent, redirect_address
from letterdesk.plans import limits
from letterdesk.plans.limits import PlanError
from letterdesk.sync.claims import ask_for_pass
from letterdesk.sync.connections import guard
from letterdesk.web.crm import polled_consent
from letterdesk.web.mail.words import translated
from letterdesk.web.mailboxes import wizard as drafts
from letterdesk.web.mailboxes.connect import take_steps
from letterdesk.web.mailboxes.connecting import logins_of, shown_steps, spend_test
from letterdesk.web.mailboxes.consenting import (
    CRM,
    as_fields,
    as_server,
    as_whom,
    ask,
    keep_refusal,
    not_shared,
    provider_for,
    take_question,
    wrong_person,
)
from letterdesk.web.mailboxes.state import advice_on
from letterdesk.web.mailboxes.upkeep import SERVER_FIELDS
from letterdesk.web.request import Request


@never_cache
@require_POST
def for_draft(request: Request) -> HttpResponse:
    """POST /mailboxes/connect/consent: to the provider of the address that is being connected."""
    limits.require(request.employee.account, integration=True)  # R1, R2
    draft = drafts.load(request)
    provider = provider_for(draft.address, draft.server.get("imap_host", ""))
    if not draft.address or provider is None:
        return redirect("connect")
    return ask(request, provider, address=draft.address)


@never_cache
@require_POST
def for_mailbox(request: Request, mailbox_id: str) -> HttpResponse:
    """POST /mailboxes/<id>/consent: to the provider of a mailbox, to sign in anew, or by OAuth from now on."""
    mailbox = _manageable(request, mailbox_id)
    provider = provider_for(mailbox.address, mailbox.imap_host)
    if provider is None:
        raise Http404
    return ask(request, provider, address=mailbox.address, mailbox_id=mailbox.public_id)


@never_cache
@require_GET
def answered(request: Request, provider_key: str) -> HttpResponse:
    """GET /oauth/<provider>: back from there, with a code or a no. Nothing is shown here, so that no code stays in an
    address."""
    provider: Provider | None = settings.OAUTH_PROVIDERS.get(provider_key)
    question = take_question(request, provider) if provider else None
    if question is None or question["purpose"] != CRM:  # R30: a mailbox for CRM alone is in every plan
        limits.require(request.employee.account, integration=True)  # R2
    if provider is None or question is None:
        messages.error(request, _("This sign-in was not begun here, or too long ago. Begin it again."))
        return redirect("mailboxes")
    try:
        tokens = _given(request, provider, question)
    except _Refused as error:
        keep_refusal(request, str(error))
        if question["purpose"] == CRM:
            return polled_consent.led_back(request, question)
        return redirect("mailbox_sign_in", question["mailbox"]) if question["mailbox"] else redirect("connect_sign_in")
    if question["purpose"] == CRM:
        return polled_consent.take_answer(request, provider, question, tokens)
    return (_mended if question["mailbox"] else _drafted)(request, provider, question, tokens)


class _Refused(Exception):
    """The text is for the person."""


def _given(request: Request, provider: Provider, question: dict[str, Any]) -> Tokens:
    """What the provider gives for the answer. Raises _Refused."""
    where = redirect_address(provider.key)
    try:
        spend_test(request)
        code = code_of(provider, request.GET.dict())
        tokens = redeem(provider, code, question["asked"], redirect=where, guard=guard())
    except MailError as error:
        raise _Refused(f"{translated(error.text)} {advice_on(error.code)}".strip()) from error
    except TooFast as error:
        raise _Refused(str(error)) from error
    who = as_whom(tokens, question["address"])
    if who and not provider.opens_shared:
        raise _Refused(wrong_person(who, question["address"]))
    return tokens


def _drafted(request: Request, provider: Provider, question: dict[str, Any], tokens: Tokens) -> HttpResponse:
    """The wizard goes on with the test, as after a password."""
    now, draft = timezone.now(), drafts.load(request)
    if draft.address != question["address"]:
        messages.error(request, _("Another address was begun meanwhile. Sign in for that one."))
        return redirect("connect")
    draft.take(Consent.given(provider.key, tokens, now=now, who=as_whom(tokens, draft.address)).as_secret())
    draft.server = as_fields(provider, draft.server)
    server = as_server(provider, draft.server, draft.address)
    if there := connected_as(request.employee.account, server, draft.address):
        drafts.drop(request)
        messages.error(request, str(AlreadyConnected(there)))
        return redirect("connect")
    steps = take_steps(draft, server, limits.terms(request.employee.account), now)
    drafts.keep(request, draft)
    _say_whose(request, steps, tokens, draft.address)
    return redirect("connect_choices" if all(step.ok for step in steps) else "connect_sign_in")


def _mended(request: Request, provider: Provider, question: dict[str, Any], tokens: Tokens) -> HttpResponse:
    """The mailbox keeps everything, and takes the consent in its old secret's place if that lets us in."""
    now, mailbox = timezone.now(), _manageable(request, question["mailbox"])
    server = as_server(provider, {name: getattr(mailbox, name) for name in SERVER_FIELDS}, mailbox.address)
    secret = Consent.given(provider.key, tokens, now=now, who=as_whom(tokens, mailbox.address)).as_secret()
    imap, smtp = logins_of(server, secret)
    steps = list(test_login(imap, guard(), smtp_login=smtp))
    if not all(step.ok for step in steps if step.name != "smtp"):
        shown = [asdict(step) for step in shown_steps(steps, server, address=mailbox.address)]
        request.session["steps"] = {"mailbox": mailbox.public_id, "steps": shown}
        _say_whose(request, steps, tokens, mailbox.address)
        return redirect("mailbox_sign_in", mailbox.public_id)
    try:
        mend(mailbox, secret=secret, server=server, by=request.employee, now=now)
    except (PlanError, AlreadyConnected, NotPossible) as error:
        keep_refusal(request, str(error))
        return redirect("mailbox_sign_in", mailbox.public_id)
    ask_for_pass(mailbox)
    messages.success(request, _("%(name)s let us in, and syncing goes on.") % {"name": provider.name})
    if failed := next((step.error for step in steps if step.error), None):
        messages.warning(
            request, _("Receiving works. Sending does not yet: %(why)s") % {"why": translated(failed.text)}
        )
    return redirect("mailbox", mailbox.public_id)


def _say_whose(request: Request, steps: list[CheckStep], tokens: Tokens, address: str) -> None:
    """A refusal is often that of a person who signed in for another's mailbox."""
    is_refused = any(step.name in {"sign_in", "folders"} and not step.ok for step in steps)
    if is_refused and (who := as_whom(tokens, address)):
        keep_refusal(request, not_shared(who, address))


def _manageable(request: Request, mailbox_id: str) -> Mailbox:
    with_server = Mailbox.objects.manageable_by(request.employee).exclude(imap_host="")
    mailbox: Mailbox = get_object_or_404(with_server, public_id=mailbox_id)
    return mailbox
