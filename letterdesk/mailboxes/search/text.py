"""How text becomes words, for the index, for queries and for highlighting alike."""

import re
import unicodedata
from functools import cache

LONGEST_BODY = 400_000  # characters that are indexed: the beginning and the end of a longer one (B17)
LONGEST_TAIL = 40_000
LONGEST_WORD = 200

# Scripts that write without spaces: each character is a word, and what is typed in one run is searched as a phrase.
_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Myanmar, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff"
)
_UNSPACED_CHARACTER = re.compile(f"[{_UNSPACED}]")
_BETWEEN_UNSPACED = re.compile(f"(?<=[{_UNSPACED}])(?=\\w)|(?<=\\w)(?=[{_UNSPACED}])")
_SEAM = "\u200b"  # zero width: splits words in the index, is not seen where the text is shown
_MARK = "[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u1dc0-\u1dff\u20d0-\u20ff]"
_MANY_MARKS = re.compile(f"({_MARK}{{4}}){_MARK}+")
_NORMALISED_AT_ONCE = 2000


def prepare(text: str) -> str:
    """The text as the index keeps it: composed, without NUL, at most LONGEST_BODY characters, CJK split by seams."""
    if len(text) > LONGEST_BODY:
        text = f"{text[: LONGEST_BODY - LONGEST_TAIL]} … {text[-LONGEST_TAIL:]}"
    if text.isascii():
        return text.replace("\0", " ")
    text = _normal(text.replace("\0", " "))
    return _BETWEEN_UNSPACED.sub(_SEAM, text) if _UNSPACED_CHARACTER.search(text) else text


def shown(text: str) -> str:
    """A prepared text as people read it."""
    return text.replace(_SEAM, "")


def words(text: str) -> list[str]:
    """The words of a prepared text, folded, in order. Text without a letter or digit has none."""
    return [word[:LONGEST_WORD] for word in text.translate(_WORDS).split()]


def fold(text: str) -> str:
    """The text in lower case without Latin accents, character by character: its length stays."""
    return text.lower() if text.isascii() else text.translate(_FOLD)


def is_unspaced(word: str) -> bool:
    """Whether a word is a character of a script that writes without spaces."""
    return bool(_UNSPACED_CHARACTER.match(word))


def _normal(text: str) -> str:
    """NFKC in pieces: sorting the marks of one endless cluster would take quadratic time (B17)."""
    text = _MANY_MARKS.sub(r"\1", text)
    if unicodedata.is_normalized("NFKC", text):
        return text
    pieces = (text[start : start + _NORMALISED_AT_ONCE] for start in range(0, len(text), _NORMALISED_AT_ONCE))
    return "".join(unicodedata.normalize("NFKC", piece) for piece in pieces)


@cache
def _folded(character: str) -> str:
    """One character for one: й stays й, é becomes e (as FTS5's unicode61 does)."""
    base = unicodedata.normalize("NFKD", character)[0]
    lower = (base if base.isascii() else character).lower()
    return lower if len(lower) == 1 else character


class _FoldTable(dict[int, str]):
    def __missing__(self, code: int) -> str:
        self[code] = _folded(chr(code))
        return self[code]


class _WordTable(dict[int, str]):
    """Letters, digits and marks fold; what separates words becomes a space; an unspaced character stands alone."""

    def __missing__(self, code: int) -> str:
        self[code] = self._word(chr(code))
        return self[code]

    def _word(self, character: str) -> str:
        if is_unspaced(character):
            return f" {character} "
        category = unicodedata.category(character)
        if category == "Mn" and 0x300 <= ord(character) <= 0x36F:
            return ""
        return _folded(character) if category[0] in "LN" or category in {"Co", "Mn", "Mc"} else " "


_FOLD = _FoldTable()
_WORDS = _WordTable()
