"""Text of letters: out of HTML for the search, a snippet for the list, and plain text as HTML for the reader.

HTML is read here with expressions that are linear in its length. Tree builders that follow the HTML standard are
quadratic in unclosed tags (100 KB of `<font><p>` cost lexbor and html5ever more than 12 s), and the search wants words
and no structure.
"""

import html
import re

from letterdesk.mail import wording
from letterdesk.mail.charsets import clean_line

MOST_TEXT = 200_000  # characters of text that the search gets (B17)
MOST_HTML = 1_000_000  # characters of HTML that are looked at
MOST_IN_SNIPPET = 200

# Elements that break no word: `<b>H</b>ello` is one. Both cases are spelt out: three times as fast as IGNORECASE.
_INLINE_NAMES = "a|abbr|b|bdi|bdo|big|cite|code|em|font|i|ins|kbd|mark|o:p|q|s|small|span|strong|sub|sup|tt|u|var|wbr"
_INLINE = re.compile(rf"</?(?:{_INLINE_NAMES}|{_INLINE_NAMES.upper()})(?:[\s/][^<>]*)?>")
_TAG = re.compile(r"<[/!?a-zA-Z][^<>]*>")
_HIDDEN = ("style", "script", "title", "template", "svg", "math", "noscript", "object", "select")
_OPENING = re.compile(rf"<(?:(!--)|({'|'.join(_HIDDEN)})(?=[\s/>]))", re.IGNORECASE)
_CLOSINGS = {name: re.compile(rf"</{name}[^>]*>?", re.IGNORECASE) for name in _HIDDEN} | {"!--": re.compile("-->")}
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_LONG_NUMBER = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{7,});?")


def html_to_text(source: str) -> str:
    """The words that a person would see, whitespace folded, at most `MOST_TEXT` characters. Linear in `source`."""
    source = _without_hidden(source[:MOST_HTML])
    source = _TAG.sub(" ", _INLINE.sub("", source))
    if "&" in source:
        source = html.unescape(_LONG_NUMBER.sub(" ", source))
    return " ".join(_UNSEEN.sub("", source).split())[:MOST_TEXT]


def _without_hidden(source: str) -> str:
    """Without comments and elements whose content is not text; what is never closed reaches to the end, once."""
    kept: list[str] = []
    at = 0
    while match := _OPENING.search(source, at):
        kept.append(source[at : match.start()])
        closing = _CLOSINGS[(match[2] or match[1]).lower()].search(source, match.end())
        if closing is None:
            return "".join(kept)
        at = closing.end()
        kept.append(" ")
    return "".join(kept) + source[at:]


# Each alternative begins with its own character, so that `re` can skip ahead to one of them.
_RULES = "|".join(rf"{re.escape(character)}[-_=~*]{{3,}}" for character in "-_=~*")
_REFERENCE = re.compile(
    rf"\[(?:cid|image|logo|https?)[^\]]{{0,300}}\]|<(?:https?|mailto):[^>\s]{{0,2000}}>|\*\*+|{_RULES}"
)


def snippet(text: str) -> str:
    """The first `MOST_IN_SNIPPET` characters of what the sender wrote anew; of the quote when there is nothing else."""
    fresh = _folded(" ".join(_fresh_lines(text[:20_000].split("\n"))))
    return fresh or _folded(text[:5_000].replace(">", " "))


def _fresh_lines(lines: list[str]) -> list[str]:
    """Lines up to the signature or an older letter, without those that are quoted and those that introduce a quote."""
    found: list[str] = []
    size = 0
    for number, line in enumerate(lines):
        if line.startswith(">"):
            end = len(found)
            while end and not found[end - 1]:
                end -= 1
            del found[end - wording.attribution_length(found[:end]) :]
        elif _is_end(lines, number) and found:
            break
        else:
            found.append(line.strip())
            size += len(found[-1])
            if size > 4 * MOST_IN_SNIPPET:
                break
    return found


def _is_end(lines: list[str], number: int) -> bool:
    """Whether the signature, or a letter that is quoted as a whole, begins with this line."""
    line = lines[number]
    if line[:2] == "--" and (line.rstrip() == "--" or wording.is_original_line(line)):
        return True
    return ":" in line[:40] and wording.is_header_block(lines[number : number + 9])


def _folded(text: str) -> str:
    return clean_line(_UNSEEN.sub("", _REFERENCE.sub(" ", text[:5_000])))[:MOST_IN_SNIPPET].rstrip()


# Addresses in plain text. Each part has a greatest length and none begins inside a word: linear on any input (B16).
_WORD = re.compile(r"[^\s<>\"]{6,}")
_LINK = re.compile(
    r"(?<![\w@./+-])(?:"
    r"(?P<url>https?://[^\s<>\"'`|\\^{}]{1,2000})"
    r"|(?P<mailto>mailto:[^\s<>\"'`|\\^{}]{1,500})"
    r"|(?P<web>www\.[^\s<>\"'`|\\^{}@]{3,2000})"
    r"|(?P<address>[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})"
    r")",
    re.IGNORECASE,
)
_BEHIND = ".,:;!?*_…»”’'\")]}>"
_MOST_BEHIND = 20
_PAIRS = {")": "(", "]": "[", "}": "{"}


def text_to_html(text: str) -> str:
    """`text` escaped, line ends as `<br>`, runs of spaces kept; http, https and mailto addresses become links (C06)."""
    done: list[str] = []
    at = 0
    for word in _WORD.finditer(text):
        if "@" not in word[0] and "//" not in word[0] and "ww." not in word[0].lower():
            continue
        for match in _LINK.finditer(text, word.start(), word.end()):
            shown = _without_end(match[0])
            done.append(_escaped(text[at : match.start()]))
            done.append(_link(shown, str(match.lastgroup)))
            at = match.start() + len(shown)
    return "".join(done) + _escaped(text[at:])


def _link(shown: str, kind: str) -> str:
    before = {"web": "https://", "address": "mailto:"}.get(kind, "")
    target = html.escape(before + shown)
    return f'<a href="{target}" target="_blank" rel="noopener noreferrer nofollow">{html.escape(shown)}</a>'


def _without_end(link: str) -> str:
    """`link` without the punctuation that belongs to the sentence; a bracket stays if it was opened inside."""
    end, least = len(link), max(1, len(link) - _MOST_BEHIND)
    open_brackets = {close: link.count(opening) - link.count(close) for close, opening in _PAIRS.items()}
    while end > least and link[end - 1] in _BEHIND and open_brackets.get(link[end - 1], -1) < 0:
        if link[end - 1] in open_brackets:
            open_brackets[link[end - 1]] += 1
        end -= 1
    return link[:end]


def _escaped(text: str) -> str:
    text = html.escape(text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    "))
    return text.replace("  ", " &nbsp;").replace("\n ", "\n&nbsp;").replace("\n", "<br>\n")
