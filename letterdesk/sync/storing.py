"""Stores what was fetched: a transaction each batch, with the fence checked and the cursor moved in the same.

While a batch is stored, the next one is parsed and written to disk, and the one after that is read from the server.
A UID that was asked for ends in exactly one of: here, in quarantine, left out by rule, gone from the server, or
still to come. None is forgotten (P1).
"""

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import DatabaseError
from django.db.models import F

from letterdesk.lib.crashpoint import reach
from letterdesk.mail.errors import MailError
from letterdesk.mail.imap import NotHanded
from letterdesk.mail.letters import Fetched
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes import preparing, quarantine, receive
from letterdesk.mailboxes.collect import StaleBatch

from . import state
from .fetch import BATCH, Arrived, Order, arrivals, newest_first
from .models import FolderCursor

if TYPE_CHECKING:
    from .visit import Visit

AHEAD = 1  # batches that are parsed and written to disk while one is stored
STRIKES = 1  # a process that died so often over the same letters takes them one by one (G14)
ONE_BY_ONE = 260  # letters, about the first two batches: the one that kills is among them


@dataclass(slots=True)
class Batch:
    """Letters on their way into the store."""

    letters: list[Fetched]
    not_handed: list[NotHanded]
    prepared: "Future[receive.Prepared] | None"


def fetch(visit: "Visit", uids: UidSet, *, initial: bool) -> None:
    """Fetch these letters, newest first, and store them. Raises MailError; what was fetched before is stored."""
    rest = uids - _take_suspects_out(visit)
    careful = visit.cursor.strikes > STRIKES
    _begin(visit)
    try:
        if careful:
            first = next(rest.newest_first(ONE_BY_ONE), UidSet())
            _one_by_one(visit, first, initial=initial)
            rest -= first
        answered = _fetch(visit, rest, initial=initial)
        _ask_again(visit, rest - answered, initial=initial)
    except MailError:
        FolderCursor.objects.filter(pk=visit.cursor.pk).update(strikes=0)  # a lost line is no strike
        raise


def _fetch(visit: "Visit", uids: UidSet, *, initial: bool) -> UidSet:
    """The pipeline; returns the UIDs that the server said anything about."""
    answered: list[int] = []
    waiting: deque[Batch] = deque()
    if len(uids) > BATCH:
        preparing.warm()
    try:
        for arrived in arrivals(visit.work.connection, newest_first(uids)):
            waiting.append(_prepare(visit, arrived))
            if len(waiting) > AHEAD or not answered:  # the first one at once: it is what people wait for
                batch = waiting.popleft()
                _store(visit, batch, initial=initial, more=bool(waiting))
            answered += arrived.uids
    except MailError:
        _store_all(visit, waiting, initial=initial)
        raise
    _store_all(visit, waiting, initial=initial)
    return UidSet(answered)


def _store_all(visit: "Visit", waiting: "deque[Batch]", *, initial: bool) -> None:
    while waiting:
        batch = waiting.popleft()
        _store(visit, batch, initial=initial, more=bool(waiting))


def _prepare(visit: "Visit", arrived: Arrived) -> Batch:
    if not arrived.letters:
        return Batch([], arrived.not_handed, None)
    prepared = receive.start(visit.folder, arrived.letters, now=visit.work.now, hashes=arrived.hashes)
    return Batch(arrived.letters, arrived.not_handed, prepared)


def _store(visit: "Visit", batch: Batch, *, initial: bool, more: bool = False) -> None:
    prepared = _finished(visit, batch)
    try:
        receipt = _write(visit, batch, prepared, initial=initial, more=more)
    except StaleBatch:  # the process slept for half an hour
        again = receive.prepare(visit.folder, batch.letters, now=visit.work.now)
        receipt = _write(visit, batch, again, initial=initial, more=more)
    reach("pull.batch.committed")
    visit.report.stored += len(receipt.placed)
    visit.reused |= bool(receipt.conflicts)
    visit.fetched += len(batch.letters)
    visit.work.tell(visit.folder, visit.held + visit.fetched, visit.wanted)


def _finished(visit: "Visit", batch: Batch) -> receive.Prepared:
    """Wait for the preparation. A letter on which it fails is set aside; it does not hold up the others (G14)."""
    if batch.prepared is None:
        return receive.Prepared(())
    try:
        return batch.prepared.result()
    except (OSError, DatabaseError):
        raise  # the disk or the database: not the letters' fault
    except Exception as error:
        return _without_poison(visit, batch, type(error).__name__)


def _without_poison(visit: "Visit", batch: Batch, error: str) -> receive.Prepared:
    good = []
    for letter in batch.letters:
        try:
            receive.prepare(visit.folder, [letter], now=visit.work.now)
        except (OSError, DatabaseError):
            raise
        except Exception:
            batch.not_handed.append(_unreadable(letter, f"It could not be read ({error})."))
        else:
            good.append(letter)
    batch.letters = good
    return receive.prepare(visit.folder, good, now=visit.work.now) if good else receive.Prepared(())


def _unreadable(letter: Fetched, reason: str) -> NotHanded:
    return NotHanded(letter.uid, reason, size=len(letter.raw), internal_date=letter.internal_date)


def _write(visit: "Visit", batch: Batch, prepared: receive.Prepared, *, initial: bool, more: bool) -> receive.Receipt:
    folder, cursor, now = visit.folder, visit.cursor, visit.work.now
    uidvalidity = cursor.uidvalidity or 0
    with visit.work.transaction():
        receipt = receive.store(
            folder, prepared, uidvalidity=uidvalidity, now=now, cutoff=visit.cutoff, initial=initial, more=more
        )
        if batch.not_handed:
            quarantine.not_handed(folder, batch.not_handed, uidvalidity=uidvalidity, now=now)
        _leave_out(cursor, refused=receipt.refused, too_old=receipt.too_old)
        cursor.strikes, cursor.suspect = 0, ""
        cursor.save(update_fields=["left_out", "strikes", "suspect"])
        reach("pull.batch.before_commit")
    return receipt


def _leave_out(cursor: FolderCursor, **more: UidSet) -> None:
    sets = state.left_out(cursor)
    state.keep_left_out(cursor, sets | {reason: sets.get(reason, UidSet()) | uids for reason, uids in more.items()})


def _ask_again(visit: "Visit", unanswered: UidSet, *, initial: bool) -> None:
    """The server said nothing about these. Gone meanwhile, or it hides them (A28): then they are counted as such."""
    if not unanswered:
        return
    unanswered -= _fetch(visit, unanswered, initial=initial)
    if not unanswered:
        return
    there = UidSet(summary.uid for summary in visit.work.connection.envelopes(unanswered)) & unanswered
    silent = [NotHanded(uid, "The server has this letter and does not hand it out.") for uid in there]
    cursor = visit.cursor
    with visit.work.transaction():
        if silent:
            quarantine.not_handed(visit.folder, silent, uidvalidity=cursor.uidvalidity or 0, now=visit.work.now)
        _forget(cursor, unanswered - there)
        cursor.strikes = 0
        cursor.save(update_fields=["server_uids", "expected", "strikes"])
        reach("pull.silent.before_commit")


def _forget(cursor: FolderCursor, gone: UidSet) -> None:
    """Neither fetched nor summarised on a second request: expunged before we had them (A09)."""
    known = UidSet.parse(cursor.server_uids) - gone
    cursor.server_uids, cursor.expected = str(known), len(known)


# Letters that kill the process (G14) --------------------------------------------------------------------------------


def _begin(visit: "Visit") -> None:
    """Count this attempt before it is made; the first batch that is stored takes the count back."""
    with visit.work.transaction():
        visit.cursor.strikes += 1
        FolderCursor.objects.filter(pk=visit.cursor.pk).update(strikes=F("strikes") + 1)


def _take_suspects_out(visit: "Visit") -> UidSet:
    """Into quarantine with the letter over which the process died while it was taken one by one."""
    suspects = UidSet.parse(visit.cursor.suspect)
    if not suspects:
        return suspects
    items = [NotHanded(uid, "Reading this letter ended the program.") for uid in suspects]
    with visit.work.transaction():
        quarantine.not_handed(visit.folder, items, uidvalidity=visit.cursor.uidvalidity or 0, now=visit.work.now)
        visit.cursor.suspect, visit.cursor.strikes = "", 0
        visit.cursor.save(update_fields=["suspect", "strikes"])
    return suspects


def _one_by_one(visit: "Visit", uids: UidSet, *, initial: bool) -> None:
    for arrived in arrivals(visit.work.connection, [Order(uids.newest_first(1), 1)]):
        with visit.work.transaction():
            visit.cursor.suspect = str(UidSet(arrived.uids))
            visit.cursor.save(update_fields=["suspect"])
        _store(visit, _prepare(visit, arrived), initial=initial)
