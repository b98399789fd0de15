"""Header fields as they are written, folded at 76 characters: subjects, people, identifiers.

By hand, because the standard library loses blanks between encoded words and makes encoded words of long identifiers.
"""

import base64
import re
from collections.abc import Iterable, Iterator

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")  # RFC 5322 3.2.3
_ENDS = re.compile(r"[\r\n\0]")
_WIDTH = 76
_IN_WORD = 45  # octets: 60 of base64 and 12 around stay below 75 (RFC 2047 2)
_LONGEST_WORD = 900


def text_field(name: str, text: str) -> str:
    """`Subject: …` with its line end. Raises ValueError unless `text` is one line."""
    _check(text)
    if not text.isascii() or "=?" in text or any(len(word) > _LONGEST_WORD for word in text.split(" ")):
        return f"{name}: {_encoded(text)}\r\n"
    lines, line = [], f"{name}:"
    for word in re.findall(r" *[^ ]+", f" {text}"):
        if len(line) + len(word) > _WIDTH and line.strip() and line != f"{name}:":
            lines.append(line)
            line = ""
        line += word
    return "\r\n".join([*lines, line]) + "\r\n"


def people_field(name: str, people: Iterable[tuple[str, str]]) -> str:
    """`To: …` of shown names and addresses, one in each line. Raises ValueError for a line end in one."""
    people = [(_check(who), _check(address)) for who, address in people]
    shown = [f"{_phrase(who)} <{address}>" if who else address for who, address in people]
    return f"{name}: " + ",\r\n ".join(shown) + "\r\n"


def ids_field(name: str, ids: Iterable[str]) -> str:
    """`References: …` of identifiers with their brackets, one in each line. Raises ValueError for a line end in one."""
    return f"{name}: " + "\r\n ".join(map(_check, ids)) + "\r\n"


def _check(text: str) -> str:
    if _ENDS.search(text):
        raise ValueError(f"a line end in a header field: {text[:60]!r}")
    return text


def _phrase(name: str) -> str:
    if not name.isascii() or "=?" in name or len(name) > _WIDTH:
        return _encoded(name)
    if _ATOMS.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _encoded(text: str) -> str:
    """RFC 2047: each word holds whole characters."""
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(piece).decode('ascii')}?=" for piece in _pieces(text)) or ""


def _pieces(text: str) -> Iterator[bytes]:
    piece = b""
    for mark in text:
        octets = mark.encode()
        if len(piece) + len(octets) > _IN_WORD:
            yield piece
            piece = b""
        piece += octets
    if piece:
        yield piece
