"""Takes letters into the store: parse and write bytes first, then everything else in one transaction.

`start` (or `prepare`) does what needs no lock: hashes, announces the bytes (`collect.py`), parses, compresses, syncs
to disk. `store` runs inside the caller's transaction and writes rows, set-based: the number of queries does not
depend on the number of letters. `receive` is both, for callers who are in no hurry.
"""

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from letterdesk.events.record import record
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.letters import Fetched, Letter, Unreadable
from letterdesk.mail.uidset import UidSet

from . import collect, listing, preparing, quarantine, rows, threading
from .columns import attachments_of, message_columns, received_at_of
from .models import Conversation, Folder, Mailbox, Message
from .placing import Place, place
from .quarantine import not_handed
from .retention import legal
from .retention.tombstones import buried
from .search import letters as search

MOST_CONVERSATIONS_TOLD = 50
NONE = UidSet()

__all__ = ["Prepared", "Read", "Receipt", "not_handed", "prepare", "receive", "start", "store"]


@dataclass(frozen=True, slots=True)
class Read:
    """One letter, ready to be stored."""

    fetched: Fetched
    blob: str
    letter: Letter | Unreadable
    words: str = ""  # its text as the index keeps it


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch, ready to be stored. Its bytes are durable. Valid for half an hour (`collect.StaleBatch` tells)."""

    letters: tuple[Read, ...]
    refused: frozenset[int] = frozenset()  # UIDs of tombstoned letters, neither parsed nor written


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of each letter of a batch, by UID."""

    stored: list[Message] = field(default_factory=list)  # new ones
    placed: UidSet = NONE  # have a placement now
    quarantined: UidSet = NONE
    refused: UidSet = NONE  # tombstoned (R10)
    too_old: UidSet = NONE  # R20, R21
    conflicts: UidSet = NONE  # the UID holds another letter here: the server reuses UIDs (A05); nothing is changed


def start(
    folder: Folder, letters: Sequence[Fetched], *, now: datetime, hashes: Sequence[str] | None = None
) -> "Future[Prepared]":
    """Prepare in the background: all database work is done before this returns, so the caller may store meanwhile.

    Outside any transaction. `hashes` of the letters, where another thread has computed them already.
    Raises BlobsBeingRemoved at once; OSError (a full disk) from the future.
    """
    if hashes is None:
        hashes = [blobs.hash_of(letter.raw) for letter in letters]
    gone = buried(folder.mailbox_id, hashes)
    wanted = [(letter, blob) for letter, blob in zip(letters, hashes, strict=True) if blob not in gone]
    collect.announce(folder.account_id, {blob for _, blob in wanted}, now=now)
    refused = frozenset(letter.uid for letter, blob in zip(letters, hashes, strict=True) if blob in gone)
    return _pool("read").submit(_read_and_write, folder.account_id, wanted, refused)


def prepare(folder: Folder, letters: Sequence[Fetched], *, now: datetime) -> Prepared:
    """As `start`, and wait for it."""
    return start(folder, letters, now=now).result()


def _read_and_write(account_id: int, wanted: list[tuple[Fetched, str]], refused: frozenset[int]) -> Prepared:
    """No database here."""
    raws = {blob: letter.raw for letter, blob in wanted}
    folder = blobs.folder()
    if folder is not None and preparing.is_worth_it(raws.values()):
        names = {blobs.name_of(account_id, blob): raw for blob, raw in raws.items()}
        parsed = preparing.parse_and_write(folder, names)
    else:
        writing = _pool("write").submit(blobs.put, account_id, raws)  # the disk syncs while we parse
        parsed = preparing.parse(raws.values())
        writing.result()
    reach("receive.prepared")
    of = dict(zip(raws, parsed, strict=True))
    return Prepared(tuple(Read(letter, blob, of[blob].letter, of[blob].words) for letter, blob in wanted), refused)


@lru_cache(maxsize=2)
def _pool(name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(4, thread_name_prefix=f"receive-{name}")


os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has none of its parent's threads


def receive(
    folder: Folder,
    letters: Sequence[Fetched],
    *,
    uidvalidity: int,
    now: datetime,
    cutoff: datetime | None = None,
    initial: bool = False,
) -> Receipt:
    """`prepare` and `store` in one: parsing happens in the caller's transaction, so only where that hurts nobody."""
    prepared = prepare(folder, letters, now=now)
    return store(folder, prepared, uidvalidity=uidvalidity, now=now, cutoff=cutoff, initial=initial)


def store(
    folder: Folder,
    prepared: Prepared,
    *,
    uidvalidity: int,
    now: datetime,
    cutoff: datetime | None = None,
    initial: bool = False,
    more: bool = False,
) -> Receipt:
    """Write a prepared batch. The caller holds a transaction and has checked its fence. Raises StaleBatch.

    The same bytes in the same mailbox are the same Message, with one more Placement (A34): a move on the server keeps
    message, conversation and links. What was received at or before `cutoff` is left out, held letters never.
    `initial`: they lay there before we looked, so nothing acts on them (R13, R28). `more`: others follow in a moment.
    """
    mailbox = _held(folder.mailbox_id)
    batch = _Batch(mailbox, now, initial=initial)
    batch.sort(prepared, cutoff)
    reach("receive.sorted")
    collect.hold(mailbox.account_id, batch.blobs(), holder=collect.holder_of(mailbox.pk), now=now)
    stored = batch.store_fresh()
    legal.cover(mailbox, stored, now=now)  # F05
    done = place(mailbox, folder, batch.places(), uidvalidity=uidvalidity, now=now)
    quarantine.keep(folder, batch.quarantined(), uidvalidity=uidvalidity, now=now)
    quarantine.leave(folder, done.placed, uidvalidity=uidvalidity, now=now)
    touched = done.touched | batch.touched
    listing.refresh(touched)
    reach("receive.stored")
    if done.placed:
        _tell(folder, mailbox, touched, count=len(done.placed), initial=initial, more=more)
    quarantine.tell(folder, len(batch.unreadable))
    return Receipt(
        stored=stored,
        placed=done.placed,
        quarantined=UidSet(read.fetched.uid for read in batch.unreadable),
        refused=UidSet([*prepared.refused, *batch.refused]),
        too_old=UidSet(batch.too_old),
        conflicts=done.conflicts,
    )


def _held(mailbox_id: int) -> Mailbox:
    """The mailbox, locked; not its account, whose lock comes first (`receipts.lock`)."""
    alone = Mailbox.objects.select_for_update(of=("self",), no_key=True)
    mailbox: Mailbox = alone.select_related("account").get(pk=mailbox_id)
    return mailbox


class _Batch:
    """Sorts a batch by what is to be done, and stores what is new."""

    def __init__(self, mailbox: Mailbox, now: datetime, *, initial: bool) -> None:
        self.mailbox = mailbox
        self.now = now
        self.initial = initial
        self.known: dict[str, Message] = {}
        self.fresh: dict[str, list[Read]] = {}
        self.again: list[Read] = []
        self.unreadable: list[Read] = []
        self.refused: list[int] = []
        self.too_old: list[int] = []
        self.touched: set[int] = set()

    def sort(self, prepared: Prepared, cutoff: datetime | None) -> None:
        hashes = {read.blob for read in prepared.letters}
        known = Message.objects.filter(mailbox=self.mailbox, blob__in=hashes)
        self.known = {message.blob: message for message in known}
        gone = buried(self.mailbox.pk, hashes)
        for read in prepared.letters:
            message = self.known.get(read.blob)
            is_held = message is not None and message.is_held  # R4: taken whatever its age
            if read.blob in gone and not is_held:
                self.refused.append(read.fetched.uid)  # R10
            elif cutoff is not None and self._received_at(read) <= cutoff and not is_held:
                self.too_old.append(read.fetched.uid)  # R20, R21
            elif message is not None:
                self.again.append(read)
            elif isinstance(read.letter, Unreadable):
                self.unreadable.append(read)
            else:
                self.fresh.setdefault(read.blob, []).append(read)

    def _received_at(self, read: Read) -> datetime:
        """R19: the earliest of its placements; joining never makes it later."""
        message = self.known.get(read.blob)
        date = received_at_of(read.fetched.internal_date, self.now)
        return min(date, message.received_at) if message else date

    def blobs(self) -> set[str]:
        return {*self.fresh, *(read.blob for read in (*self.again, *self.unreadable))}

    def store_fresh(self) -> list[Message]:
        """New letters: conversations, messages, files, search rows."""
        letters = [(group, group[0].letter) for group in self.fresh.values()]
        readable = [(group, letter) for group, letter in letters if isinstance(letter, Letter)]
        dates = [min(self._received_at(read) for read in group) for group, _ in readable]
        threads = [
            threading.thread_of(letter, received_at=date, own_address=self.mailbox.address)
            for (_, letter), date in zip(readable, dates, strict=True)
        ]
        assigned = threading.assign(self.mailbox, threads)
        self.touched = assigned.touched
        messages = [
            self._message(group[0], letter, conversation, thread)
            for (group, letter), conversation, thread in zip(readable, assigned.conversations, threads, strict=True)
        ]
        rows.insert_with_keys(messages, known_by="blob")
        rows.insert(
            [
                file
                for message, (_, letter) in zip(messages, readable, strict=True)
                for file in attachments_of(message, letter)
            ]
        )
        search.index(
            search.Indexed.of(message, body=group[0].words, files=[part.filename for part in letter.parts])
            for message, (group, letter) in zip(messages, readable, strict=True)
        )
        self.known |= {message.blob: message for message in messages}
        return messages

    def _message(self, read: Read, letter: Letter, conversation: Conversation, thread: threading.Thread) -> Message:
        return rows.make(
            Message,
            account_id=self.mailbox.account_id,
            mailbox_id=self.mailbox.pk,
            conversation_id=conversation.pk,
            blob=read.blob,
            size=len(read.fetched.raw),
            received_at=thread.received_at,
            first_seen_at=self.now,
            is_history=self.initial,
            joins_by_subject=thread.joins_by_subject,
            **message_columns(letter),
        )

    def quarantined(self) -> list[tuple[Fetched, str, str]]:
        return [
            (read.fetched, read.blob, read.letter.reason)
            for read in self.unreadable
            if isinstance(read.letter, Unreadable)
        ]

    def places(self) -> list[Place]:
        reads = [*(read for group in self.fresh.values() for read in group), *self.again]
        return [Place(read.fetched, self.known[read.blob], self._received_at(read)) for read in reads]


def _tell(folder: Folder, mailbox: Mailbox, touched: set[int], *, count: int, initial: bool, more: bool) -> None:
    told = Conversation.objects.filter(pk__in=touched).order_by("-newest_at")[:MOST_CONVERSATIONS_TOLD]
    facts: dict[str, Any] = {name: True for name, is_so in (("initial", initial), ("more", more)) if is_so}
    record(
        "message.received",
        account=mailbox.account,
        topic=mailbox.topic,
        subject=f"folder:{folder.public_id}",
        conversations=list(told.values_list("public_id", flat=True)),
        count=count,
        **facts,
    )
