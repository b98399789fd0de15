"""Whether the signatures of a letter hold (RFC 6376), in time that is linear in the letter, whatever it holds.

dkimpy reads the fields and asks for the key; the body is hashed here, because its way takes minutes for lines of
blanks that somebody made for that. What a stranger could make long is refused: a signature or a key of kilobytes, a
head of thousands of lines. SHA-1 proves nothing any more (RFC 8301 3.1), nor does a part of the body (`l=`).
"""

import base64
import hashlib
from collections.abc import Callable

import dkim

MOST_IN_SIGNATURE = 4 * 1024  # bytes
MOST_IN_KEY = 2 * 1024  # bytes of a record; a key of 8,192 bits has 1,400
MOST_LINES_IN_HEAD = 5_000
MUST = frozenset({b"from", b"subject", b"date", b"message-id"})  # signed where they stand; decision 0026
HASH = b"-sha256"

Lookup = Callable[[bytes, float], bytes | None]


class Signatures:
    """The signatures of one letter. `head`: its fields up to the blank line, `body`: what stands behind that."""

    def __init__(self, head: bytes, body: bytes, *, names: frozenset[str], lookup: Lookup, seconds: float) -> None:
        self._must = MUST & {name.encode() for name in names}
        is_long = head.count(b"\n") > MOST_LINES_IN_HEAD
        self._dkim = dkim.DKIM(b"" if is_long else head.rstrip(b"\r\n") + b"\r\n\r\n", timeout=int(seconds))
        self._body = body
        self._hashes: dict[bytes, bytes] = {}
        self._lookup = lookup

    def holds(self, number: int) -> bool:
        """Whether this one, from the top, covers the body and the fields that matter. Raises what dkimpy raises."""
        prepared = self._dkim.verify_headerprep(number)
        if not prepared:
            return False
        tags, signed, fields = prepared
        if not self._must <= set(signed) or b"l" in tags or not tags[b"a"].endswith(HASH):
            return False
        if self._hash(tags.get(b"c", b"simple/simple")) != base64.b64decode(b"".join(tags.pop(b"bh").split())):
            return False
        return bool(self._dkim.verify_sig(tags, signed, fields[number], self._key))

    def _hash(self, ways: bytes) -> bytes:
        way = ways.partition(b"/")[2].strip() or b"simple"  # RFC 6376 3.5: of the body, if it is not named
        if way not in self._hashes:
            self._hashes[way] = hashlib.sha256(canonical(self._body, is_relaxed=way == b"relaxed")).digest()
        return self._hashes[way]

    def _key(self, name: bytes, timeout: float) -> bytes | None:
        found = self._lookup(name, timeout)
        return found if found is not None and len(found) <= MOST_IN_KEY else None


def canonical(body: bytes, *, is_relaxed: bool) -> bytes:
    """The body as it is hashed (RFC 6376 3.4.3, 3.4.4). Each step passes over it once; blanks are halved."""
    lines = body.replace(b"\r\n", b"\n")
    if is_relaxed:
        lines = lines.replace(b"\t", b" ")
        while b"  " in lines:
            lines = lines.replace(b"  ", b" ")
        lines = (lines + b"\n").replace(b" \n", b"\n")
    lines = lines.rstrip(b"\n")
    return lines.replace(b"\n", b"\r\n") + b"\r\n" if lines or not is_relaxed else b""
