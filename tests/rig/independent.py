"""A reader that shares no code with Letterdesk: imaplib of the standard library, with a few conveniences."""

import imaplib
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

imaplib._MAXLINE = 50_000_000


@dataclass(frozen=True, order=True)
class Held:
    """One letter as it lies on a server."""

    uid: int
    flags: frozenset[str]
    digest: str


class Independent(imaplib.IMAP4):
    """imaplib with answers in words of this rig. A context manager that logs out."""

    def ask(self, name: str, *arguments: str) -> list[bytes]:
        """Send a command (`UID FETCH` as "UID", "FETCH", …) and return its data; RuntimeError unless OK."""
        status, data = self.xatom(name, *arguments) if name != "UID" else self.uid(*arguments)
        if status != "OK":
            raise RuntimeError(f"{name} {arguments}: {data}")
        return data

    def folders(self) -> dict[str, frozenset[str]]:
        """Names (as on the wire) and attributes of all folders."""
        found = {}
        for line in self.list()[1]:
            if line is None:
                continue
            text = line if isinstance(line, bytes) else b" ".join(line)
            match = re.match(rb'\(([^)]*)\) (?:"[^"]*"|NIL) (?:\{\d+\} ?)?(.*)', text, re.DOTALL)
            assert match, text
            found[_unquote(match[2]).decode()] = frozenset(match[1].decode().split())
        return found

    def enter(self, folder: str = "INBOX") -> int:
        """SELECT; return UIDVALIDITY."""
        status, data = self.select(_quote(folder))
        if status != "OK":
            raise RuntimeError(f"SELECT {folder}: {data}")
        return int(self.response("UIDVALIDITY")[1][0])

    def contents(self, folder: str = "INBOX") -> tuple[int, list[Held]]:
        """UIDVALIDITY and every letter of a folder."""
        uidvalidity = self.enter(folder)
        status, data = self.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])")
        assert status == "OK", data
        return uidvalidity, sorted(_held(data))

    def store_letter(self, folder: str, raw: bytes, *, flags: Iterable[str] = (), date: datetime | None = None) -> int:
        """APPEND exactly these bytes; return the UID."""
        when = imaplib.Time2Internaldate(date or datetime.now(UTC))
        self.literal = raw
        status, data = self._simple_command("APPEND", _quote(folder), f"({' '.join(flags)})", when)
        if status != "OK":
            raise RuntimeError(f"APPEND {folder}: {data}")
        told = re.search(rb"APPENDUID \d+ (\d+)", data[0])
        return int(told[1]) if told else 0

    def wait_idle(self, seconds: float = 0.1) -> None:
        """Let the server settle."""
        time.sleep(seconds)
        self.noop()


def _held(data: Iterable[object]) -> Iterable[Held]:
    for item in data:
        if not isinstance(item, tuple):
            continue
        head = item[0]
        uid, flags = re.search(rb"UID (\d+)", head), re.search(rb"FLAGS \(([^)]*)\)", head)
        assert uid and flags, head
        words = frozenset(word for word in flags[1].decode().split() if word.lower() != "\\recent")
        yield Held(int(uid[1]), words, sha256(item[1]).hexdigest())


def _quote(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquote(name: bytes) -> bytes:
    if name.startswith(b'"'):
        return name[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\")
    return name
