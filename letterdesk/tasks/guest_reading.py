"""A guest's letter as it would be a comment: what is new in it, what else it says, and its files.

What is folded away, or stands in the other form of the letter alone, is told beside the new text, and the letter's own
bytes stay with the comment: nothing that a guest wrote is lost because a program took it for a quotation.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from letterdesk.mail.html import clean_html
from letterdesk.mail.letters import Letter, Part
from letterdesk.mail.parse import Body, read_body, read_part
from letterdesk.mail.plain import plain_of
from letterdesk.mail.quotes import fold_quotes

from .files import LARGEST

LONGEST = 20_000  # characters of a comment, and of what else its letter says; the letter itself is kept beside it
MOST_IN_LETTER = 20  # files; as above
_EMPTY_LINES = re.compile(r"\n(?:[^\S\n]*\n){2,}")
SMALL_PICTURE = 100_000  # bytes: so large are the pictures of signatures


@dataclass(frozen=True, slots=True)
class OfLetter:
    """A file that came with it."""

    name: str
    content_type: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """The letter, its bytes, its new text, what else it says (may be empty), and its files."""

    letter: Letter
    raw: bytes
    text: str
    rest: str
    files: Sequence[OfLetter]


def read(raw: bytes, letter: Letter) -> Reading:
    """Read a letter for a comment. Raises Unparsable."""
    body = read_body(raw)
    text, rest = _words(body, letter.subject)
    parts = [each for each in letter.parts if not _is_ornament(each)][:MOST_IN_LETTER]
    files = [OfLetter(each.filename, each.content_type, read_part(raw, each.index)) for each in parts]
    return Reading(letter, raw, text[:LONGEST], rest[:LONGEST], [each for each in files if len(each.raw) <= LARGEST])


def _words(body: Body, subject: str) -> tuple[str, str]:
    """What is new, and what else there is: the quote, and words of the HTML that its plain form lacks."""
    plain, rich = body.text or "", _plain(body.html or "")
    folded = fold_quotes(plain, is_html=False, subject=subject)
    text, rest = _bare(folded.new), _bare(folded.quoted)
    if not text:
        of_html = fold_quotes(body.html or "", is_html=True, subject=subject)
        return _plain(of_html.new), _plain(of_html.quoted)
    if _told(rich) - _told(plain):
        rest = rich if _told(rest) <= _told(rich) else f"{rich}\n\n{rest}"
    return text, rest


def _plain(html: str) -> str:
    return _bare(plain_of(clean_html(html).html)) if html else ""


def _bare(text: str) -> str:
    """Outlook puts an empty line between any two; several in a row say no more than one."""
    return _EMPTY_LINES.sub("\n\n", text.replace("\0", "").strip())


def _told(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _is_ornament(part: Part) -> bool:
    """A small picture that the HTML shows by itself: the logo of a signature comes with each letter."""
    return part.inline and part.content_type.startswith("image/") and part.size <= SMALL_PICTURE
