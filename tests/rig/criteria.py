"""Dates of IMAP, and which letters a SEARCH means."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from .boxes import Box, Kept
from .grammar import in_set

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def write_date_time(moment: datetime) -> bytes:
    """INTERNALDATE in UTC."""
    return f"{moment.day:2d}-{MONTHS[moment.month - 1]}-{moment:%Y %H:%M:%S} +0000".encode()


def read_date_time(text: bytes) -> datetime:
    """INTERNALDATE as a client wrote it."""
    found = re.fullmatch(rb" ?(\d+)-(\w+)-(\d+) (\d+):(\d+):(\d+) ([+-])(\d\d)(\d\d)", text)
    day, month, *rest = found.groups()
    year, hour, minute, second = (int(each) for each in rest[:4])
    offset = timedelta(hours=int(rest[5]), minutes=int(rest[6])) * (-1 if rest[4] == b"-" else 1)
    return datetime(year, MONTHS.index(month.decode()) + 1, int(day), hour, minute, second, tzinfo=UTC) - offset


def read_date(text: bytes) -> datetime:
    """A date of SEARCH."""
    day, month, year = text.decode().split("-")
    return datetime(int(year), MONTHS.index(month.title()) + 1, int(day), tzinfo=UTC)


def matches(kept: Kept, words: list, box: Box) -> bool:
    """Whether a letter fits the criteria; those that are not known here fit every letter."""
    words = list(words)
    verdict = True
    while words:
        word = words.pop(0)
        if isinstance(word, list):
            verdict &= matches(kept, word, box)
        elif word[:1].isdigit():
            verdict &= box.letters.index(kept) + 1 in in_set(word, range(1, len(box.letters) + 1))
        else:
            arguments, fits = CRITERIA.get(word.upper(), (0, lambda *_: True))
            verdict &= fits(kept, box, *(words.pop(0) for _ in range(arguments)))
    return verdict


def _has_header(kept: Kept, _: Box, field: bytes, value: bytes) -> bool:
    head = kept.raw.partition(b"\r\n\r\n")[0]
    return bool(re.search(rb"(?im)^" + re.escape(field) + rb":.*" + re.escape(value), head))


CRITERIA: dict[bytes, tuple[int, Callable[..., bool]]] = {
    b"SINCE": (1, lambda kept, _, day: kept.date >= read_date(day)),
    b"BEFORE": (1, lambda kept, _, day: kept.date < read_date(day)),
    b"HEADER": (2, _has_header),
    b"UID": (1, lambda kept, box, which: kept.uid in in_set(which, box.uids())),
    b"CHARSET": (1, lambda *_: True),
    b"DELETED": (0, lambda kept, _: "\\Deleted" in kept.flags),
    b"UNDELETED": (0, lambda kept, _: "\\Deleted" not in kept.flags),
}
