"""From nothing to a signed-in connection: greeting, STARTTLS, capabilities, credentials, extensions."""

import base64
import binascii
import re
from time import monotonic

from letterdesk.mail.encode import Argument, Atom, Ways
from letterdesk.mail.errors import (
    Disconnected,
    MailError,
    NotImap,
    NotSendable,
    NotSupported,
    ProtocolError,
    ServerSaysNo,
    StarttlsMissing,
    TcpTimeout,
    TooManyConnections,
    Unavailable,
)
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap_refusals import refusal, sign_in_refusal
from letterdesk.mail.imap_response import Status, Untagged, status
from letterdesk.mail.imap_trace import Trace
from letterdesk.mail.imap_types import Login
from letterdesk.mail.imap_wire import Wire
from letterdesk.mail.sasl_token import saying

_WORD = re.compile(r"[!-~]{1,100}")


def connect(
    login: Login, guard: Guard, *, timeout: float, within: float | None = None, trace: Trace | None
) -> tuple[Wire, frozenset[str]]:
    """An encrypted connection (unless `login.security` is none) that has greeted, and its capabilities.

    Raises every error of the guard, NotImap, StarttlsMissing, and what a greeting of BYE says.
    """
    if login.security == "tls":
        wire = Wire(guard.connect_securely(login.host, login.port, timeout=timeout), timeout=timeout, trace=trace)
    else:
        wire = Wire(guard.connect(login.host, login.port, timeout=timeout), timeout=timeout, trace=trace)
    wire.deadline = None if within is None else monotonic() + within
    try:
        capabilities = greet(wire, login)
        if login.security == "starttls":
            capabilities = _start_tls(wire, login, guard, capabilities)
    except BaseException:
        wire.close()
        raise
    return wire, capabilities


def greet(wire: Wire, login: Login) -> frozenset[str]:
    """Read the greeting (RFC 9051 7.1). Raises NotImap for anything that is none."""
    not_imap = NotImap(host=login.host, port=login.port)
    try:
        tag, pieces = wire.receive()
    except ProtocolError as error:
        raise not_imap from error
    except Disconnected as error:
        if isinstance(error.__cause__, TimeoutError):
            raise TcpTimeout(host=login.host, port=login.port, seconds=round(wire.timeout)) from error
        raise
    greeting = status(pieces[0]) if tag == "*" and isinstance(pieces[0], bytes) else None
    if greeting is None or greeting.kind not in {"OK", "PREAUTH", "BYE"}:
        raise not_imap
    if greeting.kind == "BYE":
        raise refusal(greeting)
    if greeting.kind == "PREAUTH" and login.security == "starttls":  # CVE-2020-12398: no way to encrypt from here
        raise StarttlsMissing("PREAUTH", host=login.host, port=login.port)
    return _listed(greeting) or ask_capabilities(wire)


def _start_tls(wire: Wire, login: Login, guard: Guard, capabilities: frozenset[str]) -> frozenset[str]:
    """Encrypt, or fail: never go on in the clear (A44). Returns what the server offers now."""
    if "STARTTLS" not in capabilities:
        raise StarttlsMissing(host=login.host, port=login.port)
    try:
        wire.run(name="STARTTLS")
    except ServerSaysNo as error:
        raise StarttlsMissing(error.detail, host=login.host, port=login.port) from error
    wire.forget_buffer()
    wire.socket = guard.secure(wire.socket, login.host)
    return ask_capabilities(wire)


def ask_capabilities(wire: Wire) -> frozenset[str]:
    """CAPABILITY. Raises NotSupported when the answer names neither IMAP4rev1 nor IMAP4rev2."""
    found = capabilities_of(*wire.run(name="CAPABILITY"))
    if not found & {"IMAP4REV1", "IMAP4REV2"}:
        raise NotSupported(capability="IMAP4rev1")
    return found


def capabilities_of(responses: list[Untagged], ended: Status) -> frozenset[str]:
    """Capabilities told in untagged responses or in the code of the tagged one; empty when not told."""
    found = _listed(ended)
    for response in responses:
        if response.kind == "CAPABILITY":
            found = _clean(_words(response))
        elif response.status:
            found = _listed(response.status) or found
    return found


def _listed(said: Status) -> frozenset[str]:
    return _clean(said.rest.split()) if said.code == "CAPABILITY" else frozenset()


def _words(response: Untagged) -> list[str]:
    return [each.decode("ascii", "replace") for each in response.values() if isinstance(each, bytes)]


def _clean(words: list[str]) -> frozenset[str]:
    return frozenset(word.upper() for word in words[:500] if _WORD.fullmatch(word))


def sign_in(wire: Wire, login: Login, capabilities: frozenset[str]) -> frozenset[str]:
    """Sign in and return the capabilities that count from now on. Raises AuthFailed and its kin (A40)."""
    at_once = "SASL-IR" in capabilities
    if login.oauth_token:
        said = saying(login, [each.removeprefix("AUTH=") for each in capabilities])
        told = _authenticate(
            wire, login, said.mechanism, secret=said.response, at_once=at_once, after_report=said.after_report
        )
    elif "AUTH=PLAIN" in capabilities:
        told = _authenticate(wire, login, "PLAIN", secret=_plain(login), at_once=at_once)
    elif "LOGINDISABLED" in capabilities:
        if login.security == "none":
            raise StarttlsMissing("LOGINDISABLED", host=login.host, port=login.port)
        raise NotSupported("LOGINDISABLED", capability="signing in with a password")
    else:
        wire.ways = Ways.of(capabilities)
        told = _answer(wire, login, wire.send(login.user, login.password, name="LOGIN"))
    return told or ask_capabilities(wire)


def _plain(login: Login) -> bytes:
    if "\0" in login.user + login.password:
        raise NotSendable("user name or password contains a NUL character")
    return f"\0{login.user}\0{login.password}".encode()  # RFC 4616 2


def _authenticate(
    wire: Wire, login: Login, way: str, *, secret: bytes, at_once: bool, after_report: bytes = b""
) -> frozenset[str]:
    """AUTHENTICATE, with the initial response in one step where offered (SASL-IR, RFC 4959)."""
    response = base64.b64encode(secret).decode("ascii")
    if at_once:
        tag = wire.send(Atom(way), Atom(response), name="AUTHENTICATE")
        return _answer(wire, login, tag, after_report)
    tag = wire.send(Atom(way), name="AUTHENTICATE")
    try:
        wire.await_continuation(tag)
    except ServerSaysNo as error:
        raise _refused(login, wire.last) from error
    wire.transmit(response.encode("ascii") + b"\r\n")
    return _answer(wire, login, tag, after_report)


def _refused(login: Login, said: Status) -> MailError:
    return sign_in_refusal(said, host=login.host, by_token=bool(login.oauth_token))


def _answer(wire: Wire, login: Login, tag: str, after_report: bytes = b"") -> frozenset[str]:
    """The end of LOGIN or AUTHENTICATE. A challenge now is the error report of a token: it is acknowledged."""
    reports: list[str] = []

    def acknowledge(challenge: bytes) -> bytes:
        reports.append(_readable(challenge))
        return base64.b64encode(after_report)

    try:
        responses = wire.collect(wire.until(tag, answer=acknowledge))
    except (ServerSaysNo, Unavailable, TooManyConnections) as error:
        if wire.last.kind == "OK":  # it was a BYE that said so
            raise
        said = wire.last
        said = Status(said.kind, said.code, said.rest, " ".join([said.text, *reports]).strip())
        raise _refused(login, said) from error
    return capabilities_of(responses, wire.last)


def _readable(challenge: bytes) -> str:
    try:
        return base64.b64decode(challenge, validate=True).decode("utf-8", "replace")[:500]
    except binascii.Error:
        return challenge[:500].decode("utf-8", "replace")


def enable(wire: Wire, capabilities: frozenset[str]) -> frozenset[str]:
    """Enable QRESYNC where offered and say who we are (some providers insist); returns what is enabled.

    An empty or missing ENABLED means no (A26); a refusal of either is no reason not to work.
    """
    tags = []
    if "ID" in capabilities:
        who: list[Argument] = ["name", "Letterdesk", "vendor", "Letterdesk"]
        tags.append(wire.send(who, name="ID"))
    if "ENABLE" in capabilities and "QRESYNC" in capabilities:
        tags.append(wire.send(Atom("QRESYNC"), name="ENABLE", pipelined=True))
    enabled: set[str] = set()
    for tag in tags:
        try:
            for response in wire.until(tag):
                if response.kind == "ENABLED":
                    enabled.update(_clean(_words(response)))
        except ServerSaysNo:
            continue
    return frozenset(enabled)
