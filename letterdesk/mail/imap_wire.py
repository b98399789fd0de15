"""The wire of one IMAP connection: tags, commands, lines, literals. What it means is for the files beside this one.

Why not IMAPClient: docs/decisions/0002-own-imap-wire.md.
"""

import re
import socket
import ssl
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from time import monotonic

from letterdesk.mail.encode import Argument, Ways, encode
from letterdesk.mail.errors import Disconnected, MailError, ProtocolError
from letterdesk.mail.imap_refusals import refusal
from letterdesk.mail.imap_response import Oversize, Piece, Room, Status, Untagged, status, untagged
from letterdesk.mail.imap_trace import Trace

LINE_MAX = 1 << 20  # one line without its literals
SEARCH_LINE_MAX = 32 << 20  # `* SEARCH` of a server without ESEARCH: ten octets a letter
LITERAL_MAX = 1 << 20  # a literal where no letter was asked for: a name
LITERALS_MAX = 1000  # in one response
EMPTY_LINES_MAX = 100  # in a row
OF_LETTERS = {"FETCH", "EXPUNGE", "VANISHED"}
DRAIN = 4  # a letter up to so many times the size allowed is read and thrown away; beyond, we hang up
SLOWEST = 1024  # octets a second; who drips slower is cut off
CHUNK = 64 << 10
SEND = 256 << 10

_LITERAL = re.compile(rb"~?\{(-?\d+)\+?\}\Z")


class Wire:
    """Not for several threads at once. Any failure closes the socket and raises a MailError."""

    def __init__(self, connection: socket.socket, *, timeout: float, trace: Trace | None = None) -> None:
        self.socket = connection
        self.timeout = timeout
        self.deadline: float | None = None  # by the monotonic clock: nothing is waited for after it
        self.trace = trace
        self.ways = Ways()
        self.commands: Counter[str] = Counter()
        self.exists = 0
        self.line_max = LINE_MAX
        self.round = 0  # counts commands that stand alone: a stream that was overtaken notices by it
        self._tags = 0
        self._outstanding: set[str] = set()
        self._ended: dict[str, Status] = {}
        self._early: deque[Untagged] = deque()
        self._data = b""
        self._at = 0
        self._farewell = ""
        self._largest = LITERAL_MAX  # the largest literal that any command so far was ready to take
        self.last = Status("OK", "", "", "")

    # Commands

    def run(self, *arguments: Argument, name: str) -> tuple[list[Untagged], Status]:
        """Send a command, collect its untagged responses until it ends; not what it says of single letters, which
        has no bounds. Raises `refusal` for NO and BAD, ProtocolError for an answer without end.
        """
        return self.collect(self.until(self.send(*arguments, name=name))), self.last

    def collect(self, responses: Iterable[Untagged]) -> list[Untagged]:
        """These, as `run` does."""
        kept: list[Untagged] = []
        room = Room()
        for each in responses:
            if each.kind not in OF_LETTERS:
                kept.append(self._within(room, each))
        return kept

    def _within(self, room: Room, response: Untagged) -> Untagged:
        if not room.take(response):
            raise self.broken(ProtocolError("an answer without end"))
        return response

    def send(self, *arguments: Argument, name: str, pipelined: bool = False) -> str:
        """Send a command and return its tag. Unless `pipelined`, answers still due are read and thrown away first."""
        if not pipelined:
            self.settle()
            self.round += 1
        pieces = encode(arguments, ways=self.ways) if arguments else [b""]
        self._tags += 1
        tag = f"L{self._tags}"
        self.commands[name] += 1
        if self.trace:
            shown = b"" if name in {"LOGIN", "AUTHENTICATE"} else pieces[0].partition(b"\r\n")[0]
            self.trace.add(">", f"{tag} {name} {shown.decode('utf-8', 'replace')}")
        head = f"{tag} {name}".encode("ascii")
        pieces[0] = head + b" " + pieces[0] if arguments else head
        self._outstanding.add(tag)
        for piece in pieces[:-1]:
            self.transmit(piece)
            self.await_continuation(tag)
        self.transmit(pieces[-1] + b"\r\n")
        return tag

    def until(
        self, tag: str, *, literal_max: int = LITERAL_MAX, answer: Callable[[bytes], bytes] | None = None
    ) -> Iterator[Untagged]:
        """Untagged responses up to the end of the command; its status is `last` then. Raises for NO and BAD.

        `answer` answers continuations. Letters above `literal_max` arrive as `Oversize`.
        """
        self._largest = max(self._largest, literal_max)
        mine = self.round
        while True:
            if self.round != mine:
                raise RuntimeError("the connection was asked for something else before this answer was read")
            if self._early:
                yield self._early.popleft()
            elif tag in self._ended:
                return self._end(tag)
            elif response := self._progress(literal_max=literal_max, answer=answer):
                yield response

    def await_continuation(self, tag: str) -> bytes:
        """Wait for `+`; returns what follows it. Raises when the command ends instead."""
        challenges: list[bytes] = []
        room = Room()
        while not challenges:
            if tag in self._ended:
                self._end(tag)
                raise self.broken(ProtocolError("an end where a continuation was due"))
            if response := self._progress(literal_max=LITERAL_MAX, note=challenges.append):
                self._early.append(self._within(room, response))
        return challenges[0]

    @property
    def encryption(self) -> str:
        """The version of TLS, such as TLSv1.3; "" without."""
        return (self.socket.version() or "") if isinstance(self.socket, ssl.SSLSocket) else ""

    def settle(self) -> None:
        """Read and throw away what is still due of commands whose answers nobody waits for any more."""
        while self._outstanding:
            self._progress(literal_max=0, note=lambda _: None)
        self._early.clear()
        self._ended.clear()

    def _progress(
        self,
        *,
        literal_max: int,
        answer: Callable[[bytes], bytes] | None = None,
        note: Callable[[bytes], None] | None = None,
    ) -> Untagged | None:
        """Take one response. Ends of commands go to `_ended`: a server may work at two commands at once, and so
        may end the second before the first (RFC 9051 5.5).
        """
        found, pieces = self.receive(literal_max=literal_max)
        if found == "*":
            return self.note(untagged(pieces))
        text = bytes(pieces[0]) if isinstance(pieces[0], bytes) else b""
        if found == "+" and answer:
            self.transmit(answer(text) + b"\r\n")
        elif found == "+" and note:
            note(text)
        else:
            ended = status(text)
            if found not in self._outstanding or ended is None or ended.kind not in {"OK", "NO", "BAD"}:
                raise self.broken(ProtocolError(f"{found[:20]} {text[:80]!r}"))
            self._outstanding.remove(found)
            self._ended[found] = ended
        return None

    def _end(self, tag: str) -> None:
        self.last = self._ended.pop(tag)
        if self.last.kind != "OK":
            raise refusal(self.last)

    def take_early(self) -> list[Untagged]:
        """Responses that came while a continuation was awaited."""
        early = list(self._early)
        self._early.clear()
        return early

    @property
    def has_buffered(self) -> bool:
        """Whether octets were read that nobody has looked at."""
        return self._at < len(self._data)

    def note(self, response: Untagged) -> Untagged:
        """Keep in mind what every response may say: how many letters there are, and a farewell."""
        if response.kind == "EXISTS":
            self.exists = response.number
        elif response.kind == "EXPUNGE":
            self.exists = max(self.exists - 1, 0)
        elif response.kind == "BYE" and response.status:
            self._farewell = response.status.text or "BYE"
        return response

    # Responses

    def receive(self, *, literal_max: int = LITERAL_MAX) -> tuple[str, list[Piece]]:
        """One response: `*`, `+` or a tag, and its pieces. A literal above `literal_max` is read and thrown away."""
        line = self._line_with_something()
        if self.trace:
            self.trace.add("<", line)
        tag, _, rest = line.partition(b" ")
        if tag != b"*" or not rest.endswith(b"}") or status(rest):
            return tag.decode("ascii", "replace"), [rest]
        pieces: list[Piece] = [rest]
        while literal := _LITERAL.search(rest):
            pieces.append(self._read_literal(int(literal[1]), literal_max=literal_max, before=pieces))
            rest = self.read_line()
            pieces.append(rest)
            if len(pieces) > 2 * LITERALS_MAX:
                raise self.broken(ProtocolError("too many literals in one response"))
        return "*", pieces

    def _line_with_something(self) -> bytes:
        """The next line that is not empty: some servers put empty ones between their answers (A43)."""
        for _ in range(EMPTY_LINES_MAX):
            if line := self.read_line():
                return line
        raise self.broken(ProtocolError("nothing but empty lines"))

    def _read_literal(self, size: int, *, literal_max: int, before: list[Piece]) -> Piece:
        if size < 0 or size > DRAIN * self._largest:
            error = ProtocolError(f"a literal of {size} octets", size=size, before=before)
            raise self.broken(error)
        if size > literal_max:
            self._skip(size)
            return Oversize(size)
        return self.read_exactly(size)

    def read_line(self) -> bytes:
        """A line without its end. Stray NULs are dropped (A43). Raises ProtocolError when it has no end."""
        end = self._data.find(b"\n", self._at)
        if end < 0:
            end = self._read_on_to_line_end()
        line = self._data[self._at : end]
        self._at = end + 1
        line = line[:-1] if line.endswith(b"\r") else line
        return line.replace(b"\0", b"") if b"\0" in line else line

    def _read_on_to_line_end(self) -> int:
        deadline = monotonic() + 2 * self.timeout
        grown = BytesIO()
        grown.write(self._data[self._at :])
        while True:
            came = self._more()
            end = came.find(b"\n")
            before = grown.tell()
            grown.write(came)
            if end >= 0:
                self._data, self._at = grown.getvalue(), 0
                return before + end
            if grown.tell() > self.line_max:
                raise self.broken(ProtocolError("a line without end"))
            if monotonic() > deadline + grown.tell() / SLOWEST:
                raise self.broken(Disconnected("the answer came too slowly"))

    def read_exactly(self, size: int) -> bytes:
        """The next `size` octets. Memory grows with what comes, not with what was announced (A12)."""
        end = self._at + size
        if end <= len(self._data):
            octets = self._data[self._at : end]
            self._at = end
            return octets
        whole = BytesIO()
        for piece in self._stream(size):
            whole.write(piece)
        return whole.getvalue()

    def _skip(self, size: int) -> None:
        for _ in self._stream(size):
            pass

    def _stream(self, size: int) -> Iterator[bytes]:
        deadline = monotonic() + 2 * self.timeout
        got = min(size, len(self._data) - self._at)
        yield self._data[self._at : self._at + got]
        self._at += got
        while got < size:
            came = self._more()
            wanted = size - got
            if len(came) > wanted:
                self._data, self._at = came, wanted
                came = came[:wanted]
            got += len(came)
            yield came
            if monotonic() > deadline + got / SLOWEST:
                raise self.broken(Disconnected("the answer came too slowly"))

    # Octets

    def _more(self) -> bytes:
        """Wait for octets; what was read before is used up. Raises Disconnected."""
        self._data, self._at = b"", 0
        try:
            self._hurry()
            came = self.socket.recv(CHUNK)
        except TimeoutError as error:
            raise self.broken(Disconnected(f"no answer within {self.timeout:g} s")) from error
        except (OSError, ValueError) as error:
            raise self.broken(Disconnected(str(error))) from error
        if not came:
            raise self.broken(Disconnected("end of the connection"))
        return came

    def arrived(self) -> list[bytes]:
        """Whole lines that are here already, without waiting; the rest stays for the next call. For IDLE."""
        kept = [self._data[self._at :]]
        self._data, self._at = b"", 0
        ended = False
        try:
            self.socket.settimeout(0)
            while sum(map(len, kept)) < self.line_max:  # a storm is taken in portions (A39)
                if not (came := self.socket.recv(CHUNK)):
                    ended = True
                    break
                kept.append(came)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass  # nothing more for now
        except (OSError, ValueError) as error:
            raise self.broken(Disconnected(str(error))) from error
        finally:
            if self.socket.fileno() >= 0:
                self.socket.settimeout(self.timeout)
        *lines, rest = b"".join(kept).split(b"\n")
        self._data = rest
        if ended and not lines:
            raise self.broken(Disconnected("end of the connection"))
        if len(rest) >= self.line_max:
            raise self.broken(ProtocolError("a line without end"))
        return [line.rstrip(b"\r") for line in lines]

    def transmit(self, octets: bytes) -> None:
        """Put octets on the wire. `sendall` counts its time-out for all of them, so large ones go in slices."""
        view = memoryview(octets)
        try:
            self._hurry()
            for start in range(0, len(octets), SEND):
                self.socket.sendall(view[start : start + SEND])
        except (OSError, ValueError) as error:
            raise self.broken(Disconnected(str(error))) from error

    def _hurry(self) -> None:
        """Wait no longer than the deadline allows. Raises Disconnected after it."""
        if self.deadline is None:
            return
        left = self.deadline - monotonic()
        if left <= 0:
            raise self.broken(Disconnected("it took too long"))
        self.socket.settimeout(min(self.timeout, left))

    def set_timeout(self, seconds: float) -> None:
        """How long to wait for each answer from now on."""
        self.timeout = seconds
        self.socket.settimeout(seconds)

    def forget_buffer(self) -> None:
        """Throw away what was read beyond the answer to STARTTLS: it came unencrypted (A44, RFC 9051 6.2.1)."""
        self._data, self._at = b"", 0
        self._early.clear()

    def broken(self, error: MailError) -> MailError:
        """Close the connection because of this error, and return it with the server's farewell if there was one."""
        self.close()
        if isinstance(error, Disconnected) and self._farewell:
            error = refusal(Status("BYE", "", "", self._farewell))
        if self.trace:
            self.trace.add("!", f"{error.code}: {error.detail}")
        return error

    def close(self) -> None:
        """End without a word."""
        self._data, self._at = b"", 0
        self.socket.close()
