"""What a NO, a BAD or a BYE means: response codes of RFC 5530 first, then the words of the large providers."""

import re

from letterdesk.mail.errors import (
    AppPasswordRequired,
    AuthFailed,
    Disconnected,
    EncryptionWanted,
    ImapDisabled,
    MailError,
    ServerSaysNo,
    TokenRefused,
    TooManyConnections,
    Unavailable,
)
from letterdesk.mail.imap_response import Status

TEMPORARY_CODES = {"UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"}
SIGN_IN_CODES = {"AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "WEBALERT", "ALERT"}

_TOO_MANY = re.compile(
    r"too many (?:\w+ )?(?:connections|sessions|logins)|(?:maximum|max) number of (?:connections|sessions)"
    r"|connection limit|(?:connections|sessions) (?:limit )?exceeded|simultaneous connections|userip_connections",
    re.IGNORECASE,
)
_APP_PASSWORD = re.compile(
    r"app(?:lication)?[- ](?:specific )?password|application-specific|app-specific|185833"
    r"|password for (?:external )?applications?|пароль (?:для )?(?:внешн\w+ )?приложени|authori[sz]ation code",
    re.IGNORECASE,
)
_DISABLED = re.compile(
    r"not enabled for imap|imap (?:access )?(?:is )?(?:disabled|turned off|not enabled|not allowed)(?! *[?])"
    r"|enable imap|imap[- ]?zugriff|authenticated but not connected|imap access (?:denied|is not)",
    re.IGNORECASE,
)
_EITHER = re.compile(r"invalid credentials or|password or|or imap is disabled", re.IGNORECASE)
_BUSY = re.compile(
    r"temporar|try (?:again|later)|unavailable|internal (?:server )?error|timed? ?out|throttl|rate limit|overload"
    r"|system error|backend|server (?:is )?busy|shutting down|maintenance",
    re.IGNORECASE,
)
_ABOUT_SIGN_IN = re.compile(r"login|log in|sign in|password|credential|authenti|user", re.IGNORECASE)
_PROVIDERS = (("google", "Google"), ("gmail", "Google"), ("yahoo", "Yahoo"), ("icloud", "iCloud"), ("apple", "iCloud"))


def refusal(status: Status) -> MailError:
    """The error for a NO or BAD after signing in, or for a BYE."""
    if _TOO_MANY.search(status.text):
        return TooManyConnections(status.text)
    if status.code in TEMPORARY_CODES - {"SERVERBUG"}:
        return Unavailable(status.text or status.code, response_code=status.code)
    if status.kind == "BYE":
        return Disconnected(status.text)
    return ServerSaysNo(status.text or status.code or status.kind, response_code=status.code, kind=status.kind)


def sign_in_refusal(status: Status, *, host: str = "", by_token: bool = False) -> MailError:
    """The error for a NO or BAD to LOGIN or AUTHENTICATE (A40). A server in trouble is not a wrong password, and who
    comes with a token (`by_token`) has typed none."""
    text = status.text
    if _TOO_MANY.search(text):
        return TooManyConnections(text)
    if status.code in TEMPORARY_CODES or (status.code not in SIGN_IN_CODES and _BUSY.search(text)):
        return Unavailable(text or status.code, response_code=status.code)
    if status.code == "PRIVACYREQUIRED":
        return EncryptionWanted(text, host=host or "The server")
    error = _refused_for_good(status, host=host)
    is_of_password = type(error) in {AuthFailed, AppPasswordRequired}
    return TokenRefused(text, response_code=status.code) if by_token and is_of_password else error


def _refused_for_good(status: Status, *, host: str) -> MailError:
    text = status.text
    if status.code == "WEBALERT" or _APP_PASSWORD.search(text):
        provider = next((name for sign, name in _PROVIDERS if sign in f"{host} {text}".lower()), "This provider")
        return AppPasswordRequired(text, provider=provider)
    if _DISABLED.search(text) and not _EITHER.search(text):
        return ImapDisabled(text)
    if status.kind == "BAD" and not _ABOUT_SIGN_IN.search(text):
        return ServerSaysNo(text or "BAD", response_code=status.code, kind="BAD")
    return AuthFailed(text, response_code=status.code)
