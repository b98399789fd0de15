"""Letters, their flags and their summaries: FETCH in bulk, streamed, pipelined, within bounds.

While the answer to one command is read, the next one is on its way, so a distant server never waits for us.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache

from letterdesk.mail.encode import Argument, Atom
from letterdesk.mail.errors import MailError, ProtocolError, ServerSaysNo
from letterdesk.mail.imap_response import Oversize, Piece, Untagged, Value, date_time, modseq, number, untagged
from letterdesk.mail.imap_types import Flags, NotHanded, Summary
from letterdesk.mail.imap_wire import Wire
from letterdesk.mail.letters import Fetched
from letterdesk.mail.uidset import UidSet

UID_MAX = 2**32 - 1
LINE = 7000  # octets of a command line; servers take 8,192 (RFC 7162 4)
REFUSED_IN_A_ROW = 5

_FLAGS_ONLY = re.compile(rb"\(UID (\d{1,10}) FLAGS \(([^()\"{]*)\)(?: MODSEQ \((\d{1,19})\))?\)", re.IGNORECASE)
_USUAL = re.compile(  # as Dovecot, Cyrus, Gmail and most others put it: ten times faster than the tokenizer
    rb"\(UID (\d{1,10}) FLAGS \(([^()\"{]*)\) INTERNALDATE \"([^\"]*)\" RFC822\.SIZE (\d{1,18})"
    rb"(?: MODSEQ \((\d{1,19})\))?(?:\)| BODY\[\] \{\d+\})",
    re.IGNORECASE,
)
_NO_LITERAL = re.compile(rb"\{[^{}\r\n]{0,40}\}")
Handed = Fetched | NotHanded


def fetch_flags(wire: Wire, uids: UidSet, *, changed_since: int | None, with_modseq: bool) -> Iterator[Flags]:
    """Flags of these letters; with `changed_since` of those only that changed (RFC 7162 3.1.4.1)."""
    items: list[Argument] = [Atom("UID"), Atom("FLAGS"), *([Atom("MODSEQ")] if with_modseq else [])]
    tail: list[Argument] = [] if changed_since is None else [[Atom("CHANGEDSINCE"), changed_since]]
    for response in _stream(wire, [uids], [items, *tail]):
        if (found := read_flags(response)) and found.uid in uids:
            yield found


def read_flags(response: Untagged) -> Flags | None:
    """Flags out of a FETCH response, without \\Recent; system flags in their usual spelling. None: no UID, no FLAGS."""
    if len(response.pieces) == 1 and isinstance(response.pieces[0], bytes):
        quick = _FLAGS_ONLY.fullmatch(response.pieces[0])
        if quick and int(quick[1]) <= UID_MAX:
            return Flags(int(quick[1]), _flag_set(quick[2]), modseq(quick[3]))
    told = _items(response)
    uid, flags = _uid(told), told.get(b"FLAGS", b"")
    if flags is None:  # FLAGS NIL for none (A43)
        flags = []
    if uid is None or not isinstance(flags, list):
        return None
    return Flags(uid, _flags(flags), modseq(told.get(b"MODSEQ")))


def fetch_summaries(wire: Wire, uids: UidSet, *, with_modseq: bool) -> Iterator[Summary]:
    """Size, date and flags of these letters; size 0 where the server does not tell it."""
    names = ["UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE", *(["MODSEQ"] if with_modseq else [])]
    items: list[Argument] = [Atom(name) for name in names]
    for response in _stream(wire, [uids], [items]):
        told = _items(response)
        uid, size = _uid(told), number(told.get(b"RFC822.SIZE"))
        date = date_time(told.get(b"INTERNALDATE"))
        if uid is None or uid not in uids or (size is None and date is None):  # a change of flags, unasked
            continue
        flags = told.get(b"FLAGS")
        yield Summary(
            uid=uid,
            internal_date=date or datetime.now(UTC),
            size=size or 0,
            flags=_flags(flags) if isinstance(flags, list) else frozenset(),
            modseq=modseq(told.get(b"MODSEQ")),
            is_dated=date is not None,
        )


def fetch_letters(
    wire: Wire, sets: Iterable[UidSet], *, batch: int, batch_bytes: int, max_size: int, with_modseq: bool
) -> Iterator[list[Handed]]:
    """Whole letters, in lists of at most `batch` letters and about `batch_bytes`.

    A letter that is not there any more is simply missing. One that the server has and does not hand over is
    `NotHanded`: empty, too_large, or refused (it said NO to this letter alone). What was handed before an error is
    yielded before the error is raised.
    """
    names = ["UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE", *(["MODSEQ"] if with_modseq else []), "BODY.PEEK[]"]
    items: list[Argument] = [Atom(name) for name in names]
    pile: list[Handed] = []
    weight = 0
    source = _Letters(wire, items, max_size=max_size)
    try:
        for handed in source.of(piece for each in sets for piece in each.chunks(batch)):
            pile.append(handed)
            weight += len(handed.raw) if isinstance(handed, Fetched) else 0
            if len(pile) >= batch or weight >= batch_bytes:
                yield pile
                pile, weight = [], 0
    except MailError as error:
        if pile:
            yield pile
        raise error
    if pile:
        yield pile


class _Letters:
    """One bulk FETCH: which letters are asked for at the moment, which sets were refused."""

    def __init__(self, wire: Wire, items: list[Argument], *, max_size: int) -> None:
        self.wire = wire
        self.items = items
        self.max_size = max_size
        self.handed = 0
        self.due: dict[str, UidSet] = {}  # by tag: a server may mix the answers to two commands (RFC 9051 5.5)
        self.answered: dict[str, set[int]] = {}
        self.flags: dict[int, Flags] = {}  # told before their letter
        self.refused = UidSet()

    def of(self, sets: Iterable[UidSet]) -> Iterator[Handed]:
        """Every letter of these sets, then one by one those of the sets to which the server said NO."""
        asked = 0
        for tag, uids in _asked(self.wire, sets, [self.items], due=self.due):
            asked += len(uids)
            try:
                yield from self._answers(tag)
            except ServerSaysNo as error:
                if error.facts.get("kind") != "NO":
                    raise
                self.refused |= uids - UidSet(self.answered.get(tag, ()))
            self._forget(tag)
        yield from self._one_by_one(few=asked <= REFUSED_IN_A_ROW)

    def _answers(self, tag: str) -> Iterator[Handed]:
        try:
            for response in self.wire.until(tag, literal_max=self.max_size):
                letter = self._read(response) if response.kind == "FETCH" else None
                if letter and not _is_whole(response):  # A12: what follows is the rest of the letter
                    raise self.wire.broken(ProtocolError(f"letter {letter.uid} is longer than its literal"))
                if letter and self._is_due(letter.uid):
                    self.handed += 1
                    yield letter
        except ProtocolError as error:
            giant = _giant(error, larger_than=self.max_size)
            if giant and self._is_due(giant.uid):
                yield giant
            raise

    def _read(self, response: Untagged) -> Handed | None:
        """The letter in this response. Some servers tell its flags in a response of their own before it (A43)."""
        letter = _read_letter(response)
        if letter is None:
            flags = read_flags(response)
            if flags and any(flags.uid in uids for uids in self.due.values()):
                self.flags[flags.uid] = flags
            return None
        told = self.flags.pop(letter.uid, None)
        if told and isinstance(letter, Fetched) and b"FLAGS" not in _items(response):
            letter = replace(letter, flags=told.flags, modseq=letter.modseq or told.modseq)
        return letter

    def _is_due(self, uid: int) -> bool:
        """Asked for and not yet answered (A07: nothing that was not asked)."""
        for tag, uids in self.due.items():
            if uid in uids:
                answered = self.answered.setdefault(tag, set())
                is_new = uid not in answered
                answered.add(uid)
                return is_new
        return False

    def _forget(self, tag: str) -> None:
        self.due.pop(tag, None)
        self.answered.pop(tag, None)

    def _one_by_one(self, *, few: bool) -> Iterator[Handed]:
        """A letter that is refused by itself is poison; when all are, the server is ill and nothing is concluded."""
        in_a_row = 0
        for uid in self.refused:
            only = UidSet([uid])
            try:
                tag = self.wire.send(only, self.items, name="UID FETCH")
                self.due = {tag: only}
                self.answered = {}
                yield from self._answers(tag)
                in_a_row = 0
            except ServerSaysNo as error:
                in_a_row += 1
                if not (self.handed or few) or in_a_row > REFUSED_IN_A_ROW:
                    raise
                yield NotHanded(uid, "refused", detail=error.detail)


def _read_letter(response: Untagged) -> Handed | None:
    told = _items(response)
    uid = _uid(told)
    if uid is None or b"BODY[]" not in told:  # a change of flags, unasked
        return None
    body = told[b"BODY[]"]
    moment = date_time(told.get(b"INTERNALDATE"))
    if isinstance(body, Oversize):
        return NotHanded(uid, "too_large", size=int(body), internal_date=moment)
    if len(response.pieces) == 1 and isinstance(body, bytes) and _NO_LITERAL.fullmatch(body):  # A12
        raise ProtocolError(f"the length of letter {uid} is no number")
    if not isinstance(body, bytes) or not body:  # A10
        return NotHanded(uid, "empty", size=number(told.get(b"RFC822.SIZE")) or 0, internal_date=moment)
    flags = told.get(b"FLAGS")
    return Fetched(
        uid=uid,
        raw=body,
        internal_date=moment or datetime.now(UTC),
        flags=_flags(flags) if isinstance(flags, list) else frozenset(),
        modseq=modseq(told.get(b"MODSEQ")),
        is_dated=moment is not None,
    )


def _is_whole(response: Untagged) -> bool:
    """Whether after each literal the response goes on as it must: with a space or a parenthesis, one at the end."""
    after = [piece for piece in response.pieces[2::2] if isinstance(piece, bytes)]
    return all(piece[:1] in {b" ", b")"} for piece in after) and (not after or after[-1].rstrip().endswith(b")"))


def _giant(error: ProtocolError, *, larger_than: int) -> NotHanded | None:
    """The letter that was too large even to throw away, if its size was announced as well (A12: else it is a lie)."""
    before = error.facts.get("before")
    if not isinstance(before, list):
        return None
    told = _items(untagged(before))
    uid, size = _uid(told), number(told.get(b"RFC822.SIZE")) or 0
    if uid is None or size <= larger_than:
        return None
    return NotHanded(uid, "too_large", size=size, internal_date=date_time(told.get(b"INTERNALDATE")))


def _stream(wire: Wire, sets: Iterable[UidSet], arguments: list[Argument]) -> Iterator[Untagged]:
    for tag, _ in _asked(wire, sets, arguments):
        for response in wire.until(tag):
            if response.kind == "FETCH":
                yield response


def _asked(
    wire: Wire, sets: Iterable[UidSet], arguments: list[Argument], *, due: dict[str, UidSet] | None = None
) -> Iterator[tuple[str, UidSet]]:
    """Send a command for each set, always one ahead of the command whose answer is read; `due` learns of each."""
    before: tuple[str, UidSet] | None = None
    for each in sets:
        for uids in each.lines(LINE):
            tag = wire.send(uids, *arguments, name="UID FETCH", pipelined=before is not None)
            if due is not None:
                due[tag] = uids
            if before:
                yield before
            before = (tag, uids)
    if before:
        yield before


def _items(response: Untagged) -> dict[bytes, Value]:
    return _usual_items(response.pieces) or _any_items(response)


def _usual_items(pieces: list[Piece]) -> dict[bytes, Value] | None:
    usual = _USUAL.fullmatch(pieces[0]) if isinstance(pieces[0], bytes) else None
    if not usual or len(pieces) not in {1, 3} or (len(pieces) == 3 and pieces[2] != b")"):
        return None
    told: dict[bytes, Value] = dict(zip(_USUAL_KEYS, usual.groups(), strict=True))
    told[b"FLAGS"] = [usual[2]]
    if len(pieces) == 3:
        told[b"BODY[]"] = pieces[1]
    return told


_USUAL_KEYS = (b"UID", b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"MODSEQ")


def _any_items(response: Untagged) -> dict[bytes, Value]:
    top = response.values()
    listed = top[0] if top and isinstance(top[0], list) else top
    keys = (key.upper() if isinstance(key, bytes) else b"" for key in listed[::2])
    return dict(zip(keys, listed[1::2], strict=False))


def _uid(told: dict[bytes, Value]) -> int | None:
    return number(told.get(b"UID"), most=UID_MAX) or None


def _flags(words: list[Value]) -> frozenset[str]:
    return _flag_set(b" ".join(word for word in words if isinstance(word, bytes)))


@lru_cache(maxsize=4096)
def _flag_set(text: bytes) -> frozenset[str]:
    words = (word for word in text.decode("utf-8", "replace").split() if word.lower() != "\\recent")
    return frozenset(_SYSTEM.get(word.lower(), word) for word in words)


_SYSTEM = {name.lower(): name for name in ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")}
