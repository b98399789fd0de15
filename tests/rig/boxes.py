"""The mail that an invented server holds: folders, letters, flags, MODSEQs, and what vanished. In memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import RLock

DAY_ONE = datetime(2024, 1, 1, 12, 0, tzinfo=UTC)


@dataclass
class Kept:
    """One letter of a folder."""

    uid: int
    raw: bytes
    date: datetime
    flags: set[str] = field(default_factory=set)
    modseq: int = 1


@dataclass
class Box:
    """One folder. Every change raises `modseq`."""

    name: str
    uidvalidity: int = 1000
    uidnext: int = 1
    modseq: int = 1
    attributes: tuple[str, ...] = ()
    object_id: str = ""
    letters: list[Kept] = field(default_factory=list)
    vanished: list[tuple[int, int]] = field(default_factory=list)  # (modseq, uid)

    def add(
        self, raw: bytes, *, flags: Iterable[str] = (), date: datetime | None = None, uid: int | None = None
    ) -> Kept:
        """Store a letter; its UID is the next one unless told."""
        self.modseq += 1
        uid = uid or self.uidnext
        kept = Kept(uid, raw, date or DAY_ONE + timedelta(minutes=uid % 500_000), set(flags), self.modseq)
        self.letters.append(kept)
        self.letters.sort(key=lambda each: each.uid)
        self.uidnext = max(self.uidnext, uid + 1)
        return kept

    def flag(self, kept: Kept, flags: set[str]) -> None:
        """Set the flags of a letter."""
        if kept.flags != flags:
            self.modseq += 1
            kept.flags, kept.modseq = set(flags), self.modseq

    def drop(self, uids: Iterable[int]) -> list[int]:
        """Remove letters for good; return those that were there."""
        gone = set(uids) & {each.uid for each in self.letters}
        if gone:
            self.modseq += 1
            self.vanished += [(self.modseq, uid) for uid in sorted(gone)]
            self.letters = [each for each in self.letters if each.uid not in gone]
        return sorted(gone)

    def uids(self) -> list[int]:
        """All UIDs, ascending."""
        return [each.uid for each in self.letters]


class Boxes:
    """All folders of the one user of an invented server."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.by_name: dict[str, Box] = {}
        for name, *attributes in (("INBOX",), ("Sent", "\\Sent"), ("Trash", "\\Trash")):
            self.make(name, *attributes)

    def make(self, name: str, *attributes: str, **facts) -> Box:
        """A new empty folder."""
        number = len(self.by_name)
        defaults = {"uidvalidity": 1000 + number, "object_id": f"F{number}"}
        self.by_name[name] = Box(name, attributes=attributes, **{**defaults, **facts})
        return self.by_name[name]

    def __getitem__(self, name: str) -> Box:
        return self.by_name["INBOX" if name.upper() == "INBOX" else name]

    def __contains__(self, name: str) -> bool:
        return name.upper() == "INBOX" or name in self.by_name


def letter(number: int, body: str = "", **headers: str) -> bytes:
    """A small letter with a number in subject, Message-ID and body; CRLF lines."""
    fields = {
        "From": "Ines Ortega <ines@example.com>",
        "To": "team@example.org",
        "Subject": f"Letter {number}",
        "Date": "Mon, 01 Jan 2024 12:00:00 +0000",
        "Message-ID": f"<letter-{number}@example.com>",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
    }
    fields.update({name.replace("_", "-"): value for name, value in headers.items()})
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return (head + "\r\n" + (body or f"This is letter number {number}.") + "\r\n").encode()
