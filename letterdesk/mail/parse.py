"""Raw letters to what the store keeps of them, to the body that a person reads, and to the bytes of one part."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from letterdesk.mail.addresses import MOST_ADDRESSES, read_addresses
from letterdesk.mail.automatic import is_auto_reply, is_automatic
from letterdesk.mail.charsets import clean_text, decode
from letterdesk.mail.dates import read_date
from letterdesk.mail.headers import Head, decode_field, read_head
from letterdesk.mail.identifiers import read_ids, read_message_id
from letterdesk.mail.letters import Letter, Part, Unreadable
from letterdesk.mail.limited import Unparsable
from letterdesk.mail.names import safe_filename
from letterdesk.mail.text import MOST_HTML, MOST_TEXT, html_to_text, snippet, text_to_html
from letterdesk.mail.tree import Node, Tree, read_tree

MOST_IN_SUBJECT = 1_000  # characters
MOST_IN_BODY = 5_000_000  # characters of a body that is shown; the original stays for download
_PLAIN = {"text/plain", "text/enriched", "text/markdown", "text/x-markdown"}
_LETTERS = {"message/rfc822", "message/global"}
_META_CHARSET = re.compile(rb"<meta[^<>]{0,200}charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_:.-]{2,40})", re.IGNORECASE)
_SHOWN_PART = re.compile(rb"cid:([^\s\"'<>)&]{1,250})", re.IGNORECASE)  # RFC 2392


class NoSuchPart(LookupError):
    """The letter has no part of this number."""


@dataclass(frozen=True, slots=True)
class Body:
    """What a person reads. `html` is as it came: `clean_html` before any page! `inline`: part index by Content-ID."""

    html: str | None
    text: str | None
    inline: dict[str, int]


def parse_many(raws: Sequence[bytes]) -> list[Letter | Unreadable]:
    """What there is to know of each letter, in their order. Never raises: what cannot be read says why (rule 2)."""
    return [_parse(raw) for raw in raws]


def _parse(raw: bytes) -> Letter | Unreadable:
    try:
        return parse_letter(raw)
    except Unparsable as error:
        return Unreadable(str(error))
    except Exception as error:  # a fault of ours must cost this letter alone; it is in quarantine, with its raw (G14)
        return Unreadable(f"Reading it failed ({type(error).__name__}).")


def parse_letter(raw: bytes) -> Letter:
    """One letter. Raises `Unparsable`."""
    if not raw:
        raise Unparsable("It is empty.")
    tree = read_tree(raw)
    view = _view(tree.root, parent="", is_first=True)
    charset = next((leaf.charset for leaf in view.plain + view.rich if leaf.charset), "")
    text, is_cut = _search_text(view)
    return _letter(tree, view, charset, text, cut=is_cut)


def _letter(tree: Tree, view: "_View", charset: str, text: str, *, cut: bool) -> Letter:
    head, fields = tree.head, tree.head.fields
    senders = read_addresses(fields.get("from", []) or fields.get("sender", []), charset)
    many = {name: read_addresses(fields.get(name, []), charset) for name in ("reply-to", "to", "cc", "bcc")}
    repairs = [*tree.repairs, *(["text-cut"] if cut else []), *(["several-senders"] if len(senders) > 1 else [])]
    if any(len(found) == MOST_ADDRESSES for found in many.values()):
        repairs.append("addresses-cut")
    subject = decode_field(head.first("subject"), charset)[:MOST_IN_SUBJECT]
    return Letter(
        subject=subject,
        sender=senders[0] if senders else None,
        message_id=read_message_id(fields.get("message-id", [])),
        in_reply_to=read_ids(fields.get("in-reply-to", [])),
        references=read_ids(fields.get("references", [])),
        reply_to=many["reply-to"],
        to=many["to"],
        cc=many["cc"],
        bcc=many["bcc"],
        sent_at=read_date(decode(head.first("date"))),
        text=text,
        snippet=snippet(text),
        has_html=view.has_html,
        parts=_parts(view),
        list_id=_list_id(head),
        is_automatic=is_automatic(head),
        is_auto_reply=is_auto_reply(head, subject, tree.root.content_type),
        repairs=tuple(dict.fromkeys(repairs)),
    )


def _list_id(head: Head) -> str:
    """RFC 2919 2: what stands in the angle brackets."""
    value = decode_field(head.first("list-id"))
    return (value.rpartition("<")[2].partition(">")[0] if "<" in value else value).strip().lower()[:250]


@dataclass(slots=True)
class _View:
    """The leaves by what they are for: shown as rich as can be, shown as plain text, and files."""

    rich: list[Node] = field(default_factory=list)
    plain: list[Node] = field(default_factory=list)
    files: list[Node] = field(default_factory=list)

    @property
    def has_html(self) -> bool:
        return any(leaf.content_type == "text/html" for leaf in self.rich)


def _view(node: Node, *, parent: str, is_first: bool) -> _View:
    """RFC 2046 5.1: of alternatives the last that can be shown is the best; all else is read one after the other."""
    if node.children is None:
        return _view_of_leaf(node, parent=parent, is_first=is_first)
    kind = node.content_type
    views = [_view(child, parent=kind, is_first=number == 0) for number, child in enumerate(node.children)]
    files = [leaf for view in views for leaf in view.files]
    if kind != "multipart/alternative":
        return _View(
            [leaf for view in views for leaf in view.rich], [leaf for view in views for leaf in view.plain], files
        )
    shown = [view for view in views if view.rich]
    if not shown:
        return _View(files=files)
    rich = next((view for view in reversed(shown) if view.has_html), shown[-1])
    plain = next((view for view in shown if not view.has_html and any(leaf.size for leaf in view.plain)), rich)
    return _View(rich.rich, plain.plain, files)


def _view_of_leaf(leaf: Node, *, parent: str, is_first: bool) -> _View:
    is_text = leaf.content_type == "text/html" or leaf.content_type in _PLAIN
    is_named = bool(leaf.filename) and not (is_first and parent in {"", "multipart/related"})
    if is_text and leaf.disposition != "attachment" and (not is_named or parent == "multipart/alternative"):
        return _View([leaf], [leaf], [])
    if leaf.content_type == "text/x-amp-html" and parent == "multipart/alternative":
        return _View()  # a fourth version of the same text, for programs that run it
    return _View([], [], [leaf])


def _leaf_text(leaf: Node, most: int) -> str:
    """The text of a leaf, cut before it is decoded: 50 MB in one line cost nothing."""
    raw = leaf.content()[: 4 * most]
    charset = leaf.charset
    if not charset and leaf.content_type == "text/html":
        match = _META_CHARSET.search(raw, 0, 2048)
        charset = match[1].decode("ascii") if match else ""
    return clean_text(decode(raw, charset))[:most]


def _search_text(view: _View) -> tuple[str, bool]:
    """What the search finds the letter by, and whether that is cut (B17). HTML only where the plain text is thin."""
    leaves = view.plain if _says_enough(view) else view.rich
    text = _joined(leaves, _as_text, most=MOST_TEXT).strip()
    return text[:MOST_TEXT], len(text) >= MOST_TEXT or any(leaf.size > MOST_HTML for leaf in leaves)


def _joined(leaves: list[Node], read: Callable[[Node], str], *, most: int) -> str:
    """The texts of `leaves` one below the other, no more of them than it takes for `most` characters."""
    texts: list[str] = []
    for leaf in leaves:
        if most <= 0:
            break
        texts.append(read(leaf))
        most -= len(texts[-1]) + 1
    return "\n".join(texts)


def _says_enough(view: _View) -> bool:
    """Whether the plain text can stand for the HTML; many senders write no more there than "use another program"."""
    if any(leaf.content_type == "text/html" for leaf in view.plain):
        return False
    size, rich_size = (sum(leaf.size for leaf in leaves) for leaves in (view.plain, view.rich))
    return size >= 1000 or 40 * size >= rich_size


def _as_text(leaf: Node) -> str:
    if leaf.content_type == "text/html":
        return html_to_text(_leaf_text(leaf, MOST_HTML))
    return _leaf_text(leaf, MOST_TEXT + 1).replace("\r\n", "\n")


def _parts(view: _View) -> tuple[Part, ...]:
    pages = (
        [leaf.content()[:MOST_IN_BODY] for leaf in view.rich if leaf.content_type == "text/html"] if view.files else []
    )
    shown = {unquote_to_bytes(found) for page in pages for found in _SHOWN_PART.findall(page)}
    return tuple(_part(leaf, shown) for leaf in view.files)


def _part(leaf: Node, shown: set[bytes]) -> Part:
    name = leaf.filename
    if not name and leaf.content_type in _LETTERS:  # a letter inside is called after its subject (B08)
        subject = decode_field(read_head(leaf.content()[:65536]).first("subject")).replace("/", "_")
        name = f"{subject[:80]}.eml" if subject else ""
    return Part(
        index=leaf.index,
        filename=safe_filename(clean_text(name), leaf.content_type),
        content_type=leaf.content_type,
        size=leaf.size,
        content_id=clean_text(leaf.content_id),
        inline=bool(leaf.content_id) and leaf.content_id.encode("utf-8", "replace") in shown,
    )


def read_body(raw: bytes) -> Body:
    """The richest body that the letter has. Raises `Unparsable`."""
    tree = read_tree(raw)
    view = _view(tree.root, parent="", is_first=True)
    html = None
    if view.has_html:
        html = _joined(view.rich, _as_html, most=MOST_IN_BODY)
    plain = [leaf for leaf in view.plain if leaf.content_type != "text/html"]
    text = _joined(plain, lambda leaf: _leaf_text(leaf, MOST_IN_BODY), most=MOST_IN_BODY).replace("\r\n", "\n")
    inline: dict[str, int] = {}
    for leaf in tree.root.leaves():
        if leaf.content_id:
            inline.setdefault(clean_text(leaf.content_id), leaf.index)
    return Body(html, text if plain else None, inline)


def _as_html(leaf: Node) -> str:
    text = _leaf_text(leaf, MOST_IN_BODY)
    return text if leaf.content_type == "text/html" else text_to_html(text)


def read_part(raw: bytes, index: int) -> bytes:
    """The decoded bytes of the part that `Letter.parts` gives this index. Raises `NoSuchPart`, `Unparsable`."""
    for leaf in read_tree(raw).root.leaves():
        if leaf.index == index:
            return leaf.content()
    raise NoSuchPart(index)
