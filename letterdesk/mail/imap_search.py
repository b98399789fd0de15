"""Which letters are there: UID SEARCH, and never an answer that is only half of one (hard rule 4)."""

from datetime import date

from letterdesk.mail.encode import Argument, Atom
from letterdesk.mail.errors import ProtocolError
from letterdesk.mail.imap_response import Untagged
from letterdesk.mail.imap_wire import LINE_MAX, SEARCH_LINE_MAX, Wire
from letterdesk.mail.uidset import UidSet

SOUGHT_MAX = 500


def search_all(wire: Wire, *, since: date | None, before: date | None, capabilities: frozenset[str]) -> UidSet:
    """Every UID of the selected folder, or those received in these days (INTERNALDATE, the server's time zone).

    Raises ServerSaysNo for NO and BAD; ProtocolError when letters are there and no answer came, or more came than
    there are letters.
    """
    criteria: list[Argument] = []
    criteria += [Atom("SINCE"), since] if since else []
    criteria += [Atom("BEFORE"), before] if before else []
    found = _search(wire, criteria or [Atom("ALL")], capabilities)
    if found is None and wire.exists and not criteria:
        raise ProtocolError("SEARCH without an answer")
    if found and len(found) > wire.exists:
        raise ProtocolError(f"{len(found)} found among {wire.exists}")
    return found or UidSet()


def search_message_id(wire: Wire, message_id: str, *, capabilities: frozenset[str]) -> UidSet:
    """Letters whose Message-ID contains the first 500 characters of this text: candidates, not proof (A46)."""
    return search_header(wire, "Message-ID", message_id, capabilities=capabilities)


def search_header(wire: Wire, header: str, text: str, *, capabilities: frozenset[str]) -> UidSet:
    """Letters whose header of this name contains the first 500 characters of this text: candidates, not proof."""
    text = text[:SOUGHT_MAX]  # servers hang up on a literal of 64 KB
    criteria: list[Argument] = [Atom("HEADER"), header, text]
    if not text.isascii():
        criteria = [Atom("CHARSET"), Atom("UTF-8"), *criteria]
    found = _search(wire, criteria, capabilities)
    if found and len(found) > wire.exists:
        raise ProtocolError(f"{len(found)} found among {wire.exists}")
    return found or UidSet()


def _search(wire: Wire, criteria: list[Argument], capabilities: frozenset[str]) -> UidSet | None:
    """None: the server named neither letters nor that there are none."""
    options: list[Argument] = [Atom("RETURN"), [Atom("ALL")]] if capabilities & {"ESEARCH", "IMAP4REV2"} else []
    tag = wire.send(*options, *criteria, name="UID SEARCH")
    wire.line_max = SEARCH_LINE_MAX
    found: UidSet | None = None
    try:
        for response in wire.until(tag):
            read = _read(response, tag)
            if read is not None:
                found = read if found is None else found | read
    finally:
        wire.line_max = LINE_MAX
    return found


def _read(response: Untagged, tag: str) -> UidSet | None:
    if response.kind == "ESEARCH":
        return _extended(response, tag)
    if response.kind != "SEARCH":
        return None
    text = b"".join(piece for piece in response.pieces if isinstance(piece, bytes))
    words = text.partition(b"(")[0].split()  # `(MODSEQ 917162500)` may follow (RFC 7162 3.1.5)
    try:
        return UidSet(int(word) for word in words if _is_uid(word))
    except ValueError as error:
        raise ProtocolError(f"SEARCH {text[:60]!r}") from error


def _is_uid(word: bytes) -> bool:
    if not word.isdigit() or len(word) > 10:
        raise ValueError(word[:20])
    return int(word) > 0


def _extended(response: Untagged, tag: str) -> UidSet | None:
    """`(TAG "L7") UID ALL 1:3,5`; without ALL nothing was found (RFC 4731 3.1)."""
    parts = response.values()
    if parts and isinstance(parts[0], list):
        if len(parts[0]) == 2 and parts[0][1] != tag.encode("ascii"):
            return None
        parts = parts[1:]
    words = [part.decode("ascii", "replace") if isinstance(part, bytes) else "" for part in parts]
    for place, word in enumerate(words[:-1]):
        if word.upper() == "ALL":
            try:
                return UidSet.parse(words[place + 1])
            except ValueError as error:
                raise ProtocolError(f"ESEARCH {words[place + 1][:60]!r}") from error
    return UidSet()
