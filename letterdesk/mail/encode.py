"""The one encoder of everything that goes into an IMAP command (hard rule 1, D04).

A command is a list of arguments: an `Atom` is syntax of ours and is checked, a `str` or `bytes` is somebody's text and
becomes a quoted string or a literal, a list becomes a parenthesised list. Nothing else reaches the wire.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeAlias

from letterdesk.mail.errors import NotSendable
from letterdesk.mail.uidset import UidSet

QUOTED_MAX = 1000  # longer texts go as a literal: a command line has an end (RFC 7162 4)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_ATOM = re.compile(r"[A-Za-z0-9!#$&'*+,\-./:;<=>?@\[\]^_`|~%]+")  # without ( ) { " \ and space; fetch-att brackets
_FLAG = re.compile(r"\\?[^\x00-\x20\x7f-\U0010ffff(){%*\"\\\]]+")  # RFC 9051 9: flag = "\" atom / atom
_QUOTABLE = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x7f]*")


@dataclass(frozen=True, slots=True)
class Atom:
    """A word of the protocol, never made of foreign text. Raises NotSendable for what is not one."""

    word: str

    def __post_init__(self) -> None:
        if not _ATOM.fullmatch(self.word):
            raise NotSendable(f"not a word of the protocol: {self.word[:60]!r}")


@dataclass(frozen=True, slots=True)
class Flag:
    r"""A flag (`\Seen`) or keyword (`$Forwarded`) for STORE and APPEND. Raises NotSendable for what is not one."""

    name: str

    def __post_init__(self) -> None:
        if not _FLAG.fullmatch(self.name):
            raise NotSendable(f"not a flag: {self.name[:60]!r}")


@dataclass(frozen=True, slots=True)
class Literal:
    """Bytes that travel as a literal whatever they are: a letter to append."""

    octets: bytes


Argument: TypeAlias = "Atom | Flag | Literal | str | bytes | int | date | datetime | UidSet | Sequence[Argument]"


@dataclass(frozen=True, slots=True)
class Ways:
    """How literals may be sent: `free` octets without waiting for the server (RFC 7888), -1 without limit."""

    free: int = 0

    @classmethod
    def of(cls, capabilities: Iterable[str]) -> "Ways":
        """What the server's capabilities allow: LITERAL+ any size, LITERAL- and IMAP4rev2 up to 4,096 octets."""
        offered = set(capabilities)
        if "LITERAL+" in offered:
            return cls(free=-1)
        return cls(free=4096 if offered & {"LITERAL-", "IMAP4REV2"} else 0)


def encode(arguments: Sequence[Argument], *, ways: Ways) -> list[bytes]:
    """Encode the arguments of one command, without tag and line end.

    Returns pieces: after each but the last one the server's continuation has to be awaited (RFC 9051 4.3).
    Raises NotSendable for NUL and for what is not an argument.
    """
    pieces = [bytearray()]
    for place, argument in enumerate(arguments):
        if place:
            pieces[-1] += b" "
        _add(pieces, argument, ways=ways)
    return [bytes(piece) for piece in pieces]


def _add(pieces: list[bytearray], argument: Argument, *, ways: Ways) -> None:
    match argument:
        case Literal():
            _add_literal(pieces, argument.octets, ways=ways)
        case str():
            _add_text(pieces, _utf8(argument), ways=ways)
        case bytes():
            _add_text(pieces, argument, ways=ways)
        case list() | tuple():
            _add_list(pieces, argument, ways=ways)
        case _:
            pieces[-1] += _word(argument).encode("ascii")


def _word(argument: object) -> str:
    match argument:
        case Atom():
            return argument.word
        case Flag():
            return argument.name
        case UidSet() if argument:
            return str(argument)
        case int() if not isinstance(argument, bool) and 0 <= argument < 2**63:
            return str(argument)
        case datetime():
            return f'"{_date_time(argument)}"'
        case date():
            return _date(argument)
    raise NotSendable(f"not an argument: {type(argument).__name__}")


def _add_list(pieces: list[bytearray], arguments: Sequence[Argument], *, ways: Ways) -> None:
    pieces[-1] += b"("
    for place, argument in enumerate(arguments):
        if place:
            pieces[-1] += b" "
        _add(pieces, argument, ways=ways)
    pieces[-1] += b")"


def _utf8(text: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotSendable("it contains half of a character") from error


def _add_text(pieces: list[bytearray], octets: bytes, *, ways: Ways) -> None:
    if len(octets) <= QUOTED_MAX and _QUOTABLE.fullmatch(octets):
        pieces[-1] += b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    else:
        _add_literal(pieces, octets, ways=ways)


def _add_literal(pieces: list[bytearray], octets: bytes, *, ways: Ways) -> None:
    if b"\0" in octets:
        raise NotSendable("it contains a NUL character")  # RFC 9051 9: CHAR8 is %x01-ff
    free = ways.free < 0 or len(octets) <= ways.free
    pieces[-1] += b"{%d+}\r\n" % len(octets) if free else b"{%d}\r\n" % len(octets)
    if not free:
        pieces.append(bytearray())
    pieces[-1] += octets


def _date(day: date) -> str:
    return f"{day.day}-{MONTHS[day.month - 1]}-{day.year:04d}"  # never strftime: its months follow the locale


def _date_time(moment: datetime) -> str:
    utc = moment.astimezone(UTC)
    return f"{utc.day:2d}-{MONTHS[utc.month - 1]}-{utc.year:04d} {utc:%H:%M:%S} +0000"  # RFC 9051 9: date-time
