"""A letter as a tree of parts: by fast-mail-parser, and by the stdlib in a limited process where that fails.

The fast library recurses without bound into nested parts (50,000 levels end the process) and is quadratic in encoded
words, so `_is_tame` looks at every header block first. What is not tame, or what the library refuses, goes to
`limited.py`. Both ways number the leaves in the order of the letter, so an index means the same part every time.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from fast_mail_parser import ParseError, PyLazyMimePart, parse_email_tree

from letterdesk.mail.headers import Head, end_of_block, parameters, read_head
from letterdesk.mail.limited import Piece, read_limited

MOST_DEPTH = 50
MOST_PARTS = 1_000
_MOST_DELIMITERS = (
    200  # lines that begin with `--`: no more levels than these can exist, and 333 fit in 256 KB of stack
)
_MOST_IN_PART_HEAD = 64 * 1024
_MOST_WORDS = 2_000
_DECODED_AT_ONCE = 8 * 1024 * 1024  # bytes of an encoded part; larger ones are decoded when somebody asks for them
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")
_STRAY_CR = re.compile(rb"\r+\n|\r")
_NAMING = ("content-type", "content-disposition")
_ENCODINGS = {"", "7bit", "8bit", "binary", "base64", "quoted-printable"}


@dataclass(slots=True, eq=False)
class Node:
    """A part: a container with children, or a leaf with its decoded bytes `content()`. `index` counts leaves from 0."""

    content_type: str
    charset: str = ""
    filename: str = ""
    disposition: str = ""
    content_id: str = ""
    children: list["Node"] | None = None
    size: int = 0
    content: Callable[[], bytes] = field(default=bytes)
    index: int = -1

    def leaves(self) -> Iterator["Node"]:
        """The leaves below, in the order of the letter."""
        if self.children is None:
            yield self
            return
        for child in self.children:
            yield from child.leaves()


@dataclass(slots=True)
class Tree:
    """What was read of a letter. `repairs` names what had to be left out or guessed."""

    head: Head
    root: Node
    repairs: list[str]


def read_tree(raw: bytes) -> Tree:
    """The parts of `raw`. Raises `limited.Unparsable` when no parser can read it within its limits."""
    head = read_head(raw)
    if head.is_odd and _has_stray_cr(raw[: head.body]):
        raw = _STRAY_CR.sub(b"\n", raw)
        head = read_head(raw)
    repairs = ["header-cut"] if head.is_cut else []
    root = _read_fast(raw, repairs) if _is_tame(raw, head) else None
    if root is None:
        repairs.append("limited-parser")
        piece, is_cut = read_limited(raw, head)
        root = _from_piece(piece)
        repairs += ["parts-cut"] if is_cut else []
    for index, leaf in enumerate(root.leaves()):
        leaf.index = index
    return Tree(head, root, repairs)


def _has_stray_cr(block: bytes) -> bool:
    """Lines that end with CR alone or with several (old Macs, and gateways that add one)."""
    return block.count(b"\r") != block.count(b"\r\n") or b"\r\r" in block


def _is_tame(raw: bytes, head: Head) -> bool:
    """Whether the fast library is safe with `raw`: every header block lies at the start or behind a line with `--`."""
    if head.is_odd or head.is_cut:
        return False
    words = raw.count(b"=?", 0, head.body)
    if (
        words > _MOST_WORDS
        or not _is_tame_head(raw[: head.body])
        or not all(head.first(name).isascii() for name in _NAMING)
    ):
        return False
    at, delimiters = raw.find(b"\n--", head.body - 1), 0
    while at >= 0:
        delimiters += 1
        end = end_of_block(raw, at + 1, at + _MOST_IN_PART_HEAD)[0]
        if end < len(raw) and end - at >= _MOST_IN_PART_HEAD:
            return False
        block = raw[at + 1 : end]
        words += block.count(b"=?")
        is_signature = block[:4].rstrip() == b"--"
        if delimiters > _MOST_DELIMITERS or words > _MOST_WORDS or not _is_tame_head(block):
            return False
        if not is_signature and not block.isascii():  # names in raw 8-bit: the library has lost their bytes
            return False
        at = raw.find(b"\n--", at + 1)
    return True


def _is_tame_head(block: bytes) -> bool:
    """No letter inside (its parts would be read, and its base64 hides how deep they go), and no type in disguise."""
    small = block.lower()
    if b"message/" in small or b"/digest" in small:
        return False
    at = small.find(b"content-type") if b"=?" in small else -1
    while at >= 0:
        kind = small[at : at + 200].partition(b";")[0]
        if b"=?" in kind or len(kind) == 200:
            return False
        at = small.find(b"content-type", at + 1)
    return True


def _read_fast(raw: bytes, repairs: list[str]) -> Node | None:
    """The tree by the fast library, or None when it should be read again with more patience."""
    found: list[str] = []
    try:
        root = _Fast(found).convert(parse_email_tree(raw, mode="lazy"), depth=0)
    except (ParseError, _Doubtful):
        return None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # of Rust; its class cannot be imported
            return None
        raise
    repairs += found
    return root


class _Doubtful(Exception):
    """A multipart without parts (its boundary is missing or wrong), or something that the library cannot decode."""


class _Fast:
    """Takes over the library's nodes, at most `MOST_PARTS` and `MOST_DEPTH` levels."""

    def __init__(self, repairs: list[str]) -> None:
        self.parts = 0
        self.repairs = repairs

    def convert(self, part: PyLazyMimePart, depth: int) -> Node:
        fields = {name.lower(): values[0] for name, values in part.headers.items() if name[:1] in "Cc"}
        node = make_node(fields, part.content_type)
        self.parts += 1
        is_known = fields.get("content-transfer-encoding", "").lower() in _ENCODINGS
        if not is_known or "\ufffd" in node.filename:  # the library decodes words one by one, and letters lie across
            raise _Doubtful
        if part.is_message or not node.content_type.startswith("multipart/"):
            node.size, node.content = _decoded(part)
            return node
        node.children = []
        for child in part.children:
            if depth >= MOST_DEPTH or self.parts >= MOST_PARTS:
                self.repairs.append("parts-cut")
                break
            node.children.append(self.convert(child, depth + 1))
        if not part.children:
            raise _Doubtful
        return node


def _decoded(part: PyLazyMimePart) -> tuple[int, Callable[[], bytes]]:
    """Size and content of a leaf; broken encodings raise here already. Of very large parts the size is an estimate."""
    encoded = part.encoded_size or 0
    if encoded > _DECODED_AT_ONCE:
        return encoded * 57 // 78, lambda: part.content or b""  # RFC 2045 6.8: lines of 76 characters hold 57 bytes
    content = part.content or b""
    return len(content), lambda: content


def _from_piece(piece: Piece) -> Node:
    node = make_node(piece.fields)
    if piece.children is None:
        content = piece.content
        node.size, node.content = len(content), lambda: content
        if node.content_type.startswith("multipart/"):
            node.content_type = "text/plain"  # without any boundary it is but text
        if piece.is_letter:
            node.content_type = "message/rfc822"
        return node
    node.content_type = node.content_type if node.content_type.startswith("multipart/") else "multipart/mixed"
    node.children = [_from_piece(child) for child in piece.children]
    return node


def make_node(fields: dict[str, str], content_type: str = "") -> Node:
    """A part by its Content- fields (RFC 2045, 2183, 2392), and by the type that a library takes it for."""
    kind, disposition = fields.get("content-type", ""), fields.get("content-disposition", "")
    content_id = fields.get("content-id", "").strip().strip("<>")[:250]
    return Node(*_described(content_type or kind.partition(";")[0], kind[:8192], disposition[:8192]), content_id)


@lru_cache(maxsize=1024)
def _described(content_type: str, kind: str, disposition: str) -> tuple[str, str, str, str]:
    """Type, charset, file name and disposition: nearly all parts are of a few sorts."""
    more = parameters(kind)
    filename = parameters(disposition).get("filename") or more.get("name", "")
    return _clean_type(content_type), more.get("charset", ""), filename, disposition.partition(";")[0].strip().lower()


def _clean_type(text: str) -> str:
    """RFC 2045 5.2: without a type that one can read, a part is text."""
    text = text.strip(" \t\r\n\"'").lower()
    if _TYPE.fullmatch(text):
        return text
    match = _TYPE.match(text)
    if match:
        return match[0]
    return "text/plain" if text in {"", "text"} else "application/octet-stream"
