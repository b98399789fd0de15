"""Signing in by OAuth 2.0: whom to ask for consent, and what their answers mean (RFC 6749, RFC 7636, RFC 9700).

Two forms are posted and one address is built, so this is written out; every connection passes the guard. Nothing is
kept here: who asks keeps `Asked` between question and answer, and `Tokens` encrypted.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from letterdesk.mail.errors import (
    BlockedAddress,
    ConsentMissing,
    ConsentRefused,
    MailError,
    NotRegistered,
    ProviderUnavailable,
    SignInAgain,
)
from letterdesk.mail.guard import Guard, post_form

PATIENCE = 20.0  # seconds for the token endpoint's answer
TOKEN_MAX = 16_000  # characters
LASTS = 3600  # seconds, where the answer does not say
LASTS_AT_MOST = 86_400
OUR_FAULT = {"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}  # RFC 6749 5.2
ADMIN = ("aadsts65001", "aadsts90094", "aadsts90095", "admin_policy_enforced", "consent_required", "org_internal")


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider with our registration there. The fields are explained in oauth.toml."""

    key: str
    name: str
    authorize: str
    token: str
    scopes: tuple[str, ...]
    hosts: frozenset[str]
    imap: str
    smtp: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    needs: tuple[str, ...] = ()
    ask: Mapping[str, str] = field(default_factory=dict)
    domains: frozenset[str] = frozenset()
    opens_shared: bool = False
    issuer: str = ""

    @classmethod
    def of(cls, key: str, table: Mapping[str, Any]) -> "Provider":
        """As a table of oauth.toml says. Raises ValueError for what is missing, unknown or not encrypted."""
        known = dict(table)
        tenant = str(known.pop("tenant", "common"))
        try:
            for name in ("authorize", "token"):
                known[name] = str(known[name]).replace("{tenant}", tenant)
            for name in ("scopes", "needs"):
                known[name] = tuple(known.get(name, ()))
            for name in ("hosts", "domains"):
                known[name] = frozenset(str(each).lower() for each in known.get(name, ()))
            provider = cls(key=key, **known)
        except (KeyError, TypeError) as error:
            raise ValueError(f"OAuth provider {key}: {error}") from error
        if not (_is_safe(provider.authorize) and _is_safe(provider.token)):
            raise ValueError(f"OAuth provider {key}: authorize and token must be https:// addresses")
        return provider

    def serves(self, *hosts: str) -> bool:
        """Whether all these mail servers take this provider's tokens."""
        return all(host.strip().rstrip(".").lower() in self.hosts for host in hosts if host)


def _is_safe(url: str) -> bool:
    """Encrypted, or not leaving this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What has to be remembered of a question until its answer comes. Plain texts: it may lie in a session."""

    state: str
    verifier: str = field(repr=False)
    nonce: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a provider gave. `lasts` in seconds; `refresh` is empty where the old one goes on; `who`: the addresses of
    the person who signed in, as far as they were told."""

    access: str = field(repr=False)
    lasts: int
    refresh: str = field(default="", repr=False)
    who: tuple[str, ...] = ()


def ask_for_consent(provider: Provider, *, redirect: str, address: str) -> tuple[str, Asked]:
    """The page to send a person to, and what to remember. `address`: of the mailbox, as a hint for the provider."""
    asked = Asked(secrets.token_urlsafe(32), secrets.token_urlsafe(48), secrets.token_urlsafe(16))
    challenge = hashlib.sha256(asked.verifier.encode()).digest()  # RFC 7636 4.2
    fields = {
        **provider.ask,
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect,
        "scope": " ".join(provider.scopes),
        "state": asked.state,
        "nonce": asked.nonce,
        "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
        "login_hint": address,
    }
    return f"{provider.authorize}?{urlencode(fields)}", asked


def is_answer_to(asked: Asked, provider: Provider, answer: Mapping[str, str]) -> bool:
    """Whether what came back answers this question, and comes from this provider (RFC 6749 10.12, RFC 9207)."""
    is_ours = hmac.compare_digest(answer.get("state", "").encode(), asked.state.encode())
    issuer = answer.get("iss", "")
    return is_ours and (not provider.issuer or issuer in {"", provider.issuer})


def code_of(provider: Provider, answer: Mapping[str, str]) -> str:
    """The code in an answer. Raises ConsentRefused, ConsentMissing, NotRegistered, ProviderUnavailable."""
    if answer.get("code"):
        return answer["code"]
    error, detail = answer.get("error", ""), answer.get("error_description", "")[:300]
    said = f"{error} {detail}".strip()
    if _wants_admin(said):
        raise ConsentMissing(said, provider=provider.name)
    if error in {"server_error", "temporarily_unavailable"}:
        raise ProviderUnavailable(said, provider=provider.name)
    if error in OUR_FAULT:
        raise NotRegistered(said, provider=provider.name)
    raise ConsentRefused(said, provider=provider.name)


def redeem(provider: Provider, code: str, asked: Asked, *, redirect: str, guard: Guard) -> Tokens:
    """Turn a code into tokens. Raises ConsentRefused, ConsentMissing, NotRegistered, ProviderUnavailable."""
    fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
    try:
        tokens = _post(provider, {**fields, "code_verifier": asked.verifier}, guard, nonce=asked.nonce)
    except SignInAgain as error:  # the code was used before, is too old, or was meant for somebody else
        raise ConsentRefused(error.detail, provider=provider.name) from error
    if not tokens.refresh:
        raise ConsentRefused("no lasting access was given", provider=provider.name)
    return tokens


def renew(provider: Provider, refresh: str, *, guard: Guard) -> Tokens:
    """A new access token, and perhaps another refresh token, for this one. Raises SignInAgain when it is taken no more,
    NotRegistered and ProviderUnavailable when that says nothing about it."""
    return _post(provider, {"grant_type": "refresh_token", "refresh_token": refresh}, guard)


def try_registration(provider: Provider, *, guard: Guard) -> None:
    """Whether the provider knows our id and secret: asked with a refresh token that cannot be one.

    Raises NotRegistered, ProviderUnavailable.
    """
    try:
        renew(provider, "letterdesk-asks-whether-it-is-known", guard=guard)
    except SignInAgain:  # who is not known is not told so much
        return
    except ProviderUnavailable as error:
        if not error.detail.startswith("invalid_request"):  # about our token: the same
            raise


def _post(provider: Provider, fields: Mapping[str, str], guard: Guard, *, nonce: str = "") -> Tokens:
    form = {**fields, "client_id": provider.client_id}
    if provider.client_secret:
        form["client_secret"] = provider.client_secret
    try:
        status, page = post_form(guard, provider.token, form, timeout=PATIENCE)
    except BlockedAddress as error:
        raise NotRegistered(error.text, provider=provider.name) from error
    except MailError as error:
        raise ProviderUnavailable(error.text, provider=provider.name) from error
    answer = _read(page)
    if status == 200 and answer is not None and "error" not in answer:
        return _tokens(provider, answer, nonce)
    hidden = [*(form[name] for name in _SECRET if name in form)]
    raise _refusal(provider, status, answer or {}, hidden)


_SECRET = ("client_secret", "refresh_token", "code", "code_verifier")


def _read(page: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(page)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _refusal(provider: Provider, status: int, answer: Mapping[str, Any], hidden: list[str]) -> MailError:
    """RFC 6749 5.2. Nothing that we sent in confidence is repeated, should the answer quote it."""
    error = str(answer.get("error", ""))
    said = f"{error} {answer.get('error_description', '')}".strip() or f"status {status}"
    for secret in hidden:
        said = said.replace(secret, "…")
    said = said[:500]
    if _wants_admin(said):
        return ConsentMissing(said, provider=provider.name)
    if error in {"invalid_grant", "interaction_required", "login_required"} and 400 <= status < 500 and status != 429:
        return SignInAgain(said, provider=provider.name)
    if error in OUR_FAULT and 400 <= status < 500:
        return NotRegistered(said, provider=provider.name)
    return ProviderUnavailable(said, provider=provider.name)


def _wants_admin(said: str) -> bool:
    return any(sign in said.lower() for sign in ADMIN)


def _tokens(provider: Provider, answer: Mapping[str, Any], nonce: str) -> Tokens:
    access, refresh = answer.get("access_token"), answer.get("refresh_token") or ""
    if not _is_token(access) or (refresh and not _is_token(refresh)):
        raise ProviderUnavailable("the answer has no token", provider=provider.name)
    if missing := _missing(provider, answer.get("scope")):
        raise ConsentRefused(f"not allowed: {missing}", provider=provider.name)
    who = _who(provider, answer.get("id_token"), nonce) if nonce else ()
    return Tokens(str(access), _lasts(answer.get("expires_in")), str(refresh), who)


def _is_token(text: object) -> bool:
    """Printable and no space (RFC 6749 A.12): it goes into commands of other protocols."""
    return isinstance(text, str) and 0 < len(text) <= TOKEN_MAX and all("!" <= each <= "~" for each in text)


def _missing(provider: Provider, scope: object) -> str:
    """What was taken out of what we need; an answer that names no scope gave all (RFC 6749 5.1)."""
    if not isinstance(scope, str) or not scope.strip():
        return ""
    given = scope.lower().split()
    return next((each for each in provider.needs if each.lower() not in given), "")


def _lasts(told: object) -> int:
    try:
        seconds = int(str(told))
    except ValueError:
        return LASTS
    return min(max(seconds, 0), LASTS_AT_MOST)


def _who(provider: Provider, id_token: object, nonce: str) -> tuple[str, ...]:
    """The addresses of who signed in. They came from the provider itself over its own line, so that its signature
    need not be checked (OpenID Connect Core 3.1.3.7, 6). Raises ConsentRefused for one that is not the answer to us.
    """
    claims = _claims(id_token)
    if claims is None:
        return ()
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if provider.client_id not in audiences or claims.get("nonce") != nonce:
        raise ConsentRefused("the answer was meant for somebody else", provider=provider.name)
    found = (claims.get(name) for name in ("email", "preferred_username", "upn"))
    return tuple(each for each in found if isinstance(each, str) and "@" in each and len(each) <= 320)


def _claims(id_token: object) -> dict[str, Any] | None:
    if not isinstance(id_token, str) or id_token.count(".") != 2:
        return None
    body = id_token.split(".")[1]
    try:
        return _read(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (binascii.Error, ValueError):
        return None
