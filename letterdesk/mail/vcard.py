"""Visiting cards (vCard): read in all versions that programs write (2.1, RFC 2426, RFC 6350), written as RFC 2426."""

import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .charsets import clean_text, decode
from .letters import Part

TYPES = ("text/vcard", "text/x-vcard", "text/directory")  # of files that are cards
LARGEST = 1_000_000  # bytes of a file that is read
MOST_LINE = 75  # octets of a line, RFC 2426 2.6
OWN = "X-LETTERDESK-FIELD"  # name and text; programs pass over what they do not know (RFC 6350 6.10)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SOFT = re.compile(rb"=\r?\n")  # quoted-printable, vCard 2.1
_FOLD = re.compile(rb"\r?\n[ \t]")
_PLAIN_AT = re.compile(r"(?<!\\);")


class NoCard(ValueError):
    """These bytes hold no visiting card."""


def is_card(part: Part) -> bool:
    """Whether a file of a letter is read as cards."""
    return part.content_type in TYPES and part.size <= LARGEST and not part.inline


@dataclass(frozen=True, slots=True)
class Card:
    """What a card says of somebody; empty where it says nothing."""

    name: str = ""
    addresses: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    company: str = ""
    position: str = ""
    note: str = ""
    own: tuple[tuple[str, str], ...] = ()  # fields of one's own: what they are called, and what they say


def read_cards(content: bytes, *, most: int) -> list[Card]:
    """At most so many cards of a file, in their order; lines that nothing explains are passed over. Raises NoCard."""
    found: list[Card] = []
    lines: list[tuple[str, str]] | None = None
    for name, value in _lines(content):
        if name == "BEGIN" and value.strip().upper() == "VCARD":
            lines = []
        elif name == "END" and lines is not None:
            found.append(_card(lines))
            lines = None
            if len(found) == most:
                break
        elif lines is not None:
            lines.append((name, value))
    if not found:
        raise NoCard
    return found


def write_cards(cards: Iterable[Card]) -> str:
    """Cards as a file: vCard 3.0, the version that every program reads (RFC 2426)."""
    return "".join(f"{_folded(line)}\r\n" for card in cards for line in _written(card))


def _written(card: Card) -> Iterator[str]:
    family = card.name.rpartition(" ")
    yield "BEGIN:VCARD"
    yield "VERSION:3.0"
    yield f"FN:{_escaped(card.name)}"
    yield f"N:{_escaped(family[2])};{_escaped(family[0])};;;"
    yield from (f"EMAIL;TYPE=INTERNET:{_escaped(address)}" for address in card.addresses)
    yield from (f"TEL:{_escaped(phone)}" for phone in card.phones)
    if card.company:
        yield f"ORG:{_escaped(card.company)}"
    if card.position:
        yield f"TITLE:{_escaped(card.position)}"
    if card.note:
        yield f"NOTE:{_escaped(card.note)}"
    yield from (f"{OWN}:{_escaped(name)};{_escaped(text)}" for name, text in card.own)
    yield "END:VCARD"


def _escaped(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace("\r\n", "\n").replace("\r", "\n")
    return plain.replace("\n", "\\n").replace(",", "\\,").replace(";", "\\;")


def _folded(line: str) -> str:
    """Lines of at most 75 octets, no character cut in two."""
    parts: list[str] = []
    part, size = "", 0
    for sign in line:
        octets = len(sign.encode())
        if size + octets > MOST_LINE - bool(parts):
            parts.append(part)
            part, size = "", 0
        part, size = part + sign, size + octets
    return "\r\n ".join([*parts, part])


def _lines(content: bytes) -> Iterator[tuple[str, str]]:
    """Names of properties, in capitals and without their group, each with its value as text."""
    for raw in _FOLD.sub(b"", _without_soft_breaks(content)).splitlines():
        head, colon, value = raw.partition(b":")
        if not colon:
            continue
        name, *parameters = head.decode("ascii", "replace").upper().split(";")
        said = {part.partition("=")[2] or part for part in parameters}
        if "QUOTED-PRINTABLE" in said:
            value = quopri.decodestring(value)
        charset = next((part[8:] for part in parameters if part.startswith("CHARSET=")), "")
        yield name.rpartition(".")[2].strip().lstrip("\ufeff\ufffd"), decode(value, charset)


def _without_soft_breaks(content: bytes) -> bytes:
    return _SOFT.sub(b"", content) if b"QUOTED-PRINTABLE" in content.upper() else content


def _card(lines: list[tuple[str, str]]) -> Card:
    def first(*names: str) -> str:
        found = (_text(value) for wanted in names for name, value in lines if name == wanted)
        return next((text for text in found if text), "")

    def all_of(wanted: str) -> tuple[str, ...]:
        found = (_text(value).removeprefix("mailto:").removeprefix("tel:") for name, value in lines if name == wanted)
        return tuple(dict.fromkeys(text for text in found if text))

    return Card(
        name=first("FN") or _of_parts(lines),
        addresses=all_of("EMAIL"),
        phones=all_of("TEL"),
        company=next((_parts(value)[0] for name, value in lines if name == "ORG" and value.strip()), ""),
        position=first("TITLE", "ROLE"),
        note=first("NOTE"),
        own=tuple((said[0], said[1]) for name, value in lines if name == OWN and len(said := _parts(value)) == 2),
    )


def _of_parts(lines: list[tuple[str, str]]) -> str:
    """The given name before the family's (RFC 6350 6.2.2), where no whole name stands."""
    value = next((value for name, value in lines if name == "N"), "")
    family, given, *_rest = [*_parts(value), "", ""]
    return f"{given} {family}".strip()


def _parts(value: str) -> list[str]:
    return [_text(part) for part in _PLAIN_AT.split(value)]


def _text(value: str) -> str:
    return clean_text(_ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)).strip()
