"""What a sender wrote anew, apart from the letter that a program quoted below it (B15).

One rule stands above all: new text is never folded away. So a quote is folded only when it is the end of the letter,
when something new stands before it, and when no one has answered inside of it. Forwarded letters are new to their
reader.

HTML is folded as it came, before `clean_html`, which then cleans both halves: nothing edits what it gave out (rule 8).
"""

from dataclasses import dataclass

from letterdesk.mail import wording
from letterdesk.mail.quotes_html import split_html
from letterdesk.mail.subjects import is_forward_subject

_MOST_LINES = 10_000  # a text of more is no correspondence; it is shown as it is


@dataclass(frozen=True, slots=True)
class Folded:
    """The new part and the quoted part, in the form (text or HTML) of the source; `quoted` may be empty."""

    new: str
    quoted: str


def fold_quotes(source: str, *, is_html: bool, subject: str = "") -> Folded:
    """`source` in two halves, both still to be cleaned or escaped. A forward (by its `subject`) stays whole."""
    if is_forward_subject(subject):
        return Folded(source, "")
    return Folded(*(split_html(source) if is_html else split_text(source)))


def split_text(text: str) -> tuple[str, str]:
    """New and quoted lines of plain text."""
    if text.count("\n") > _MOST_LINES:
        return text, ""
    lines = text.replace("\r\n", "\n").split("\n")
    start, end = _quote(lines)
    new, quoted = lines[:start] + lines[end:], lines[start:end]
    if start == end or not any(map(wording.visible, lines[:start])):
        return text, ""
    return "\n".join(new).rstrip(), "\n".join(quoted).strip("\n")


def _quote(lines: list[str]) -> tuple[int, int]:
    """First line of the quote and the line behind it; twice the same when there is nothing to fold."""
    whole = next((number for number in range(len(lines)) if _begins_letter(lines, number)), len(lines))
    if whole < len(lines):
        return _with_rule_above(lines, whole), len(lines)
    return _marked_quote(lines)


def _begins_letter(lines: list[str], number: int) -> bool:
    """Whether a quoted letter without marks begins here and goes on to the end."""
    line = lines[number]
    if line.startswith(">"):
        return False
    if not (wording.is_original_line(line) or _is_head(lines, number)):
        return False
    return not any(map(wording.is_forward_line, lines[max(0, number - 4) : number + 1]))


def _is_head(lines: list[str], number: int) -> bool:
    line = lines[number][:60]
    return (":" in line or "：" in line) and wording.is_header_block(lines[number : number + 9])


def _with_rule_above(lines: list[str], number: int) -> int:
    """The line of underscores that Outlook draws above the head goes with it."""
    above = number - 1
    while above >= 0 and not wording.visible(lines[above]):
        above -= 1
    is_rule = above >= 0 and len(lines[above].strip()) > 9 and not lines[above].strip().strip("_-=*")
    return above if is_rule else number


def _marked_quote(lines: list[str]) -> tuple[int, int]:
    """The lines with `>` at the end of the letter, and what introduces them."""
    last = len(lines) - 1
    while last >= 0 and not lines[last].lstrip().startswith(">"):
        last -= 1
    if last < 0 or not _is_signature(lines[last + 1 :]):
        return 0, 0
    first = last
    while first > 0 and (lines[first - 1].lstrip().startswith(">") or not wording.visible(lines[first - 1])):
        first -= 1
    while not wording.visible(lines[first]):
        first += 1
    if any(line.lstrip().startswith(">") for line in lines[:first]):
        return 0, 0  # answers between quotes
    above = first
    while above > 0 and not wording.visible(lines[above - 1]):
        above -= 1
    if any(map(wording.is_forward_line, lines[max(0, above - 3) : first + 1])):
        return 0, 0
    return above - wording.attribution_length(lines[:above]) or first, last + 1


def _is_signature(lines: list[str]) -> bool:
    """Whether nothing new stands here: nothing at all, or a signature behind its mark (RFC 3676 4.3)."""
    shown = [line for line in lines if wording.visible(line)]
    if not shown or shown[0].rstrip() == "--":
        return True
    return not shown[0].strip().strip("_") and len(shown[0]) > 9
