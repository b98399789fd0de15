"""Whether HTML is cheap to build a tree of, judged by one linear look at its tags.

Parsers that follow the HTML standard, html5ever (in nh3) and lexbor (in selectolax) alike, take time that grows with
the square of unclosed tags, of attributes in one tag, of stray tags between table rows and of `&` in a text: a letter
of 100 KB can keep them busy for minutes. No letter that a person wrote comes near these limits.
"""

import re
from collections import Counter

MOST_CHARACTERS = 5_000_000
MOST_OPEN = 400  # elements that are open at one time
MOST_STRAY = 2_000  # tags that a table has to put before itself
MOST_IN_TAG = 40_000  # separators inside of one tag
MOST_AMPERSANDS = 20_000  # in one run of text

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]{0,20})")
_LONG_TAG = re.compile(r"<[a-zA-Z][^>]{20000,}")
_LONG_TEXT = re.compile(rf"[^<]{{{MOST_AMPERSANDS},}}")
# Elements without content, and those that the next one of their kind closes.
_LONE = """area base br col embed hr img input link meta param source track wbr p li dt dd tr td th tbody thead tfoot
    option optgroup rp rt html head body colgroup caption o:p"""
_UNCOUNTED = frozenset(_LONE.split())
_ROWS = {"tr", "tbody", "thead", "tfoot", "colgroup", "col", "form", "input", "script", "style", "template"}
_CELLS = {"td", "th", "caption"}


def is_cheap(source: str) -> bool:
    """Whether a tree builder may have `source`."""
    if len(source) > MOST_CHARACTERS or _has_crowded_tag(source):
        return False
    if any(text[0].count("&") > MOST_AMPERSANDS for text in _LONG_TEXT.finditer(source)):
        return False
    opened: Counter[str] = Counter()
    open_now = stray = 0
    between_cells: list[bool] = []  # a row for each open table: are we outside of its cells?
    for match in _TAG.finditer(source):
        is_end, name = bool(match[1]), match[2].lower()
        if name not in _UNCOUNTED:
            if not is_end:
                opened[name] += 1
                open_now += 1
            elif opened[name]:
                opened[name] -= 1
                open_now -= 1
        stray += _follow_table(between_cells, name, is_end=is_end)
        if open_now > MOST_OPEN or stray > MOST_STRAY:
            return False
    return True


def _has_crowded_tag(source: str) -> bool:
    for match in _LONG_TAG.finditer(source):
        tag = match[0]
        if tag.count(" ") + tag.count("/") + tag.count("\n") + tag.count("\t") > MOST_IN_TAG:
            return True
    return False


def _follow_table(between_cells: list[bool], name: str, *, is_end: bool) -> bool:
    """Keeps `between_cells` up to date; whether this tag is a stray one."""
    if name == "table":
        if not is_end:
            between_cells.append(True)
        elif between_cells:
            between_cells.pop()
        return False
    if not between_cells:
        return False
    if name in _CELLS:
        between_cells[-1] = is_end
    elif name in _ROWS:
        between_cells[-1] = between_cells[-1] or name in {"tr", "tbody", "thead", "tfoot"}
    else:
        return between_cells[-1] and not is_end
    return False
