"""Reads letters out of files: MBOX, Maildir, EML. Streamed: one letter is in memory at a time.

The date of receipt is that of the topmost Received field, which the last server wrote; else what the archive says;
else the Date field; else the file's own time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from .dates import read_date
from .headers import Head, read_head
from .imap_names import shown_name

LARGEST = 100 * 1024 * 1024  # bytes of one letter (A37)
LONGEST_LINE = 1024 * 1024  # bytes; longer ones come in pieces
HEAD = 256 * 1024  # bytes looked at for dates and flags

# "From sender Sat Jan  3 01:05:34 1996", with a zone here and there: a line of text seldom has a time and a year.
_SEPARATOR = re.compile(rb"From (?:\S+ )?.*\d{1,2}:\d{2}.*\d{4}")
_QUOTED = re.compile(rb">+From ")
_STATUS = {"R": "\\Seen", "A": "\\Answered", "F": "\\Flagged", "T": "\\Draft", "D": "\\Deleted"}
_MAILDIR = {"S": "\\Seen", "R": "\\Answered", "F": "\\Flagged", "D": "\\Draft", "T": "\\Deleted"}


@dataclass(frozen=True, slots=True)
class Archived:
    """One letter of an archive. `raw` None: larger than LARGEST, left where it is."""

    raw: bytes | None
    received_at: datetime
    flags: frozenset[str]


def read_mbox(path: Path) -> Iterator[Archived]:
    """The letters of an MBOX file (RFC 4155; mboxo and mboxrd: one `>` before `From ` is taken away).

    Flags come from Status and X-Status; where there is neither, the letter counts as read.
    """
    with path.open("rb") as file:
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        for separator, raw in _pieces(file):
            head = read_head(raw[:HEAD]) if raw is not None else None
            said = read_date(separator.partition(b" ")[2].partition(b" ")[2].decode("ascii", "replace"))
            yield Archived(raw, _received(head, said, written), _status(head))


def read_maildir(root: Path) -> Iterator[tuple[str, Archived]]:
    """(folder, letter) of a Maildir and its Maildir++ subfolders (`.Archive.2024` is `Archive/2024`).

    Raises NotADirectoryError where there is no Maildir.
    """
    if not (root / "cur").is_dir():
        raise NotADirectoryError(f"{root} has no folder “cur”: it is no Maildir")
    places = sorted(place for place in root.iterdir() if place.name.startswith(".") and (place / "cur").is_dir())
    for place in [root, *places]:
        name = "INBOX" if place == root else shown_name(place.name[1:]).replace(".", "/")
        for part in ("new", "cur"):
            files = sorted(place.joinpath(part).iterdir()) if (place / part).is_dir() else []
            for file in files:
                if file.is_file():
                    yield name, _of_maildir(file)


def read_eml(path: Path) -> Archived:
    """The letter in a file of its own; it counts as read."""
    return _of_file(path, frozenset({"\\Seen"}), None)


# MBOX


def _pieces(file: BinaryIO) -> Iterator[tuple[bytes, bytes | None]]:
    """(separator line, letter): without the empty line that belongs to the format, and with `>From ` unquoted."""
    separator, lines, size = b"", list[bytes](), 0
    after_empty = True
    for line, begins in _lines(file):
        if begins and after_empty and _SEPARATOR.match(line):
            if separator:
                yield separator, _joined(lines, size)
            separator, lines, size = line.strip(), [], 0
        elif separator:
            size += len(line)
            if size <= LARGEST:
                lines.append(line[1:] if begins and _QUOTED.match(line) else line)
        after_empty = begins and line in {b"\n", b"\r\n"}
    if separator:
        yield separator, _joined(lines, size)


def _lines(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Lines, very long ones in pieces, and whether a line begins there."""
    begins = True
    while line := file.readline(LONGEST_LINE):
        yield line, begins
        begins = line.endswith(b"\n")


def _joined(lines: list[bytes], size: int) -> bytes | None:
    if size > LARGEST:
        return None
    if lines and lines[-1] in {b"\n", b"\r\n"}:
        lines.pop()
    return b"".join(lines)


def _status(head: Head | None) -> frozenset[str]:
    fields = head.fields if head else {}
    if not fields.keys() & {"status", "x-status"}:
        return frozenset({"\\Seen"})
    letters = b"".join([*fields.get("status", []), *fields.get("x-status", [])]).decode("ascii", "replace")
    return frozenset(_STATUS[letter] for letter in letters if letter in _STATUS)


# Files


def _of_maildir(file: Path) -> Archived:
    info = file.name.rpartition(":2,")[2] if ":2," in file.name else ""
    flags = frozenset(_MAILDIR[letter] for letter in info if letter in _MAILDIR)
    stamp = file.name.partition(".")[0]
    said = datetime.fromtimestamp(int(stamp), UTC) if stamp.isdecimal() and len(stamp) < 11 else None
    return _of_file(file, flags, said)


def _of_file(file: Path, flags: frozenset[str], said: datetime | None) -> Archived:
    about = file.stat()
    raw = file.read_bytes() if about.st_size <= LARGEST else None
    head = read_head(raw[:HEAD]) if raw is not None else None
    return Archived(raw, _received(head, said, datetime.fromtimestamp(about.st_mtime, UTC)), flags)


def _received(head: Head | None, said: datetime | None, written: datetime) -> datetime:
    if head is None:
        return said or written
    stamp = head.first("received").rpartition(b";")[2].decode("ascii", "replace")
    return read_date(stamp) or said or read_date(head.first("date").decode("ascii", "replace")) or written
