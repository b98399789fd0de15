"""Address lists (RFC 5322 3.4, and what senders make of them), read in one pass, linear in their length (B02, B18)."""

import contextlib
import re
import unicodedata
from functools import lru_cache

from letterdesk.mail.charsets import clean_line, decode
from letterdesk.mail.headers import decode_words
from letterdesk.mail.letters import Address

MOST_ADDRESSES = 2_000
MOST_IN_NAME = 200
MOST_IN_DOMAIN = 255  # RFC 5321 4.5.3.1
MOST_IN_ADDRESS = 64 + 1 + MOST_IN_DOMAIN

_SHORT = 300  # bytes of a field that is remembered
_TOKEN = re.compile(
    r'"(?P<quoted>(?:[^"\\]|\\.)*)(?P<close>"|\\?\Z)'
    r"|<(?P<angle>[^<>]*)>"
    r"|(?P<mark>[,;:()])"
    r'|(?P<word>[^\s,;:()<>"]+)'
    r"|(?P<space>\s+)"
    r'|(?P<stray>[<>"])',
    re.DOTALL,
)
_BACKSLASH = re.compile(r"\\(.)")
_IN_ADDRESS = re.compile(r"[\s\x00-\x1f\x7f<>,;]+")
_SIMPLE_NAME = re.compile(r"(?:[A-Za-z0-9.&-]{1,40}(?: [A-Za-z0-9.&-]{1,40}){0,3})?")
_SIMPLE_ADDRESS = re.compile(r"[A-Za-z0-9_.+=-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}")
_ROUTE = re.compile(r"^@[^:]*:")


def read_addresses(values: list[bytes], charset: str = "") -> tuple[Address, ...]:
    """All addresses of a field that may stand several times, at most `MOST_ADDRESSES`; groups are taken apart.

    Encoded words are decoded after the list is read, so that none of them can bring in an address (B18).
    """
    if len(values) == 1 and len(values[0]) <= _SHORT:
        return _read_short(values[0], charset)
    found: list[Address] = []
    for value in values:
        found += _Reader(decode(value, charset)).read(MOST_ADDRESSES - len(found))
    return tuple(found)


@lru_cache(maxsize=4096)
def _read_short(value: bytes, charset: str) -> tuple[Address, ...]:
    """The same few people write most letters of a mailbox."""
    return tuple(_Reader(decode(value, charset)).read(MOST_ADDRESSES))


class _Reader:
    """Collects one address after the other: its words, its `<…>`, its comments."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Address] = []
        self._clear()

    def _clear(self) -> None:
        self.words: list[str] = []
        self.comments: list[str] = []
        self.angle = ""

    def read(self, most: int) -> list[Address]:
        depth = 0
        for match in _TOKEN.finditer(self.text):
            if match["close"] == "" and not depth:  # a quote that is never closed: take the rest without quotes
                rest = _Reader(self.text[match.start() :].replace('"', " "))
                rest.words = self.words
                return self.found + rest.read(most - len(self.found))
            mark = match["mark"]
            if mark == "(":
                depth += 1
            elif mark == ")":
                depth = max(0, depth - 1)
            elif depth:
                self.comments.append(match[0])
            elif mark:
                self._mark(mark)
            else:
                self._take(match)
            if len(self.found) >= most:
                return self.found[:most]
        self._finish()
        return self.found[:most]

    def _take(self, match: re.Match[str]) -> None:
        if match["quoted"] is not None:
            self.words.append(_BACKSLASH.sub(r"\1", match["quoted"]))
        elif match["angle"] is not None:
            self.angle = self.angle or match["angle"]
        elif match["stray"] is None:
            self.words.append(match[0])

    def _mark(self, mark: str) -> None:
        if mark != ":":  # RFC 5322 3.4: a comma ends an address, a semicolon a group
            self._finish()
        elif self.angle or "@" in "".join(self.words):
            self.words.append(mark)
        else:
            self._clear()  # the name of a group

    def _finish(self) -> None:
        if not (self.words or self.angle or self.comments):
            return
        name = "".join(self.words).strip()
        address = self.angle
        if not address:
            name, address = _bare(name)
        made = make_address(name or "".join(self.comments), address)
        if made.name or made.address:
            self.found.append(made)
        self._clear()


def _bare(text: str) -> tuple[str, str]:
    """Name and address of what has no angle brackets: `a@b`, `Jane a@b`, `MAILER-DAEMON`, or a mere name."""
    words = text.split()
    for word in reversed(words):
        if "@" in word and not word.startswith("=?"):
            return " ".join(other for other in words if other is not word), word
    return (text, "") if len(words) > 1 or text.startswith("=?") else ("", text)


def make_address(name: str, address: str) -> Address:
    """Both halves fit to be shown: nothing that controls, nothing that turns writing around; domain in lower case."""
    if _SIMPLE_NAME.fullmatch(name) and _SIMPLE_ADDRESS.fullmatch(address):
        return Address(name, address)
    local, at, domain = _IN_ADDRESS.sub("", clean_line(_ROUTE.sub("", address.strip()))).rpartition("@")
    address = f"{local}{at}{domain.lower().rstrip('.') if at else domain}"[:MOST_IN_ADDRESS]
    name = clean_line(decode_words(name))[:MOST_IN_NAME].strip(" '\"")
    return Address(name="" if name.lower() == address.lower() else name, address=address)


@lru_cache(maxsize=4096)  # the same few stand in most letters
def address_key(address: str) -> str:
    """An address as it is compared with others: without regard to case, its domain as it is registered (IDNA)."""
    local, at, domain = unicodedata.normalize("NFKC", "".join(address.split())).rpartition("@")
    domain = domain.casefold().rstrip(".")
    if not domain.isascii():
        with contextlib.suppress(UnicodeError):
            domain = domain[:MOST_IN_ADDRESS].encode("idna").decode("ascii").lower()
    return f"{local.casefold()}{at}{domain}"[:MOST_IN_ADDRESS]
