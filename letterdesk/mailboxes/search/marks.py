"""Where in a text the words of a search stand: ranges to highlight, as data."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .query import Node, Text, positive_texts
from .text import fold, is_unspaced, prepare, words

EXCERPT = 160  # characters
LEAD = 40  # of them before the first hit
_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Marked:
    """A text and the ranges [start, end) of its characters that were searched for."""

    text: str
    ranges: tuple[tuple[int, int], ...] = ()

    def pieces(self) -> list[tuple[str, bool]]:
        """The text in order, each piece with whether it is a hit: for templates, which escape each of them."""
        found, at = [], 0
        for start, end in self.ranges:
            found += [(self.text[at:start], False), (self.text[start:end], True)]
            at = end
        return [(piece, is_hit) for piece, is_hit in [*found, (self.text[at:], False)] if piece]


class Highlighter:
    """Finds the words of one search in texts. Pure; linear in the text."""

    def __init__(self, query: Node | None) -> None:
        self.by_field = {
            field: _pattern(text for text in positive_texts(query) if text.field in {"", field})
            for field in ("subject", "body", "sender")
        }

    def mark(self, text: str, field: str) -> Marked:
        """The whole text with its hits."""
        return Marked(text, tuple(self._ranges(text, field)))

    def excerpt(self, text: str, field: str) -> Marked:
        """About EXCERPT characters around the first hit, or the beginning; spaces and line breaks are one space."""
        first = next(iter(self._ranges(text, field)), (0, 0))[0]
        start = 0 if first <= LEAD else max(text.rfind(" ", 0, first - LEAD // 2) + 1, first - LEAD)
        piece = _SPACES.sub(" ", text[start : start + 2 * EXCERPT]).strip()
        ends = len(piece) <= EXCERPT and start + 2 * EXCERPT >= len(text)
        return self.mark(f"{'… ' if start else ''}{piece[:EXCERPT]}{'' if ends else ' …'}", field)

    def _ranges(self, text: str, field: str) -> Iterable[tuple[int, int]]:
        pattern = self.by_field[field]
        return (found.span() for found in pattern.finditer(fold(text))) if pattern else ()


def _pattern(texts: Iterable[Text]) -> re.Pattern[str] | None:
    alternatives = sorted({alternative for text in texts for alternative in _alternatives(text)}, key=len, reverse=True)
    return re.compile("|".join(alternatives)) if alternatives else None


def _alternatives(text: Text) -> list[str]:
    found = words(prepare(text.text))
    if not found:
        return []
    if any(map(is_unspaced, found)):
        return [r"\W?".join(map(re.escape, found))]
    end = r"\w*" if text.is_prefix else r"(?!\w)"
    return [r"(?<!\w)" + r"[\W_]{1,3}".join(map(re.escape, found)) + end]
