"""What a sign-in by OAuth needs of a page: which provider is offered, what is remembered meanwhile, what is said."""

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from letterdesk.mail.autoconfig import domain_of
from letterdesk.mail.oauth import Asked, Provider, Tokens, ask_for_consent, is_answer_to
from letterdesk.mailboxes.connect import Server
from letterdesk.mailboxes.tokens import redirect_address
from letterdesk.web.request import Request

KEPT_FOR = 600  # seconds between question and answer
WEBMAIL, CRM = "webmail", "crm"  # what a mailbox is connected for


def provider_for(address: str, imap_host: str) -> Provider | None:
    """The provider at which Letterdesk is registered and where this mailbox signs in; None: there is none."""
    providers: dict[str, Provider] = settings.OAUTH_PROVIDERS
    domain = domain_of(address)
    for provider in providers.values():
        if domain in provider.domains or (imap_host and provider.serves(imap_host)):
            return provider
    return None


def as_fields(provider: Provider, known: dict[str, Any]) -> dict[str, Any]:
    """The fields of the sign-in form: the servers that are `known` where they are the provider's, else its own."""
    fields: dict[str, Any] = {"imap_user": known.get("imap_user", "")}
    for part in ("imap", "smtp"):
        names = [f"{part}_{name}" for name in ("host", "port", "security")]
        if known.get(names[0]) and provider.serves(known[names[0]]):
            fields |= {name: known.get(name) for name in names}
        else:
            place, _space, security = getattr(provider, part).partition(" ")
            host, _colon, port = place.rpartition(":")
            fields |= dict(zip(names, (host, int(port), security), strict=True))
    return fields


def as_server(provider: Provider, fields: dict[str, Any], address: str) -> Server:
    """The server of these fields: signed in to as `address` where no user is named, also for sending."""
    user = fields["imap_user"] or address
    return Server(**{**as_fields(provider, fields), "imap_user": user, "smtp_user": user})


def ask(
    request: Request, provider: Provider, *, address: str, mailbox_id: str = "", purpose: str = WEBMAIL, form: str = ""
) -> HttpResponse:
    """Remember who asks for what, and lead to the provider: by a page of ours, because the answer to a form may lead to
    our own pages alone (CSP form-action). `form`: what was typed, without a secret."""
    url, asked = ask_for_consent(provider, redirect=redirect_address(provider.key), address=address)
    request.session["consent"] = {
        "asked": asdict(asked),
        "provider": provider.key,
        "employee": request.employee.public_id,
        "address": address,
        "mailbox": mailbox_id,
        "purpose": purpose,
        "form": form,
        "at": timezone.now().timestamp(),
    }
    return render(request, "web/connect/leaving.html", {"area": "connect", "provider": provider, "url": url})


def take_question(request: Request, provider: Provider) -> dict[str, Any] | None:
    """What this person asked in this browser and is answered now; good once. None: it is no answer to that (C16)."""
    kept = request.session.get("consent")
    if not kept or kept["provider"] != provider.key or kept["employee"] != request.employee.public_id:
        return None
    asked = Asked(**kept["asked"])
    if not is_answer_to(asked, provider, request.GET.dict()):
        return None
    del request.session["consent"]
    if timezone.now().timestamp() - kept["at"] > KEPT_FOR:
        return None
    return {**kept, "asked": asked}


def keep_refusal(request: Request, text: str) -> None:
    """For the page to which one is led, where it stays to be read; a message at its edge would go by itself."""
    request.session["refusal"] = text


def take_refusal(request: Request) -> str:
    """Why the last sign-in at a provider came to nothing; told once."""
    return str(request.session.pop("refusal", ""))


def as_whom(tokens: Tokens, address: str) -> str:
    """Who signed in, if not whose mailbox it is; "" where it is, or where nobody said."""
    is_own = address.lower() in (each.lower() for each in tokens.who)
    return "" if is_own or not tokens.who else tokens.who[0]


def wrong_person(who: str, address: str) -> str:
    """What to say where the provider opens to each their own mailbox alone."""
    return _("You signed in as %(who)s, but this mailbox is %(address)s. Sign in as %(address)s.") % {
        "who": who,
        "address": address,
    }


def not_shared(who: str, address: str) -> str:
    """What to say where a mailbox may be shared, and its server said no."""
    text = _("You signed in as %(who)s. To open %(address)s, %(who)s needs full access to it; otherwise sign in as it.")
    return text % {"who": who, "address": address}
