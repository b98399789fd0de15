"""Reading what an IMAP server says: a tolerant tokenizer for responses of RFC 9051 and their quirks (A43).

A response arrives as pieces: text, literal, text, literal … text. `values` turns them into nested lists.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from letterdesk.mail.encode import MONTHS
from letterdesk.mail.errors import ProtocolError

DEPTH_MAX = 100
KEPT_MAX = 250_000  # responses to one command that are kept until it ends: a hundred thousand folders, twice
KEPT_OCTETS_MAX = 64 << 20
MODSEQ_MAX = 2**63 - 1  # RFC 7162 3.1.1: mod-sequences are 63 bits


class Oversize(int):
    """In place of a literal that was read and thrown away: its size in bytes."""


Piece = bytes | Oversize
Value = bytes | Oversize | None | list["Value"]

_TOKEN = re.compile(
    rb"[ \t]*+(?:"
    rb"(\()|(\))"
    rb'|"([^"\\]*+(?:\\.[^"\\]*+)*+)"'  # 3: quoted
    rb"|(~?\{[0-9]+\+?\})\Z"  # 4: a literal follows
    rb'|((?:[^ \t()"\[\]]++|\[[^\]]*+\]?+|\])++)'  # 5: atom; BODY[HEADER.FIELDS (DATE)] is one
    rb'|(".*+))',  # 6: a quoted string without end
    re.DOTALL,
)
_STATUS = re.compile(
    rb"(OK|NO|BAD|BYE|PREAUTH)(?: +\[([^\s\]]+)(?: +([^\]]*))?\])?(?: *(.*))?", re.DOTALL | re.IGNORECASE
)
_DATE_TIME = re.compile(rb"\s*(\d{1,2})-([A-Za-z]{3})-(\d{4}) +(\d{1,2}):(\d{2}):(\d{2})(?: *([+-])(\d{2})(\d{2}))?")
_MONTH_NUMBERS = {name.lower().encode(): number for number, name in enumerate(MONTHS, 1)}


@dataclass(frozen=True, slots=True)
class Status:
    """A status response. `code` and `kind` in upper case; `rest` what follows the code inside the brackets."""

    kind: str
    code: str
    rest: str
    text: str


@dataclass(frozen=True, slots=True)
class Untagged:
    """`* 4 FETCH (…)`: kind FETCH, number 4. For status responses `status` is set."""

    kind: str
    number: int
    pieces: list[Piece]
    status: Status | None = None

    def values(self) -> "list[Value]":
        """What follows the kind. Raises ProtocolError when it cannot be read."""
        return values(self.pieces)


@dataclass(slots=True)
class Room:
    """For responses that are kept until their command ends: a server may talk for ever."""

    responses: int = field(default_factory=lambda: KEPT_MAX)
    octets: int = field(default_factory=lambda: KEPT_OCTETS_MAX)

    def take(self, response: Untagged) -> bool:
        """Whether there is room for this one as well."""
        self.responses -= 1
        self.octets -= sum(len(piece) for piece in response.pieces if isinstance(piece, bytes))
        return self.responses >= 0 and self.octets >= 0


def status(line: bytes) -> Status | None:
    """Read `OK [CODE rest] text`, with or without code and text; None when the line is no status."""
    match = _STATUS.fullmatch(line)
    if not match:
        return None
    kind, code, rest, text = (_text(group or b"") for group in match.groups())
    return Status(kind.upper(), code.upper(), rest, text)


def untagged(pieces: list[Piece]) -> Untagged:
    """Read the response after `* `. Unknown kinds are no error: whoever asked looks for the kinds it knows."""
    first = pieces[0].lstrip() if isinstance(pieces[0], bytes) else b""
    word, _, rest = first.partition(b" ")
    if word.isdigit():
        kind, _, after = rest.lstrip().partition(b" ")
        return Untagged(_text(kind).upper(), int(word[:19]), [after, *pieces[1:]])
    kind_text = _text(word).upper()
    if kind_text in {"OK", "NO", "BAD", "BYE", "PREAUTH"}:
        return Untagged(kind_text, 0, pieces, status(first))
    return Untagged(kind_text, 0, [rest, *pieces[1:]])


def values(pieces: Sequence[Piece]) -> list[Value]:
    """Nested lists of octets; NIL is None. Parentheses too many or too few are forgiven."""
    top: list[Value] = []
    stack = [top]
    for place in range(0, len(pieces), 2):
        text = pieces[place]
        if not isinstance(text, bytes):
            raise ProtocolError("a literal where text was expected")
        _scan(text, stack)
        if place + 1 < len(pieces):
            stack[-1].append(pieces[place + 1])
    return top


def _scan(text: bytes, stack: list[list[Value]]) -> None:
    at = 0
    while match := _TOKEN.match(text, at):
        at = match.end()
        kind = match.lastindex
        if kind == 5:
            atom = match[5]
            stack[-1].append(None if len(atom) == 3 and atom.upper() == b"NIL" else atom)
        elif kind == 3:
            stack[-1].append(_unquoted(match[3]))
        elif kind == 1:
            if len(stack) > DEPTH_MAX:
                raise ProtocolError("nested too deeply")
            inner: list[Value] = []
            stack[-1].append(inner)
            stack.append(inner)
        elif kind == 2:
            if len(stack) > 1:
                stack.pop()
        elif kind == 6:
            stack[-1].append(_unquoted(match[6][1:]))


def _unquoted(text: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", text, flags=re.DOTALL) if b"\\" in text else text


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace").strip()


def number(value: Value, *, most: int = 2**63 - 1) -> int | None:
    """A number that was sent, or None for anything that is none or too large."""
    if not isinstance(value, bytes) or not value.isdigit() or len(value) > 19:
        return None
    found = int(value)
    return found if found <= most else None


def modseq(value: Value) -> int | None:
    """A mod-sequence; None for NIL, 0, junk and more than 63 bits (A21). FETCH has it in a list of one."""
    if isinstance(value, list):
        value = value[0] if value else None
    return number(value, most=MODSEQ_MAX) or None


def date_time(value: Value) -> datetime | None:
    """INTERNALDATE in UTC, or None when it is none. An absurd zone counts as UTC (A35)."""
    match = _DATE_TIME.match(value) if isinstance(value, bytes) else None
    if not match:
        return None
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    shift = timedelta(hours=int(zone_hours or 0), minutes=int(zone_minutes or 0))
    if shift >= timedelta(hours=24):
        shift = timedelta()
    try:
        month_number = _MONTH_NUMBERS[month.lower()]
        local = datetime(int(year), month_number, int(day), int(hour), int(minute), min(int(second), 59), tzinfo=UTC)
        return local + shift if sign == b"-" else local - shift
    except (ValueError, KeyError, OverflowError):
        return None
