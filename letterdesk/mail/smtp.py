"""Connecting and signing in to an SMTP server: greeting, EHLO, STARTTLS, AUTH, over the guard's socket."""

import base64
import binascii
import re
import smtplib
import socket
import time

from letterdesk.mail.errors import (
    Disconnected,
    MailError,
    NotImap,
    NotSendable,
    SmtpAuthDisabled,
    StarttlsMissing,
    TcpTimeout,
    Unavailable,
)
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap_refusals import sign_in_refusal
from letterdesk.mail.imap_response import Status
from letterdesk.mail.imap_types import Login
from letterdesk.mail.sasl_token import saying

OUR_NAME = "[127.0.0.1]"  # EHLO: an address literal (RFC 5321 4.1.4) that tells nothing of the network inside
ANSWERS_MAX = 256 << 10  # octets of one conversation up to AUTH; smtplib itself counts no lines
ANSWERS_OF_SIGN_IN = 4  # times the timeout: greeting, EHLO, STARTTLS or EHLO, AUTH

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # no database keeps a NUL, no page shows the others
_DISABLED = re.compile(
    r"5\.7\.139|5\.7\.57|smtpclientauth|authentication is disabled|auth(?:entication)? not", re.IGNORECASE
)


class _Answers:
    """What smtplib reads from, with an end, and a time by which it must have come, however it drips."""

    def __init__(self, connection: socket.socket, *, seconds: float) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")
        self._left = ANSWERS_MAX
        self.until = time.monotonic() + seconds

    def readline(self, size: int) -> bytes:
        line, most = b"", min(size, self._left)
        while len(line) < most and not line.endswith(b"\n"):
            seconds = self.until - time.monotonic()
            if seconds <= 0:
                raise TimeoutError("the answer did not come in time")
            self._connection.settimeout(seconds)
            if not (here := self._file.peek(1)):  # one recv at the most
                break
            line += self._file.read(min(here.find(b"\n") + 1 or len(here), most - len(line)))
        self._left -= len(line)
        return line

    def close(self) -> None:
        self._file.close()


def sign_in(login: Login, guard: Guard, *, timeout: float = 30) -> smtplib.SMTP:
    """A connection that is encrypted as `login.security` says and signed in; the caller closes it.

    Raises the guard's errors, NotImap, StarttlsMissing, SmtpAuthDisabled, AuthFailed and its kin, Disconnected.
    """
    opened = guard.connect_securely if login.security == "tls" else guard.connect
    client = smtplib.SMTP(local_hostname=OUR_NAME, timeout=timeout)  # without a host it opens nothing
    _take(client, opened(login.host, login.port, timeout=timeout))
    try:
        _greet(client, login)
        if login.security == "starttls":
            _start_tls(client, login, guard)
        _authenticate(client, login)
    except (smtplib.SMTPException, OSError) as error:
        client.close()
        raise _named(error, login, timeout) from error
    except BaseException:
        client.close()
        raise
    return client


def _take(client: smtplib.SMTP, connection: socket.socket) -> None:
    client.sock = connection
    client.file = _Answers(connection, seconds=client.timeout * ANSWERS_OF_SIGN_IN)


def _greet(client: smtplib.SMTP, login: Login) -> None:
    code, text = client.getreply()
    if code == 421:
        raise Unavailable(_readable(text))
    if code != 220:
        raise NotImap(_readable(text), protocol="an SMTP", host=login.host, port=login.port)
    client.ehlo_or_helo_if_needed()


def _start_tls(client: smtplib.SMTP, login: Login, guard: Guard) -> None:
    """Encrypt or fail (A44). What was read before counts for nothing (RFC 3207 4.2)."""
    if not client.has_extn("starttls"):
        raise StarttlsMissing(host=login.host, port=login.port)
    code, text = client.docmd("STARTTLS")
    if code != 220:
        raise StarttlsMissing(_readable(text), host=login.host, port=login.port)
    if client.file is None or client.sock is None:
        raise Disconnected("after STARTTLS")
    client.file.close()
    _take(client, guard.secure(client.sock, login.host))
    client.helo_resp = client.ehlo_resp = None
    client.esmtp_features = {}
    client.does_esmtp = False
    client.ehlo_or_helo_if_needed()


def _authenticate(client: smtplib.SMTP, login: Login) -> None:
    if not client.has_extn("auth"):
        raise SmtpAuthDisabled("AUTH is not offered")
    if "\0" in login.user + login.password:
        raise NotSendable("user name or password contains a control character")
    offered = str(client.esmtp_features["auth"]).upper().split()
    if login.oauth_token:
        said = saying(login, offered)
        answer = _auth(client, said.mechanism, said.response.decode(), after_report=said.after_report.decode())
    elif "PLAIN" in offered or "LOGIN" not in offered:
        answer = _auth(client, "PLAIN", f"\0{login.user}\0{login.password}")
    else:
        answer = _auth_login(client, login)
    if answer[0] != 235:
        raise _refusal(*answer, login=login)


def _auth(client: smtplib.SMTP, way: str, secret: str, *, after_report: str = "") -> tuple[int, str]:
    code, text = client.docmd("AUTH", f"{way} {_base64(secret)}")
    if code == 334:  # the error report of a token, in base64; the refusal comes when it is acknowledged
        report = text
        code, text = client.docmd(_base64(after_report))
        return code, f"{_readable(text)} {_report(report)}".strip()
    return code, _readable(text)


def _report(challenge: bytes) -> str:
    try:
        return _readable(base64.b64decode(challenge, validate=True))[:500]
    except binascii.Error:
        return _readable(challenge)[:500]


def _auth_login(client: smtplib.SMTP, login: Login) -> tuple[int, str]:
    code, text = client.docmd("AUTH", "LOGIN")
    for secret in (login.user, login.password):
        if code == 334:
            code, text = client.docmd(_base64(secret))
    return code, _readable(text)


def _refusal(code: int, text: str, *, login: Login) -> MailError:
    if code in {421, 432, 451, 454}:
        return Unavailable(text)
    if _DISABLED.search(text):
        return SmtpAuthDisabled(text)
    said = Status("NO", "AUTHENTICATIONFAILED", "", f"{code} {text}")
    return sign_in_refusal(said, host=login.host, by_token=bool(login.oauth_token))


def _named(error: smtplib.SMTPException | OSError, login: Login, timeout: float) -> MailError:
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return TcpTimeout(host=login.host, port=login.port, seconds=round(timeout))
    if isinstance(error, smtplib.SMTPResponseException):
        return NotImap(_readable(error.smtp_error), protocol="an SMTP", host=login.host, port=login.port)
    return Disconnected(str(error))


def _base64(secret: str) -> str:
    return base64.b64encode(secret.encode()).decode("ascii")


def _readable(text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return _CONTROL.sub(" ", words)
