"""A real SMTP server for letters of ours, that misbehaves on demand (E02–E07).

`Sink(modes)`: a mode is "<phase>:<what>" – phase one of greeting, ehlo, auth, mail, rcpt, data, dot, quit; what an
SMTP answer ("451 4.3.0 later"), "cut" (the line ends unanswered), "silence", or at dot "take+cut" (the letter is taken,
its answer is lost). `rcpt:bo@x.example:550 no` is for one address. A mode with `#2` behind it holds for the first two
times. It keeps what it has taken as (sender, recipients, raw bytes before the dots were unstuffed).
With `address_of` (token → whose it is) it offers XOAUTH2 and asks there.
"""

import base64
import socketserver
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .ports import free_port

WELL = {"greeting": "220 sink", "auth": "235 in", "mail": "250 ok", "rcpt": "250 ok", "data": "354 go on",
        "dot": "250 taken", "quit": "221 bye"}  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """A letter that the sink said yes to, or kept without saying so."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    def header(self, name: str) -> str:
        """The first line of this header field."""
        start = f"{name}: ".encode().lower()
        return next(
            (line[len(start) :].decode() for line in self.raw.split(b"\r\n") if line.lower().startswith(start)), ""
        )


@dataclass
class Sink:
    """`with Sink("rcpt:451 later#1") as sink:`"""

    modes: Iterable[str] = ()
    features: tuple[str, ...] = ("AUTH PLAIN LOGIN", "SIZE 40000000")
    address_of: Callable[[str], str] | None = None
    taken: list[Taken] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.host, self.port = "127.0.0.1", free_port()
        self.modes = [self.modes] if isinstance(self.modes, str) else list(self.modes)
        if self.address_of:
            self.features = ("AUTH PLAIN LOGIN XOAUTH2", *self.features[1:])
        self._times: dict[str, int] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "Sink":
        sink = self

        class Handler(_Conversation):
            def setup(self) -> None:
                self.sink = sink
                super().setup()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

        self._server = Server((self.host, self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reach(self, mailbox) -> None:
        """Let this mailbox send through the sink."""
        mailbox.smtp_host, mailbox.smtp_port, mailbox.smtp_security = self.host, self.port, "none"
        mailbox.save(update_fields=["smtp_host", "smtp_port", "smtp_security"])

    def answer(self, phase: str, argument: str = "") -> str:
        """What to say now."""
        with self._lock:
            for mode in self.modes:
                text, _, most = mode.partition("#")
                name, _, what = text.partition(":")
                if name != phase:
                    continue
                if phase == "rcpt" and "@" in what.partition(":")[0]:
                    address, _, what = what.partition(":")
                    if address != argument:
                        continue
                self._times[mode] = self._times.get(mode, 0) + 1
                if not most or self._times[mode] <= int(most):
                    return what
        return WELL.get(phase, "250 ok")


class _Cut(Exception):
    pass


class _Conversation(socketserver.StreamRequestHandler):
    sink: Sink

    def handle(self) -> None:
        try:
            self._say("greeting")
            self._envelope: tuple[str, list[str]] = ("", [])
            while line := self.rfile.readline():
                self._command(line.decode("utf-8", "replace").rstrip("\r\n"))
        except (_Cut, OSError):
            return

    def _command(self, line: str) -> None:
        self.sink.lines.append(line)
        word = line.split(" ", maxsplit=1)[0].upper()
        if word == "EHLO":
            features = self.sink.features
            self._write("250-sink\r\n" + "".join(f"250-{each}\r\n" for each in features) + "250 8BITMIME\r\n")
        elif word == "AUTH":
            self._sign_in(line)
        elif word == "MAIL":
            if self._say("mail"):
                self._envelope = (_address(line), [])
        elif word == "RCPT":
            if self._say("rcpt", _address(line)):
                self._envelope[1].append(_address(line))
        elif word == "DATA":
            if self._say("data"):
                self._letter()
        elif word == "QUIT":
            self._say("quit")
            raise _Cut
        else:
            self._write("502 what?\r\n")

    def _sign_in(self, line: str) -> None:
        if not line.upper().startswith("AUTH XOAUTH2 "):
            self._say("auth")
            return
        response = line.rsplit(maxsplit=1)[-1]
        user, _, token = base64.b64decode(response).decode().rstrip("\1").partition("\1auth=Bearer ")
        known = self.sink.address_of(token) if self.sink.address_of else ""
        if known and user == f"user={known}":
            self._say("auth")
            return
        report = b'{"status":"401","schemes":"bearer","scope":"mail"}'
        self._write(f"334 {base64.b64encode(report).decode()}\r\n")
        self.sink.lines.append(self.rfile.readline().decode().rstrip("\r\n"))
        self._write("535 5.7.3 Authentication unsuccessful\r\n")

    def _letter(self) -> None:
        rows = []
        while (row := self.rfile.readline()) != b".\r\n":
            if not row:
                raise _Cut  # without its dot a letter is none (RFC 5321 4.1.1.4)
            rows.append(row)
        what = self.sink.answer("dot")
        if what.startswith(("2", "take")):
            taken = Taken(self._envelope[0], tuple(self._envelope[1]), b"".join(rows))
            self.sink.taken.append(taken)
        self._tell(what.removeprefix("take+"))

    def _say(self, phase: str, argument: str = "") -> bool:
        what = self.sink.answer(phase, argument)
        self._tell(what)
        return what[:1] in {"2", "3"}

    def _tell(self, what: str) -> None:
        if what == "cut":
            raise _Cut
        if what == "silence":
            time.sleep(5)
            raise _Cut
        self._write(f"{what}\r\n")
        if what.startswith("421"):
            raise _Cut

    def _write(self, text: str) -> None:
        self.wfile.write(text.encode())


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]
