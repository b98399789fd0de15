"""Changes on the server: flags, moves, copies, expunges, appends. The only file that sends what destroys (P4)."""

from datetime import datetime

from letterdesk.mail.encode import Argument, Atom, Flag, Literal
from letterdesk.mail.errors import NotSupported
from letterdesk.mail.imap_names import wire_octets
from letterdesk.mail.imap_response import Status, Untagged
from letterdesk.mail.imap_wire import Wire
from letterdesk.mail.uidset import UidSet

LINE = 7000
UID_MAX = 2**32 - 1


def store_flags(
    wire: Wire, uids: UidSet, *, add: frozenset[str], remove: frozenset[str], unchanged_since: int | None
) -> UidSet:
    """Add and remove flags; returns the UIDs that had changed since and were left alone (RFC 7162 3.1.3)."""
    refused = UidSet()
    for sign, flags in (("+", add), ("-", remove)):
        if not flags:
            continue
        conditional: list[Argument] = []
        if unchanged_since is not None and not (sign == "-" and add):  # our own first half has moved the mark
            conditional = [[Atom("UNCHANGEDSINCE"), unchanged_since]]
        what: list[Argument] = [Atom(f"{sign}FLAGS.SILENT"), [Flag(name) for name in sorted(flags)]]
        for piece in (uids - refused).lines(LINE):
            wire.run(piece, *conditional, *what, name="UID STORE")
            refused |= _modified(wire.last) & uids
    return refused


def _modified(ended: Status) -> UidSet:
    return _set(ended.rest) if ended.code == "MODIFIED" else UidSet()


def _set(text: str) -> UidSet:
    try:
        return UidSet.parse(text.strip())
    except ValueError:
        return UidSet()


def move_letters(wire: Wire, uids: UidSet, to: str) -> dict[int, int]:
    """UID MOVE (RFC 6851); old to new UIDs as far as told."""
    return _transfer(wire, uids, to, name="UID MOVE")


def copy_letters(wire: Wire, uids: UidSet, to: str) -> dict[int, int]:
    """UID COPY; old to new UIDs as far as told (RFC 4315 3)."""
    return _transfer(wire, uids, to, name="UID COPY")


def _transfer(wire: Wire, uids: UidSet, to: str, *, name: str) -> dict[int, int]:
    told: dict[int, int] = {}
    for piece in uids.lines(LINE):
        responses, ended = wire.run(piece, wire_octets(to), name=name)
        for said in [*(each.status for each in responses), ended]:  # MOVE tells it before it ends (A17)
            if said and said.code == "COPYUID":
                told |= {old: new for old, new in _copied(said.rest).items() if old in uids}
    return told


def _copied(rest: str) -> dict[int, int]:
    """`uidvalidity 3,1:2 7:9` as a map, in the order sent. Anything odd counts as not told (A16)."""
    parts = rest.split()
    if len(parts) != 3 or not parts[0].isdigit():
        return {}
    try:
        before, after = _in_order(parts[1]), _in_order(parts[2])
    except ValueError:
        return {}
    return dict(zip(before, after, strict=True)) if len(before) == len(after) else {}


def _in_order(text: str) -> list[int]:
    numbers: list[int] = []
    for piece in text.split(","):
        only = UidSet.parse(piece)
        if len(numbers) + len(only) > 1_000_000 or (only and only.max() > UID_MAX):
            raise ValueError("more than anyone moves at once")
        numbers += only  # "4:2" means 2:4 (RFC 9051 9: order in a range is equivalent)
    return numbers


def expunge_letters(wire: Wire, uids: UidSet, *, capabilities: frozenset[str]) -> None:
    """UID EXPUNGE of exactly these (RFC 4315 2.1). Never plain EXPUNGE: it would take what others marked (A18)."""
    if not capabilities & {"UIDPLUS", "IMAP4REV2"}:
        raise NotSupported(capability="UIDPLUS")
    for piece in uids.lines(LINE):
        wire.run(piece, name="UID EXPUNGE")


def append_letter(
    wire: Wire, to: str, raw: bytes, *, flags: frozenset[str], internal_date: datetime | None
) -> tuple[int, int] | None:
    """APPEND one letter; (UIDVALIDITY, UID) when the server tells it, and tells it right (A16)."""
    arguments: list[Argument] = [wire_octets(to), [Flag(name) for name in sorted(flags)]]
    arguments += [internal_date] if internal_date else []
    responses, ended = wire.run(*arguments, Literal(raw), name="APPEND")
    return _appended(responses, ended)


def _appended(responses: list[Untagged], ended: Status) -> tuple[int, int] | None:
    for said in [ended, *(each.status for each in responses)]:
        if said and said.code == "APPENDUID":
            words = said.rest.split()
            if len(words) == 2 and all(
                word.isascii() and word.isdigit() and 0 < int(word) <= UID_MAX for word in words
            ):
                return int(words[0]), int(words[1])
    return None
