"""Named errors of the mail protocols: a code for programs, a text for people, the server's own words as detail.

The codes are the taxonomy of the connect form (`tls_name`, `auth_failed` …). `is_temporary`: trying again later
may help by itself. `needs_person`: only a person mends it, so retrying is useless.

This room knows no language: translators find each sentence in web/mail/words.py, and a test that none is missing there.
"""

from typing import ClassVar


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"


class MailError(Exception):
    """Any failure to talk to a mail server. `detail` is what the server or the system said, unescaped."""

    code: ClassVar[str] = "unknown"
    words: ClassVar[str] = "The server answered: {detail}"
    is_temporary: ClassVar[bool] = False
    needs_person: ClassVar[bool] = False

    def __init__(self, detail: str = "", **facts: object) -> None:
        self.detail = detail[:2000]
        self.facts = facts
        self.text = self.words.format_map(_Facts(facts, detail=detail[:300] or "nothing"))
        super().__init__(self.text)

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (type(self), self.detail, self.facts)


def _again(kind: type[MailError], detail: str, facts: dict[str, object]) -> MailError:
    return kind(detail, **facts)


class DnsNotFound(MailError):
    """The host name leads nowhere. Temporary for a mailbox that has worked before: resolvers have bad days."""

    code = "dns_not_found"
    words = "We could not find a server called {host}."
    is_temporary = True


class TcpTimeout(MailError):
    """No answer within the time given."""

    code = "tcp_timeout"
    words = "{host}:{port} did not answer within {seconds} s."
    is_temporary = True


class TcpRefused(MailError):
    """The machine answered, the port did not; or no way leads there."""

    code = "tcp_refused"
    words = "{host}:{port} refused the connection."
    is_temporary = True


class BlockedAddress(MailError):
    """The guard does not connect there. One text for every kind of address, open or closed (D01, D03)."""

    code = "blocked_address"
    words = "This server address is not allowed by the administrator."
    needs_person = True

    def __init__(self, detail: str = "", **facts: object) -> None:
        super().__init__("", **{key: value for key, value in facts.items() if key == "host"})


class TlsError(MailError):
    """The encrypted connection could not be made, for a reason that has no name of its own."""

    code = "tls_error"
    words = "An encrypted connection to {host} could not be made: {detail}"
    is_temporary = True


class TlsExpired(TlsError):
    """The certificate's time is over (or has not begun)."""

    code = "tls_expired"
    words = "The certificate of {host} {when}."
    needs_person = True

    def __init__(self, detail: str = "", *, when: str = "expired", **facts: object) -> None:
        super().__init__(detail, when=when, **facts)


class TlsName(TlsError):
    """The certificate belongs to another name; `facts["names"]` has those on it, where they could be read."""

    code = "tls_name"
    words = "The certificate of {host} is {names}."
    is_temporary = False
    needs_person = True

    def __init__(self, detail: str = "", *, names: str = "", **facts: object) -> None:
        super().__init__(detail, names=names or "for another name", **facts)


class TlsSelfSigned(TlsError):
    """Nobody whom we trust vouches for the certificate."""

    code = "tls_self_signed"
    words = "The certificate of {host} is self-signed, or its issuer is not known here."
    is_temporary = False
    needs_person = True


class StarttlsMissing(MailError):
    """Encryption was asked for and not offered. We never go on without (A44)."""

    code = "starttls_missing"
    words = "{host} offers no encryption on port {port}."
    needs_person = True


class EncryptionWanted(StarttlsMissing):
    """The server takes no sign-in without encryption (RFC 5530, PRIVACYREQUIRED)."""

    words = "{host} takes a sign-in over an encrypted connection only."


class NotImap(MailError):
    """Something answers behind the port, but it does not speak the protocol."""

    code = "not_imap"
    words = "What answers at {host}:{port} is not {protocol} server."

    def __init__(self, detail: str = "", *, protocol: str = "an IMAP", **facts: object) -> None:
        super().__init__(detail, protocol=protocol, **facts)


class AuthFailed(MailError):
    """User name or password refused. Never a sign of an empty mailbox (A40)."""

    code = "auth_failed"
    words = "The server said that the user name or password is wrong."
    needs_person = True


class AppPasswordRequired(AuthFailed):
    """The provider wants a password made for this program."""

    code = "app_password_required"
    words = "{provider} needs an app password here, not the usual one."

    def __init__(self, detail: str = "", *, provider: str = "This provider", **facts: object) -> None:
        super().__init__(detail, provider=provider, **facts)


class ImapDisabled(AuthFailed):
    """The account's owner or administrator has IMAP switched off."""

    code = "imap_disabled"
    words = "IMAP is turned off for this account."


class SmtpAuthDisabled(AuthFailed):
    """Receiving may work; sending is closed by the provider."""

    code = "smtp_auth_disabled"
    words = "Sending is blocked by the provider for this account."


class SignInAgain(AuthFailed):
    """The provider takes the consent no more: withdrawn, expired, password changed (RFC 6749 5.2 invalid_grant)."""

    code = "oauth_again"
    words = "{provider} no longer lets us in: sign in again."


class TokenRefused(AuthFailed):
    """The mail server does not take the token that the provider gave for it."""

    code = "oauth_refused"
    words = "The mail server did not accept the sign-in."


class ConsentMissing(MailError):
    """The organisation has not approved this application, so its people cannot."""

    code = "oauth_admin_consent"
    words = "Your organisation must approve this application at {provider} first."
    needs_person = True


class ConsentRefused(MailError):
    """The person, or the provider for them, said no; or gave less than mail needs."""

    code = "oauth_denied"
    words = "{provider} gave no access: {detail}"
    needs_person = True


class NotRegistered(MailError):
    """The provider does not know this Letterdesk, or its secret has expired: once that is mended all goes on."""

    code = "oauth_setup"
    words = "{provider} does not accept this Letterdesk. Whoever runs it has to check its registration there: {detail}"
    is_temporary = True


class KeyMissing(MailError):
    """None of the keys opens the secret that is kept. Nothing was asked of the server; with the key it goes on."""

    code = "key_missing"
    words = "The password that is kept here cannot be read: the key that encrypted it is missing."
    is_temporary = True


class ProviderUnavailable(MailError):
    """The provider's token endpoint does not answer, or not with what it should. Nothing is wrong with the sign-in."""

    code = "oauth_unavailable"
    words = "{provider} cannot be asked for access at the moment: {detail}"
    is_temporary = True


class TooManyConnections(MailError):
    """The account or our address has its maximum of open connections (A41)."""

    code = "too_many_connections"
    words = "The account already has its maximum of open connections."
    is_temporary = True


class Unavailable(MailError):
    """The server is there and says that it cannot now: UNAVAILABLE, INUSE, LIMIT (RFC 5530 3, A40)."""

    code = "unavailable"
    words = "The server is not available at the moment: {detail}"
    is_temporary = True


class ServerSaysNo(MailError):
    """NO or BAD to a command; `response_code` is the word in brackets in upper case, or empty."""

    code = "server_says_no"

    @property
    def response_code(self) -> str:
        return str(self.facts.get("response_code", ""))


class NotSupported(MailError):
    """The server does not offer what the command needs; asked before anything was sent."""

    code = "not_supported"
    words = "The server does not support {capability}."


class Disconnected(MailError):
    """The connection ended: BYE, end of file, reset, or silence beyond the time limit."""

    code = "disconnected"
    words = "The server closed the connection: {detail}"
    is_temporary = True


class ProtocolError(MailError):
    """What came is not IMAP, or beyond every limit. The connection is closed (A12)."""

    code = "protocol_error"
    words = "The server sent something that is not IMAP: {detail}"
    is_temporary = True


class TooLarge(MailError):
    """One answer is larger than what was allowed."""

    code = "too_large"
    words = "The server sent more than the {limit} bytes that are allowed."


class NotSendable(MailError, ValueError):
    """An argument that no IMAP command may carry (NUL, or CR in a flag): our own doing, nothing was sent (D04)."""

    code = "not_sendable"
    words = "This text cannot be sent to a mail server: {detail}"
