"""The words with which mail programs introduce what they quote, in the languages that they speak (B15).

Data, and the questions that `quotes.py` and `text.py` ask of single lines. All patterns are linear in the line.
"""

import re
import tomllib
from pathlib import Path

MOST_IN_LINE = 500  # characters of a line that introduces a quote; longer ones introduce nothing


def _listed(kind: str) -> list[str]:
    """The words of all languages for `kind`, longest first."""
    return sorted({word for table in _TABLES.values() for word in table.get(kind, [])}, key=len, reverse=True)


def _words(kind: str) -> str:
    """The same as alternatives of a pattern."""
    return "|".join(map(re.escape, _listed(kind)))


_TABLES: dict[str, dict[str, list[str]]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
_DATED = re.compile(r"(?:19|20)[0-9]{2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2}|[0-9]{1,2}[:.h時点][0-9]{2}")
_HAS_WROTE = re.compile(
    rf"(?<![^\W_])(?:{_words('wrote')})(?![^\W_])|(?:写道|寫道|写到|書きました|のメール|작성)", re.IGNORECASE
)
_ADDRESS_THEN_COLON = re.compile(
    r"(?:<[^<>\s]{1,200}@[^<>\s]{1,200}>|\(?[^\s<>()]{1,64}@[^\s<>()]{1,200}\)?)[>)\s]*[:：]$"
)
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\xad]+")


def _label(kind: str) -> str:
    return rf"[\s>*_|]{{0,6}}(?:{_words(kind)})[ \t\xa0]?[*_]{{0,2}}[ \t\xa0]?[:：]"


_LABELS = {kind: re.compile(_label(kind), re.IGNORECASE) for kind in ("from", "sent", "to", "subject")}
_FIELDS = ("from", "sent", "to", "cc", "subject")
_LABELLED = {kind: re.compile(rf"(?:{_label(kind)})[*_]{{0,2}}", re.IGNORECASE) for kind in _FIELDS}
_ORIGINALS = frozenset(_listed("original"))
_AUTO_REPLIES = tuple(_listed("auto_reply"))
_FORWARDS = tuple(_listed("forward"))
_RULE = "-_*="


def visible(line: str) -> str:
    """`line` without what cannot be seen, and without the spaces around it."""
    return _INVISIBLE.sub("", line).replace("\xa0", " ").strip()


def is_attribution(text: str, *, alone: bool) -> bool:
    """Whether `text` (one line, or a few joined) is "On … somebody wrote:".

    `alone`: nothing else tells that a quote follows, so it must name a date too.
    """
    line = visible(text)
    if not 4 < len(line) <= MOST_IN_LINE or line[-1] not in ":：":
        return False
    if not (_HAS_WROTE.search(line) or _ADDRESS_THEN_COLON.search(line)):
        return False
    return not alone or _DATED.search(line) is not None


def attribution_length(lines: list[str]) -> int:
    """How many of the last `lines` introduce the quote that follows them: 0 to 3; more than one only with a date."""
    for count in (1, 2, 3):
        last = lines[-count:]
        if len(last) == count and all(line.strip() for line in last) and is_attribution(" ".join(last), alone=True):
            return count
    return 1 if lines and is_attribution(lines[-1], alone=False) else 0


def is_original_line(line: str) -> bool:
    """Whether this is a line such as `-----Original Message-----`."""
    line = line[:MOST_IN_LINE].strip(" \t\r\xa0>")
    is_ruled = line[:2].strip(_RULE) == line[-2:].strip(_RULE) == ""
    return is_ruled and line.strip(_RULE + " \t").lower() in _ORIGINALS


def is_forward_line(line: str) -> bool:
    """Whether a forwarded letter begins here: it is new to its reader, however old."""
    return line[:MOST_IN_LINE].lstrip(_RULE + " \t\xa0>").lower().startswith(_FORWARDS)


def is_auto_reply_subject(subject: str) -> bool:
    """Whether a subject begins as programs begin it that answer in somebody's absence."""
    return visible(subject[:MOST_IN_LINE]).lower().startswith(_AUTO_REPLIES)


def label_of(line: str) -> tuple[str, str] | None:
    """Which field of a quoted head this line is (from, sent, to, cc, subject), and what stands behind its label."""
    line = line[:MOST_IN_LINE]
    for kind, label in _LABELLED.items():
        if match := label.match(line):
            return kind, line[match.end() :].strip()
    return None


def is_header_block(lines: list[str]) -> bool:
    """Whether a block of From, Sent, To, Subject begins with the first line, as Outlook puts it before a quote."""
    if not lines or not _LABELS["from"].match(lines[0][:MOST_IN_LINE]):
        return False
    kinds = {"from"}
    for line in lines[1:9]:
        kind = next((kind for kind, label in _LABELS.items() if label.match(line[:MOST_IN_LINE])), "")
        if kind == "from":
            break
        kinds.add(kind)
    return len(kinds - {""}) >= 3 and "sent" in kinds
