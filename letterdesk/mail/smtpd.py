"""Takes letters in by SMTP (RFC 5321), behind a mail server or alone: the only place that knows aiosmtpd.

A letter is answered with 250 only after `Keeper.keep` returned, which means that it is durable; letters that arrive
together become durable together. No open relay: an address that the keeper does not know is refused at RCPT. Nothing
is smuggled: only <CRLF>.<CRLF> ends a letter, and one with a bare CR or LF or a NUL is refused (RFC 5321 2.3.8).
Addresses are secrets here, so nothing that was said is logged.
"""

import asyncio
import logging
import re
import ssl
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from letterdesk.mail.headers import MOST_BYTES, end_of_block

from .smtpd_limits import Limits, Open, Pace

KEPT_AT_ONCE = 200  # letters
GRACE = 10.0  # seconds that letters on their way have when the server stops
NULL = "<>"
COMMANDS = {"NOOP": 20, "VRFY": 20, "RSET": 200, "EHLO": 10, "HELO": 10, "RCPT": 5_000, "*": 2_000}
RECEIVED = re.compile(rb"^received[ \t]*:", re.IGNORECASE | re.MULTILINE)
logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # aiosmtpd's: it names recipients


@dataclass(frozen=True, slots=True)
class Handed:
    """A letter as it was handed over. `sender` of the envelope: empty for a report of a server (RFC 5321 4.5.5)."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    peer: str


class Keeper(Protocol):
    """Whom letters are for, and where they go. Called in threads, never in the loop of the server."""

    def knows(self, address: str) -> bool:
        """Whether somebody takes letters at this address now."""

    def keep(self, letters: Sequence[Handed]) -> Sequence[bool]:
        """Keep letters, durably when this returns; False for one whose addresses nobody has any more."""


class Server:
    """Listens in a thread of its own, from `start` to `stop`."""

    def __init__(
        self,
        keeper: Keeper,
        *,
        host: str,
        port: int,
        name: str,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`name` is how the server calls itself. Without `tls` no STARTTLS is offered."""
        self._house = _House(keeper, limits or Limits(), name, tls)
        self._address = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtpd", daemon=True)
        self._listening: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port on which it listens."""
        assert self._listening is not None  # noqa: S101  started
        return int(self._listening.sockets[0].getsockname()[1])

    def start(self) -> None:
        """Listen. Raises OSError where the address cannot be taken."""
        self._thread.start()
        host, port = self._address
        opening = self._loop.create_server(lambda: _Conversation(self._house, self._loop), host, port)
        self._listening = asyncio.run_coroutine_threadsafe(opening, self._loop).result(30)

    def stop(self) -> None:
        """Take no new connection, let letters that are being stored be answered, end."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(GRACE + 5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._house.close()
        self._loop.close()

    async def _close(self) -> None:
        if self._listening is not None:
            self._listening.close()
        house = self._house
        for conversation in list(house.conversations):
            conversation.say_goodbye()
        await self._wait(lambda: any(each.is_storing for each in house.conversations), GRACE)
        for conversation in list(house.conversations):
            conversation.abort()
        await self._wait(lambda: bool(house.conversations), 1.0)

    async def _wait(self, while_: Callable[[], bool], most: float) -> None:
        until = self._loop.time() + most
        while while_() and self._loop.time() < until:
            await asyncio.sleep(0.02)


@dataclass
class _House:
    """What all conversations share."""

    keeper: Keeper
    limits: Limits
    name: str
    tls: ssl.SSLContext | None
    conversations: set["_Conversation"] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.open = Open(self.limits)
        self.pace = Pace(self.limits.per_address)
        self._asking = ThreadPoolExecutor(2, thread_name_prefix="smtpd-ask")
        self._keeping = ThreadPoolExecutor(1, thread_name_prefix="smtpd-keep")
        self._waiting: list[tuple[Handed, asyncio.Future[bool]]] = []
        self._at_work: asyncio.Task[None] | None = None

    async def knows(self, address: str) -> bool:
        return await asyncio.get_running_loop().run_in_executor(self._asking, self.keeper.knows, address)

    async def keep(self, letter: Handed) -> bool:
        """Durable when this returns, together with what came meanwhile; False: nobody takes it any more."""
        kept: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((letter, kept))
        if self._at_work is None or self._at_work.done():
            self._at_work = asyncio.create_task(self._keep_waiting())
        return await kept

    async def _keep_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:KEPT_AT_ONCE], self._waiting[KEPT_AT_ONCE:]
            answers = await self._keep_all([letter for letter, _kept in batch])
            for (_letter, kept), answer in zip(batch, answers, strict=True):
                if kept.done():  # its sender is gone
                    continue
                if isinstance(answer, Exception):  # its sender hears that it failed, and tries again
                    kept.set_exception(answer)
                else:
                    kept.set_result(answer)

    async def _keep_all(self, letters: list[Handed]) -> list[bool | Exception]:
        """The answer for each; where all together fail, each is kept alone: one letter fails no other's sender."""
        try:
            return list(await asyncio.get_running_loop().run_in_executor(self._keeping, self.keeper.keep, letters))
        except Exception as error:
            if len(letters) == 1:
                return [error]
        return [answer for letter in letters for answer in await self._keep_all([letter])]

    def close(self) -> None:
        self._asking.shutdown(wait=True)
        self._keeping.shutdown(wait=True)


class _Answers:
    """What is answered to which command, where aiosmtpd asks."""

    def __init__(self, house: _House) -> None:
        self.house = house
        self.unknown = 0

    async def handle_EHLO(
        self, _smtp: SMTP, session: Session, _envelope: Envelope, hostname: str, said: list[str]
    ) -> list[str]:
        session.host_name = hostname
        offered = [line for line in said if not line[4:].upper().startswith(("AUTH", "HELP"))]
        return [*offered, "250 ENHANCEDSTATUSCODES"]

    async def handle_MAIL(
        self, _smtp: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not address.isprintable():  # a NUL, or bytes that are no UTF-8: no database keeps them
            return "553 5.1.7 The sender's address holds what no address can."
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, smtp: "_Conversation", _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= self.house.limits.recipients:
            return "452 4.5.3 Too many recipients."
        if not await self.house.knows(address):
            self.unknown += 1
            if self.unknown >= self.house.limits.unknown and not self.house.limits.is_ours(smtp.peer):
                smtp.end_after_reply()
                return "421 4.7.0 Too many unknown addresses."
            return "550 5.1.1 Nobody takes letters at this address. Ask whoever gave it to you for the new one."
        if not self.house.pace.allows(address.lower()):
            return "450 4.7.1 Too many letters to this address. Try again in a minute."
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_exception(self, error: Exception) -> str:
        logging.getLogger(__name__).error("The inbound door failed: %s", type(error).__name__)
        return "451 4.3.0 Something failed here. Try again later."


class _Conversation(SMTP):
    """One connection."""

    line_length_limit = 64 * 1024

    def __init__(self, house: _House, loop: asyncio.AbstractEventLoop) -> None:
        limits = house.limits
        self.line_length_limit = limits.line
        super().__init__(
            _Answers(house), hostname=house.name, ident="ESMTP", loop=loop, data_size_limit=limits.largest,
            enable_SMTPUTF8=True, tls_context=house.tls, timeout=limits.silence, command_call_limit=COMMANDS,
        )  # fmt: skip
        self._house = house
        self.peer = ""
        self._is_open = False  # among those that count
        self._is_refused = False
        self.is_storing = False
        self._ends = False

    # As a connection

    def connection_made(self, transport: Any) -> None:
        if self._is_open:  # once more, after STARTTLS
            super().connection_made(transport)
            return
        self.peer = str((transport.get_extra_info("peername") or ("",))[0])
        refusal = self._house.open.refusal(self.peer)
        if refusal:
            self._is_refused = True
            transport.write(f"{refusal}\r\n".encode())
            transport.close()
            return
        self._is_open = True
        self._house.open.enter(self.peer)
        self._house.conversations.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self._is_open:
            self._is_open = False
            self._house.open.leave(self.peer)
            self._house.conversations.discard(self)
        if not self._is_refused and self.transport is not None:
            super().connection_lost(error)

    def eof_received(self) -> bool | None:
        return None if self._is_refused else super().eof_received()

    def end_after_reply(self) -> None:
        """Close when the reply is out."""
        self._ends = True

    def say_goodbye(self) -> None:
        """The server stops: at once, unless a letter is being stored, which is answered first (RFC 5321 3.8)."""
        self._ends = True
        if not self.is_storing and self.transport is not None:
            self._writer.write(b"421 4.3.2 This server stops. Try again later.\r\n")
            self.transport.close()

    def abort(self) -> None:
        """End whatever goes on, without waiting for the other side."""
        transport = self._original_transport or self.transport
        if isinstance(transport, asyncio.Transport):
            transport.abort()

    async def push(self, status: Any) -> None:
        await super().push(status)
        if self._ends and self.transport is not None:
            self.transport.close()

    # As a speaker of SMTP

    async def smtp_AUTH(self, _said: str) -> None:
        await self.push("502 5.5.1 Nobody signs in here.")

    @syntax("DATA")
    async def smtp_DATA(self, said: str) -> None:
        if await self.check_helo_needed():
            return
        envelope = self.envelope
        if envelope is None or not envelope.rcpt_tos or said:
            await self.push("501 5.5.4 Syntax: DATA" if said else "503 5.5.1 Say RCPT first.")
            return
        await self.push("354 End the letter with <CRLF>.<CRLF>")
        self._reset_timeout(self._house.limits.letter)
        letter = _Reading(self._house)
        try:
            await self._read(letter)
            self.is_storing = True
            answer = letter.refusal or await self._keep(envelope, letter.raw())
        finally:
            letter.let_go()
            self.is_storing = False
            self.envelope = self._create_envelope()  # also after a failure: the same connection may try again
        await self.push(answer)

    async def _read(self, letter: "_Reading") -> None:
        """Read to the end, also what is refused: the reply comes after it (RFC 5321 4.2.5)."""
        begins = True
        while True:
            try:
                line = await self._reader.readuntil(b"\r\n")
            except asyncio.LimitOverrunError as error:
                await self._reader.read(error.consumed)
                letter.refuse("500 5.5.2 A line is too long.")
                begins = False
                continue
            if begins and line == b".\r\n":
                return
            letter.add(line[1:] if begins and line.startswith(b".") else line)  # RFC 5321 4.5.2
            begins = True

    async def _keep(self, envelope: Envelope, raw: bytes) -> str:
        if is_bare(raw):
            return "550 5.6.0 The letter holds a bare CR, LF or NUL (RFC 5321 2.3.8)."
        if is_loop(raw, most=self._house.limits.received):
            return "554 5.4.6 The letter has passed too many servers: it goes round in a circle."
        sender = envelope.mail_from or NULL
        recipients = tuple(dict.fromkeys(envelope.rcpt_tos))
        handed = Handed("" if sender == NULL else sender, recipients, raw, self.peer)
        if not await self._house.keep(handed):
            return "550 5.1.1 Nobody takes letters at this address any more."
        return "250 2.0.0 Kept"


class _Reading:
    """A letter that is being received, or why it is refused; then its bytes are given back at once.

    One array, not its lines: each of them would take 33 bytes more than it holds.
    """

    def __init__(self, house: _House) -> None:
        self._house = house
        self._raw = bytearray()
        self._size = 0
        self.refusal = ""

    def add(self, line: bytes) -> None:
        if self.refusal:
            return
        self._raw += line
        self._size += len(line)
        self._house.open.bytes += len(line)
        if self._size > self._house.limits.largest:
            self.refuse("552 5.3.4 The letter is too large.")
        elif self._house.open.bytes > self._house.limits.memory:
            self.refuse("452 4.3.1 Too many letters at once. Try again later.")

    def refuse(self, reply: str) -> None:
        self.refusal = self.refusal or reply
        self.let_go()

    def raw(self) -> bytes:
        """The letter, once; its bytes count as received until they are let go."""
        whole, self._raw = bytes(self._raw), bytearray()
        return whole

    def let_go(self) -> None:
        self._house.open.bytes -= self._size
        self._raw, self._size = bytearray(), 0


def is_bare(raw: bytes) -> bool:
    """Whether it holds a CR or LF that is no line's end, or a NUL (RFC 5321 2.3.8); counting is quick."""
    ends = raw.count(b"\r\n")
    return b"\0" in raw or raw.count(b"\r") != ends or raw.count(b"\n") != ends


def is_loop(raw: bytes, *, most: int) -> bool:
    """Whether more servers have passed the letter on than any good way has (RFC 5321 6.3)."""
    end, _body = end_of_block(raw, 0, MOST_BYTES)
    return len(RECEIVED.findall(raw, 0, end)) > most
