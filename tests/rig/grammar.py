"""Reads what an IMAP client sends: a command with its literals, as words and lists (RFC 9051 9)."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Word = "bytes | list[Word]"
_TOKEN = re.compile(
    rb'\s*(?:(?P<open>\()|(?P<close>\))|"(?P<quoted>(?:[^"\\]|\\.)*)"|\{(?P<literal>\d+)\+?\}\r\n'
    rb"|(?P<atom>(?:[^\s()\"\[\]]|\[[^\]]*\])+))"
)
_ENDS_IN_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n$")


class ClientWent(Exception):
    """The client closed the connection, or broke the grammar."""


@dataclass(frozen=True)
class Command:
    """One command: its tag, its name in upper case (`UID FETCH`), its arguments, and the bytes as sent."""

    tag: bytes
    name: str
    words: list
    raw: bytes


def read_command(read_line: Callable[[], bytes], read: Callable[[int], bytes], go_on: Callable[[], None]) -> Command:
    """Read one command, asking for its literals by `go_on`. Raises ClientWent."""
    raw = _line(read_line)
    while found := _ENDS_IN_LITERAL.search(raw):
        if not found[2]:
            go_on()
        raw += read(int(found[1])) + _line(read_line)
    tag, _, rest = raw.partition(b" ")
    words = parse(re.sub(rb"\r?\n\Z", b"", rest))  # only the last line end: a literal before it keeps its own
    if not words:
        return Command(tag.strip(), "", [], raw)
    name = words.pop(0).decode("latin-1").upper()
    if name == "UID" and words:
        name += " " + words.pop(0).decode("latin-1").upper()
    return Command(tag, name, words, raw)


def _line(read_line: Callable[[], bytes]) -> bytes:
    line = read_line()
    if not line.endswith(b"\n"):
        raise ClientWent
    return line


def parse(text: bytes) -> list:
    """Words of a line: atoms, quoted strings and literals as bytes, parentheses as lists."""
    stack: list[list] = [[]]
    at = 0
    while found := _TOKEN.match(text, at):
        at = found.end()
        if found["open"]:
            stack.append([])
        elif found["close"]:
            if len(stack) == 1:
                raise ClientWent(text)
            done = stack.pop()
            stack[-1].append(done)
        elif found["literal"]:
            size = int(found["literal"])
            stack[-1].append(text[at : at + size])
            at += size
        elif found["quoted"] is not None:
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", found["quoted"]))
        else:
            stack[-1].append(found["atom"])
    return stack[0]


def in_set(sequence_set: bytes, numbers: Iterable[int]) -> list[int]:
    """Which of these ascending numbers a sequence-set names; `*` is the greatest (RFC 9051 9, seq-number)."""
    numbers = list(numbers)
    top = numbers[-1] if numbers else 0
    chosen: set[int] = set()
    for part in sequence_set.split(b","):
        first, _, last = part.partition(b":")
        low, high = sorted(top if end == b"*" else int(end) for end in (first, last or first))
        chosen.update(number for number in numbers if low <= number <= high)
    return sorted(chosen)


def compact(numbers: Iterable[int]) -> bytes:
    """A sequence-set of these numbers."""
    ranges: list[list[int]] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return b",".join(b"%d" % a if a == b else b"%d:%d" % (a, b) for a, b in ranges)
