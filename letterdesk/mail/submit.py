"""Handing one letter to a server, phase by phase, so that whoever calls knows what may have happened (P6, E02).

`before_dot` is called when everything but the final dot has been written: it journals that the dot comes, and returns
False where somebody else has taken the letter over; then the line is cut, and a server must forget what it got
(RFC 5321 4.1.1.4). Nothing is raised for what a server says or fails to say: it all stands in the Attempt.
"""

import re
import smtplib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from letterdesk.mail import smtp
from letterdesk.mail.compose import needs_utf8
from letterdesk.mail.errors import MailError
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap_types import Login

AFTER_DOT = 600.0  # seconds: RFC 5321 4.5.3.2.6
COMMAND = 300.0  # RFC 5321 4.5.3.2.1 to 4.5.3.2.3
BLOCK = 180.0  # RFC 5321 4.5.3.2.5: for each piece
PIECE = 64 << 10
BEFORE_DOT = 840.0  # seconds up to the final dot: a little less than the sender's lease
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LINE_DOT = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said: code 0 is nothing at all."""

    code: int
    text: str = ""

    @property
    def is_yes(self) -> bool:
        return 200 <= self.code < 300


@dataclass(frozen=True, slots=True)
class Attempt:
    """How far it came. `phase`: connect, envelope, data, dot (sent, unanswered), answered.

    `last` is the answer that ended it, `recipients` those to RCPT, `error` why there was no line or no sign-in.
    `given_up`: `before_dot` said no.
    """

    phase: str
    last: Answer = Answer(0)
    recipients: dict[str, Answer] = field(default_factory=dict)
    error: MailError | None = None
    given_up: bool = False


@dataclass(slots=True)
class _Talk:
    client: smtplib.SMTP
    sender: str
    asked: Sequence[str]
    phase: str = "envelope"
    recipients: dict[str, Answer] = field(default_factory=dict)
    until: float = field(default_factory=lambda: time.monotonic() + BEFORE_DOT)

    def seconds(self, most: float) -> float:
        """For the next step: no more than the attempt has left. Raises TimeoutError."""
        left = most if self.phase == "dot" else min(most, self.until - time.monotonic())
        if left <= 0:
            raise TimeoutError("the letter took too long")
        return left

    def ended(self, last: Answer, *, given_up: bool = False) -> Attempt:
        return Attempt(self.phase, last, self.recipients, given_up=given_up)


def submit(
    login: Login,
    guard: Guard,
    raw: bytes,
    *,
    sender: str,
    recipients: Sequence[str],
    before_dot: Callable[[], bool],
    patience: float = AFTER_DOT,
    timeout: float = 60,
) -> Attempt:
    """Sign in and hand over the letter (CRLF line ends). `patience` in seconds for the answer to the final dot."""
    try:
        client = smtp.sign_in(login, guard, timeout=timeout)
    except MailError as error:
        return Attempt("connect", error=error)
    talk = _Talk(client, sender, recipients)
    try:
        return _hand_over(talk, raw, before_dot, patience)
    except (OSError, smtplib.SMTPException) as error:
        return talk.ended(Answer(0, str(error)[:500]))
    finally:
        _leave(client, is_answered=talk.phase == "answered")


def _hand_over(talk: _Talk, raw: bytes, before_dot: Callable[[], bool], patience: float) -> Attempt:
    if refusal := _open_envelope(talk, raw):
        return talk.ended(refusal)
    talk.phase = "data"
    go_on = _said(talk, "DATA")
    if go_on.code != 354:
        return talk.ended(go_on)
    _write(talk, _LINE_DOT.sub(b"..", raw if raw.endswith(b"\r\n") else raw + b"\r\n"), seconds=BLOCK)  # D07
    if not before_dot():
        return talk.ended(Answer(0), given_up=True)
    talk.phase = "dot"
    _write(talk, b".\r\n", seconds=patience)
    code, text = _reply(talk, seconds=patience)
    if code < 0:
        return talk.ended(Answer(0))
    talk.phase = "answered"
    return talk.ended(Answer(code, _readable(text)))


def _open_envelope(talk: _Talk, raw: bytes) -> Answer | None:
    """MAIL and RCPT; the answer that ends it, None: at least one recipient was taken."""
    client = talk.client
    options = ""
    if any(map(needs_utf8, (talk.sender, *talk.asked))):  # RFC 6531 3.1
        if not client.has_extn("smtputf8"):
            return Answer(553, "5.6.7 This server takes no addresses beyond ASCII (SMTPUTF8).")
        options = " SMTPUTF8 BODY=8BITMIME"
    if client.has_extn("size"):  # RFC 1870
        most = client.esmtp_features["size"].strip()
        if most.isdigit() and 0 < int(most) < len(raw):
            return Answer(552, f"5.3.4 The letter has {len(raw)} bytes; this server takes {most}.")
        options += f" SIZE={len(raw)}"
    answer = _said(talk, f"MAIL FROM:<{talk.sender}>{options}")
    if not answer.is_yes:
        return answer
    for address in talk.asked:
        talk.recipients[address] = answer = _said(talk, f"RCPT TO:<{address}>")
        if answer.code in {0, 421}:
            return answer
    return None if any(each.is_yes for each in talk.recipients.values()) else answer


def _said(talk: _Talk, command: str) -> Answer:
    """One command and its answer. Everything in it was checked (`wire_address`), and is refused here once more."""
    if re.search(r"[\r\n\0]", command):
        raise ValueError("a line end in an SMTP command")
    _write(talk, command.encode() + b"\r\n", seconds=COMMAND)
    code, text = _reply(talk, seconds=COMMAND)
    return Answer(max(0, code), _readable(text))


def _write(talk: _Talk, octets: bytes, *, seconds: float) -> None:
    if talk.client.sock is None:
        raise smtplib.SMTPServerDisconnected("no line")
    whole = memoryview(octets)
    for start in range(0, len(whole), PIECE):  # a slow line that goes on is none that hangs
        talk.client.sock.settimeout(talk.seconds(seconds))
        talk.client.sock.sendall(whole[start : start + PIECE])


def _reply(talk: _Talk, *, seconds: float) -> tuple[int, bytes]:
    """All lines of an answer, within `seconds` by the clock."""
    if talk.client.file is None:
        raise smtplib.SMTPServerDisconnected("no line")
    talk.client.file.until = time.monotonic() + talk.seconds(seconds)
    return talk.client.getreply()


def _leave(client: smtplib.SMTP, *, is_answered: bool) -> None:
    """QUIT, without waiting for what it answers (E04); a letter that is not finished is cut off, not quit."""
    try:
        if is_answered and client.sock is not None:
            client.sock.sendall(b"QUIT\r\n")
    except OSError:
        pass
    finally:
        client.close()


def _readable(text: bytes) -> str:
    """What a server says, without control characters: no database keeps a NUL, and no page shows the others."""
    return _CONTROL.sub(" ", text.decode("utf-8", "replace"))[:500]
