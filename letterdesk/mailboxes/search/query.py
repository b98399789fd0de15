"""The language of the search field: text in, a tree out. Pure; what the parts mean is told in `filters.py`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

LONGEST_QUERY = 1000  # characters
MOST_TERMS = 60
DEEPEST = 20

TEXT_FIELDS = {"from": "sender", "to": "recipients", "cc": "copies", "subject": "subject", "filename": "files"}
TOLD = ("comment", "contact", "company", "lead", "deal")  # words of what other rooms know of a letter
HAS = ("attachment",)
STATUSES = ("open", "waiting", "closed")
IS = ("unread", "read", "starred", "answered", "snoozed", "pinned", *STATUSES)
_EXAMPLES = {
    "from": "from:amara",
    "to": "to:sales@acme.eu",
    "cc": "cc:jonas",
    "subject": "subject:offer",
    "filename": "filename:pdf",
    "has": "has:attachment",
    "is": "is:unread",
    "status": "status:open",
    "assigned": "assigned:me",
    "in": "in:inbox",
    "label": "label:urgent",
    "mailbox": "mailbox:sales",
    "before": "before:2026-11-30",
    "after": "after:2026-11-01",
    "older_than": "older_than:30d",
    "newer_than": "newer_than:2w",
    "larger": "larger:5M",
    "smaller": "smaller:100k",
    "comment": "comment:refund",
    "contact": "contact:amara",
    "company": "company:acme",
    "lead": "lead:amara",
    "deal": "deal:roof",
}


class BadQuery(ValueError):
    """What was typed cannot be searched; the text says what to type instead."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words, one after the other, in one column ("" = anywhere). `is_prefix`: the last may be a beginning."""

    text: str
    field: str = ""
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """An operator on what is not text of the letter, its value checked: a choice, a name, a moment (UTC), bytes, or
    words of what other rooms know of it (TOLD)."""

    name: str
    value: "str | datetime | int | Text"


@dataclass(frozen=True, slots=True)
class Not:
    """Letters without this."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """Letters with all of these."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Letters with at least one of these."""

    parts: tuple["Node", ...]


Node = Text | Condition | Not | And | Or


def parse_query(query: str, *, now: datetime, zone: ZoneInfo, me: int = 0) -> Node | None:
    """Read what a person typed. None: nothing to look for. Days begin at midnight in `zone`. Raises BadQuery.

    `me` is the key of who asks, for `assigned:me`.
    """
    if len(query) > LONGEST_QUERY:
        raise BadQuery(_("The search is longer than %(most)s characters. Use fewer words.") % {"most": LONGEST_QUERY})
    clean = query.replace("\0", " ").encode(errors="replace").decode()  # no database takes NUL or lone surrogates
    tokens = list(_tokens(clean))
    if len(tokens) > MOST_TERMS:
        raise BadQuery(_("The search has more than %(most)s parts. Use fewer words.") % {"most": MOST_TERMS})
    return _Parser(tokens, now=now, zone=zone, me=me).whole()


def positive_texts(node: Node | None) -> Iterator[Text]:
    """The texts that a hit contains: what is to be highlighted."""
    if isinstance(node, Text):
        yield node
    elif isinstance(node, Condition) and isinstance(node.value, Text):
        yield node.value
    elif isinstance(node, And | Or):
        for part in node.parts:
            yield from positive_texts(part)


def pieces(query: str) -> list[str]:
    """What was typed, cut where one may be taken away without harm to the others; with OR outside brackets: whole."""
    found: list[str] = []
    depth, start, position, end = 0, 0, 0, len(query.rstrip())
    glued = False  # what comes next belongs to the piece before it: from: … and - …
    while position < end and (token := _TOKEN.match(query, position)):
        if depth == 0 and not glued:
            start = position
        kind = token.lastgroup or ""
        depth = max(depth + {"open": 1, "close": -1}.get(kind, 0), 0)
        if kind == "or" and depth == 0 and token["or"] in {"OR", "|"}:
            return [query.strip()]
        position, glued = token.end(), kind in {"field", "not"}
        if depth == 0 and not glued:
            found.append(query[start:position].strip())
    if depth or glued:
        found.append(query[start:end].strip())
    return found


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # "(", ")", "or", "not", "phrase", "word", "field"
    text: str = ""


_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<open>\() | (?P<close>\))
    | (?P<or>OR(?=[\s(]|$)|\|)
    | (?P<and>AND(?=[\s(]|$))
    | (?P<not>(?:-|NOT\s)(?=[^\s)]))
    | (?P<field>(?:{"|".join(_EXAMPLES)}):)
    | "(?P<phrase>[^"]*)"?
    | (?P<word>[^\s()"]+)
    )""",
    re.VERBOSE | re.IGNORECASE,
)


def _tokens(query: str) -> Iterator[_Token]:
    position, end = 0, len(query.rstrip())
    while position < end:
        found = _TOKEN.match(query, position)
        if found is None:
            return
        position = found.end()
        kind = found.lastgroup or ""
        text = found[kind]
        if kind in {"or", "and", "not"} and text.strip() not in {"OR", "|", "AND", "-", "NOT"}:
            kind = "word"  # "or" in small letters is a word
        yield _Token({"open": "(", "close": ")"}.get(kind, kind), text.strip() if kind != "phrase" else text)


class _Parser:
    """Recursive descent over the tokens; brackets and quotes that are left open close at the end."""

    def __init__(self, tokens: list[_Token], *, now: datetime, zone: ZoneInfo, me: int) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.now = now
        self.zone = zone
        self.me = me

    def whole(self) -> Node | None:
        parts: list[Node] = []
        while self.at < len(self.tokens):
            part = self.either("")
            if part is not None:
                parts.append(part)
            if self.sees(")"):
                self.at += 1  # one too many
        return _all_of(parts)

    def either(self, field: str) -> Node | None:
        parts = [self.every(field)]
        while self.sees("or"):
            self.at += 1
            parts.append(self.every(field))
        real = tuple(part for part in parts if part is not None)
        return Or(real) if len(real) > 1 else next(iter(real), None)

    def every(self, field: str) -> Node | None:
        parts: list[Node] = []
        while self.at < len(self.tokens) and not self.sees(")") and not self.sees("or"):
            part = self.one(field)
            if part is not None:
                parts.append(part)
        return _all_of(parts)

    def one(self, field: str) -> Node | None:
        token = self.tokens[self.at]
        self.at += 1
        match token.kind:
            case "and":
                return None
            case "not":
                part = self.one(field) if self.at < len(self.tokens) else None
                return None if part is None else Not(part)
            case "(":
                return self.group(field)
            case "field":
                return self.operator(token.text[:-1].lower())
            case "phrase":
                return _text(token.text, field, is_phrase=True)
        return _text(token.text, field)

    def group(self, field: str) -> Node | None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise BadQuery(
                _("The search has more than %(most)s brackets inside one another. Use fewer.") % {"most": DEEPEST}
            )
        inside = self.either(field)
        if self.sees(")"):
            self.at += 1
        self.depth -= 1
        return inside

    def operator(self, name: str) -> Node | None:
        token = self.tokens[self.at] if self.at < len(self.tokens) else _Token("")
        if name in TEXT_FIELDS and token.kind == "(":
            self.at += 1
            return self.group(TEXT_FIELDS[name])
        if token.kind not in {"word", "phrase"} or not token.text.strip():
            raise BadQuery(
                _("“%(name)s:” needs a value, for example %(example)s") % {"name": name, "example": _EXAMPLES[name]}
            )
        self.at += 1
        if name in TEXT_FIELDS:
            return _text(token.text, TEXT_FIELDS[name], is_phrase=token.kind == "phrase")
        if name in TOLD:
            words = _text(token.text, "", is_phrase=token.kind == "phrase")
            return None if words is None else Condition(name, words)
        value = self.value(name, token.text.strip())
        if (name, str(value).lower()) == ("assigned", "me"):
            return Condition(name, self.me)
        return Condition("snoozed", self.now) if (name, value) == ("is", "snoozed") else Condition(name, value)

    def value(self, name: str, text: str) -> str | datetime | int:
        match name:
            case "has":
                return _choice(name, text.lower().replace("attachments", "attachment"), HAS)
            case "is" | "status":
                word = {"flagged": "starred", "seen": "read"}.get(text.lower(), text.lower())
                return _choice(name, word, IS if name == "is" else STATUSES)
            case "before" | "after":
                return _day(name, text, self.zone)
            case "older_than" | "newer_than":
                return self.now - _span(name, text)
            case "larger" | "smaller":
                return _bytes(name, text)
        return text

    def sees(self, kind: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at].kind == kind


def _all_of(parts: list[Node]) -> Node | None:
    return And(tuple(parts)) if len(parts) > 1 else next(iter(parts), None)


def _text(text: str, field: str, *, is_phrase: bool = False) -> Text | None:
    """A word may be the beginning of a longer one; a phrase is meant as it stands, unless it ends in a star."""
    bare = text.rstrip("*")
    if not any(character.isalnum() for character in bare):
        return None  # signs alone: there is nothing to find
    return Text(bare, field, is_prefix=not is_phrase or bare != text)


def _choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        known = ", ".join(f"{name}:{choice}" for choice in choices)
        raise BadQuery(_("“%(typed)s” is not known. There is %(known)s") % {"typed": f"{name}:{value}", "known": known})
    return value


_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_SPAN = re.compile(r"(\d{1,5})\s*(h|d|w|m|y)", re.IGNORECASE)
_SPAN_HOURS = {"h": 1, "d": 24, "w": 24 * 7, "m": 24 * 30, "y": 24 * 365}
_SIZE = re.compile(r"(\d{1,9})(?:[.,](\d{1,3}))?\s*(k|m|g)?b?", re.IGNORECASE)
_SIZE_BYTES = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}


def _told(name: str, text: str) -> dict[str, str]:
    return {"typed": f"{name}:{text}", "example": _EXAMPLES[name]}


def _day(name: str, text: str, zone: ZoneInfo) -> datetime:
    found = _DAY.fullmatch(text)
    try:
        if found:
            year, month, day = map(int, found.groups())
            return datetime(year, month, day, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # no such day: told below, as any other
    raise BadQuery(
        _("“%(typed)s” is not a day. Write it as year-month-day, for example %(example)s") % _told(name, text)
    )


def _span(name: str, text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    if not found or int(found[1]) * _SPAN_HOURS[found[2].lower()] > 24 * 365 * 200:
        raise BadQuery(
            _("“%(typed)s” is not a length of time. Write a number and h, d, w, m or y, for example %(example)s")
            % _told(name, text)
        )
    return timedelta(hours=int(found[1]) * _SPAN_HOURS[found[2].lower()])


def _bytes(name: str, text: str) -> int:
    found = _SIZE.fullmatch(text)
    if not found:
        raise BadQuery(
            _("“%(typed)s” is not a size. Write a number and k, M or G, for example %(example)s") % _told(name, text)
        )
    return int(float(f"{found[1]}.{found[2] or 0}") * _SIZE_BYTES[(found[3] or "").lower()])
