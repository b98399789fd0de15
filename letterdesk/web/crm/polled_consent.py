"""A mailbox polled for CRM alone signs in by OAuth: to the provider and back, as Webmail's do (R30, decision 14)."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from letterdesk.accounts.pace import TooFast
from letterdesk.accounts.roles import NotAllowed
from letterdesk.crm.models import PolledMailbox, PolledState
from letterdesk.crm.polled import connect as polled
from letterdesk.mail.errors import MailError
from letterdesk.mail.imap_types import Login
from letterdesk.mail.oauth import Provider, Tokens
from letterdesk.mailboxes.tokens import Consent
from letterdesk.web.account.people import administrators_only
from letterdesk.web.crm.polled_form import becomes_of, connected, older_of, server_of, typed_in
from letterdesk.web.mail.words import translated
from letterdesk.web.mailboxes.consenting import CRM, as_fields, as_whom, ask, keep_refusal, not_shared, provider_for
from letterdesk.web.mailboxes.state import advice_on
from letterdesk.web.request import Request

REFUSALS = (polled.BadPolled, TooFast, NotAllowed, MailError)
UNKEPT = ("csrfmiddlewaretoken", "password", "provider")  # of the form, while one is at the provider
FORM = "polled_form"  # in the session: what was typed, for the page to which one is led back


def begin(request: Request, provider: Provider) -> HttpResponse:
    """To the provider, for the mailbox that the form names; the form is kept meanwhile. Raises BadPolled."""
    polled.check_address(request.POST.get("address", ""))
    older_of(request.POST, request.employee.account)
    kept = request.POST.copy()
    for name in UNKEPT:
        kept.pop(name, None)
    address = request.POST["address"].strip()
    return ask(request, provider, address=address, purpose=CRM, form=kept.urlencode())


@never_cache
@require_POST
@administrators_only
def consent(request: Request, polled_id: str) -> HttpResponse:
    """POST /settings/sendsave/mailboxes/<id>/consent: to its provider, to sign in anew, or by OAuth from now on."""
    found = editable(request, polled_id)
    provider = provider_for(found.address, found.imap_host)
    if provider is None:
        raise Http404
    return ask(request, provider, address=found.address, purpose=CRM, mailbox_id=found.public_id)


def take_answer(request: Request, provider: Provider, question: dict[str, Any], tokens: Tokens) -> HttpResponse:
    """The mailbox is connected, or signed in to anew, if what the provider gave lets us in."""
    address, form = question["address"], QueryDict(question["form"])
    given = Consent.given(provider.key, tokens, now=timezone.now(), who=as_whom(tokens, address))
    try:
        if question["mailbox"]:
            found = editable(request, question["mailbox"])
            _mend(request, provider, found, given)
            messages.success(request, _("%(name)s let us in. The mailbox is read again.") % {"name": provider.name})
        else:
            found = _connect(request, provider, form, given)
            messages.success(request, connected(found))
    except REFUSALS as error:
        keep_refusal(request, _why(error, given, address))
        return led_back(request, question)
    return redirect("polled_mailbox", found.public_id)


def led_back(request: Request, question: dict[str, Any]) -> HttpResponse:
    """To the page from which one had gone to the provider, with what was typed there."""
    if question["mailbox"]:
        return redirect("polled_mailbox", question["mailbox"])
    request.session[FORM] = question["form"]
    return redirect("polled_mailboxes")


def editable(request: Request, polled_id: str) -> PolledMailbox:
    """The polled mailbox that this person may change. Raises Http404."""
    mine = PolledMailbox.objects.editable_by(request.employee).exclude(state=PolledState.DISCONNECTED)
    found: PolledMailbox = get_object_or_404(mine.select_related("account", "pipeline"), public_id=polled_id)
    return found


def _connect(request: Request, provider: Provider, form: QueryDict, given: Consent) -> PolledMailbox:
    typed, me = typed_in(form), request.employee
    server = _server(provider, server_of(typed), given)
    older, becomes = older_of(form, me.account), becomes_of(form, by=me)
    return polled.connect(
        typed["address"], server, by=me, now=timezone.now(), older=older, becomes=becomes, consent=given
    )


def _mend(request: Request, provider: Provider, found: PolledMailbox, given: Consent) -> None:
    known = Login(found.imap_host, found.imap_port, found.imap_security, found.imap_user)
    server = _server(provider, known, given)
    polled.mend(found, server, by=request.employee, now=timezone.now(), consent=given)


def _server(provider: Provider, known: Login, given: Consent) -> Login:
    """That which is known, where it is one of the provider's, else its own: no token goes to another (decision 14)."""
    named = {"imap_host": known.host, "imap_port": known.port, "imap_security": known.security}
    fields = as_fields(provider, named)
    place = (fields["imap_host"], fields["imap_port"], fields["imap_security"])
    return Login(*place, user=known.user, oauth_token=given.access)


def _why(error: Exception, given: Consent, address: str) -> str:
    said = translated(str(error))
    if not isinstance(error, MailError):
        return said
    shared = not_shared(given.who, address) if given.who else ""
    return " ".join(part for part in (said, advice_on(error.code), shared) if part)
