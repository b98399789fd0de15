"""Where the quote begins in HTML: by the marks that mail programs leave, then by the words they write (B15)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode

from letterdesk.mail import wording
from letterdesk.mail.cost import is_cheap

# Gmail, Yahoo, Proton, Tuta, Zoho, Spark, mail.ru, Outlook for phones: the whole quote lies inside.
_CONTAINERS = (
    "div.gmail_quote, div.gmail_quote_container, blockquote.gmail_quote, div.yahoo_quoted, div.protonmail_quote,"
    "blockquote.protonmail_quote, blockquote.tutanota_quote, blockquote#blockquote_zmail, div.zmail_extra,"
    "div[name='messageReplySection'], blockquote[type='cite'], div.mail-quote-collapse, #OLK_SRC_BODY_SECTION,"
    "#mail-editor-reference-message-container"
)
# Outlook on the web and its kin: what follows is quoted.
_BEGINNINGS = "#divRplyFwdMsg, #x_divRplyFwdMsg, div.OutlookMessageHeader"
_BLOCK_NAMES = """address article aside blockquote body center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5
    h6 header hr html li main nav ol p pre section table tbody td tfoot th thead tr ul"""
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_UNSEEN = {"style", "script", "title", "head", "template", "-comment", "noscript"}
_SHOWN = {"img", "video", "object", "hr"}
_MOST_LINES = 20_000
_MOST_TAGS = 30_000  # of a document; larger ones are shown as they are
_MOST_CITATIONS = 200  # blockquotes that are looked at
_MOST_BEFORE = 30  # siblings before a quote


@dataclass(slots=True)
class _Line:
    """A line as a person sees it, and its first node of text."""

    text: str
    node: LexborNode


def split_html(source: str) -> tuple[str, str]:
    """New and quoted HTML; nothing is quoted where that is not sure."""
    if source.count("<") > _MOST_TAGS or not is_cheap(source):
        return source, ""
    body = LexborHTMLParser(source).body
    if body is None:
        return source, ""
    quote = _marked(body) or _worded(body)
    if not quote or not _has_content_before(body, quote[0]):
        return source, ""
    quoted = "".join(node.html or "" for node in quote)
    for node in quote:
        node.decompose()
    return body.html or "", quoted


def _marked(body: LexborNode) -> list[LexborNode] | None:
    """The nodes of a quote that its program has marked, or None."""
    for node in body.css(f"{_CONTAINERS}, {_BEGINNINGS}, blockquote")[:_MOST_CITATIONS]:
        if node.css_matches(_BEGINNINGS):
            return None if _is_forward(node) else [*_rule_before(node), *_from_here(node)]
        is_marked = node.css_matches(_CONTAINERS)
        before = _attribution_before(node, needs_date=not is_marked)
        if not (is_marked or before or _is_attributed_inside(node)):
            continue  # a citation that the sender wrote
        if _text_behind(node) or _has_answers(node) or _is_forward(node) or _is_forward_before(node):
            return None
        return [*before, node]
    return None


def _from_here(node: LexborNode) -> list[LexborNode]:
    """The node and all that comes behind it, at every level."""
    found = [node]
    at: LexborNode | None = node
    while at is not None and at.tag != "body":
        found += _siblings_behind(at)
        at = at.parent
    return found


def _siblings_behind(node: LexborNode) -> Iterator[LexborNode]:
    following = node.next
    while following is not None:
        yield following
        following = following.next


def _siblings_before(node: LexborNode) -> Iterator[LexborNode]:
    previous = node.prev
    while previous is not None:
        yield previous
        previous = previous.prev


def _shown(node: LexborNode) -> str:
    """The text of a node as a person sees it, on one line."""
    if node.tag in _UNSEEN:
        return ""
    return wording.visible(" ".join((node.text(deep=True) or "").split()))


def _is_blank(node: LexborNode) -> bool:
    if node.tag in _UNSEEN or node.tag == "br":
        return True
    return (
        not _shown(node) and node.tag not in _SHOWN and not (node.is_element_node and node.css_first("img") is not None)
    )


def _rule_before(node: LexborNode) -> list[LexborNode]:
    """A line (and empty space) straight before the quoted head."""
    found: list[LexborNode] = []
    for previous in _siblings_before(node):
        if previous.tag == "hr" or previous.id == "appendonsend":
            return [*reversed(found), previous]
        if not _is_blank(previous):
            break
        found.append(previous)
    return []


def _is_attributed_inside(node: LexborNode) -> bool:
    """mail.ru writes "… from John:" as the first line of the quote."""
    lines = _lines(node, most=1)
    return bool(lines) and wording.is_attribution(lines[0].text, alone=True)


def _attribution_before(node: LexborNode, *, needs_date: bool) -> list[LexborNode]:
    """The nodes that introduce the quote ("On … somebody wrote:"), in their order; empty when there are none."""
    at = node
    while at.prev is None and at.parent is not None and at.parent.tag != "body":
        at = at.parent
    blank: list[LexborNode] = []
    run: list[LexborNode] = []
    for previous in islice(_siblings_before(at), _MOST_BEFORE):
        if not run and _is_blank(previous):
            blank.append(previous)
            continue
        if previous.tag in _BLOCKS or previous.tag == "br":
            run = run or [previous]
            if previous.tag != "br" or _is_attribution(run, needs_date=needs_date):
                break
        run.append(previous)
    return [*reversed(run), *reversed(blank)] if _is_attribution(run, needs_date=needs_date) else []


def _is_attribution(run: list[LexborNode], *, needs_date: bool) -> bool:
    """Whether these nodes (backwards) introduce a quote; over several lines only with a date."""
    lines = sum(1 for node in run if node.tag == "br")
    text = " ".join(_shown(node) for node in reversed(run))
    return lines < 3 and wording.is_attribution(text, alone=needs_date or lines > 0)


def _text_behind(node: LexborNode) -> bool:
    """Whether anything but a signature stands behind the node."""
    at: LexborNode | None = node
    while at is not None and at.tag != "body":
        for following in _siblings_behind(at):
            if following.is_element_node and following.css_matches(".gmail_signature, .moz-signature"):
                continue
            text = _shown(following)
            if text in {"--", "—"} or text.startswith(("-- ", "____")):
                return False
            if not _is_blank(following):
                return True
        at = at.parent
    return False


def _has_answers(node: LexborNode) -> bool:
    """Whether somebody wrote below a quoted piece inside of the container, so that it is no mere quote."""
    if node.tag == "blockquote":
        return False
    first = node.css_first("blockquote")
    at: LexborNode | None = first
    while at is not None and at.mem_id != node.mem_id:
        if any(not _is_blank(following) for following in _siblings_behind(at)):
            return True
        at = at.parent
    return False


def _is_forward(node: LexborNode) -> bool:
    return wording.is_forward_line(_shown(node)[:200])


def _is_forward_before(node: LexborNode) -> bool:
    at: LexborNode | None = node
    for _ in range(3):
        if at is None or at.tag == "body":
            return False
        if any(wording.is_forward_line(_shown(one)[-500:]) for one in islice(_siblings_before(at), _MOST_BEFORE)):
            return True
        at = at.parent
    return False


def _worded(body: LexborNode) -> list[LexborNode] | None:
    """The nodes from a quoted head on (From, Sent, To, Subject), or from `-----Original Message-----`."""
    lines = _lines(body, most=_MOST_LINES)
    for number, line in enumerate(lines):
        if wording.is_forward_line(line.text):
            return None
        if wording.is_original_line(line.text) or wording.is_header_block(
            [one.text for one in lines[number : number + 9]]
        ):
            start = _widest(line.node)
            return [*_rule_before(start), *_from_here(start)]
    return None


def _lines(body: LexborNode, *, most: int) -> list[_Line]:
    """The first `most` lines of a document, or of an element."""
    lines: list[_Line] = []
    block_before: LexborNode | None = None
    is_broken = True
    for node in body.traverse(include_text=True):
        if node.tag == "br":
            is_broken = True
        if not node.is_text_node or not (text := wording.visible(node.text(deep=False) or "")):
            continue
        block = _block_of(node)
        if is_broken or block_before is None or block.mem_id != block_before.mem_id:
            if len(lines) >= most:
                break
            lines.append(_Line(text, node))
        elif len(lines[-1].text) < wording.MOST_IN_LINE:
            lines[-1].text += " " + text
        block_before, is_broken = block, False
    return lines


def _block_of(node: LexborNode) -> LexborNode:
    at = node
    while at.parent is not None and at.tag not in _BLOCKS:
        at = at.parent
    return at


def _widest(node: LexborNode) -> LexborNode:
    """The outermost element that begins with this node."""
    at = node
    while at.parent is not None and at.parent.tag not in {"body", "td", "th", "tr", "tbody", "table"}:
        if not all(_is_blank(previous) for previous in _siblings_before(at)):
            break
        at = at.parent
    return at


def _has_content_before(body: LexborNode, node: LexborNode) -> bool:
    """Whether a person would see anything before the node."""
    at: LexborNode | None = node
    while at is not None and at.mem_id != body.mem_id:
        if any(not _is_blank(previous) for previous in _siblings_before(at)):
            return True
        at = at.parent
    return False
