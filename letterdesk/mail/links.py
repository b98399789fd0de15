"""Links of a letter that is written, led elsewhere: which of them may be, and how. Pure.

What comes in was cleaned (`html.py`), so each tag is whole, its attributes are in double quotes, and a link lies in no
other one.
"""

import re
from collections.abc import Callable
from html import escape, unescape
from urllib.parse import urlsplit

LONGEST = 2000  # characters of an address that is led elsewhere; a longer one stays as it is

Instead = Callable[[str, str], str | None]
_TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*)((?:\s+[^\s=>\"]+(?:=\"[^\"]*\")?)*)\s*/?>", re.IGNORECASE)
_HREF = re.compile(r"(\shref=\")([^\"]*)(\")", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^>]*>")
_NOT_IN_ADDRESS = re.compile(r"[\x00-\x20\x7f\\\u0080-\u00a0\u2028\u2029\ufeff]")
# Whoever wants no more letters is never counted on the way out. In the address or in the words of the link.
_LEAVES = re.compile(
    r"un-?subscri|opt-?_?out|list-manage|abmeld|abbestell|austrag|отпис|відпис|désabonn|desabonn|désinscri|desinscri|"
    r"darse de baja|cancelar.suscrip|desuscri|disiscri|annulla.iscri|uitschrijv|afmeld|wypisz|avregistrer|"
    r"отказ\w* от (?:рассыл|подпис)|отмен\w* (?:\w+ )?(?:подпис|рассыл)|отключ\w* рассыл|退订|取消订阅|"
    r"(?:manage|change|update|e-?mail|subscription).{0,12}preferences",
    re.IGNORECASE,
)


def is_web_address(url: str) -> bool:
    """Whether a browser may be led there: http or https, a host, no user before it, nothing that breaks a header."""
    if not url or len(url) > LONGEST or _NOT_IN_ADDRESS.search(url):
        return False
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    return (
        parts.scheme.lower() in {"http", "https"} and bool(host) and parts.netloc.isascii() and "@" not in parts.netloc
    )


def leaves_a_list(url: str, words: str) -> bool:
    """Whether a link, by its address or its words, is the way out of a list."""
    return bool(_LEAVES.search(url) or _LEAVES.search(words))


def rewrite_links(html: str, instead: Instead) -> str:
    """`html` with the links that `instead` gives another address, asked with the address and the words of each.

    Those in what is quoted are somebody else's, and stay.
    """
    found: list[str] = []
    at = depth = 0
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        if name == "blockquote":
            depth += -1 if tag[1] else 1
        if name != "a" or tag[1] or depth > 0:
            continue
        href = _HREF.search(tag[3])
        other = instead(unescape(href[2]), _words(html, tag.end())) if href else None
        if href and other:
            begins = tag.start(3) + href.start(2)
            found += [html[at:begins], escape(other)]
            at = tag.start(3) + href.end(2)
    return "".join([*found, html[at:]])


def _words(html: str, begin: int) -> str:
    end = html.find("</a>", begin)
    return unescape(_ANY_TAG.sub("", html[begin : end if end >= 0 else begin]))
