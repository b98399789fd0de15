"""Stores a letter of ours on the server: exactly one copy, whatever happens to the answer (A15, A16)."""

from collections.abc import Callable
from datetime import UTC, datetime

from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.imap import Status
from letterdesk.mail.letters import Fetched
from letterdesk.mailboxes import receive
from letterdesk.mailboxes.models import PendingChange

from . import find, push_move
from .passing import Pass


def send_append(work: Pass, run: list[PendingChange]) -> None:
    """Append one letter. Before a second attempt the folder is searched for the first one's copy."""
    [change] = run
    raw = blobs.get(change.account_id, change.detail["blob"])
    place = append_once(work, change, raw)
    _take_note(work, change, raw, place)


def append_once(work: Pass, change: PendingChange, raw: bytes) -> tuple[int, int] | None:
    """Append it unless an earlier attempt has; (UIDVALIDITY, UID) as far as it is known."""
    if change.folder.is_wanted:
        push_move.create(work, change.folder)
    place = _already_there(work, change, raw)
    if place is None:
        _journal(work, change, work.connection.status(change.folder.wire_name))
        reach("push.append.before_send")
        flags = frozenset(change.detail.get("flags", []))
        told = work.connection.append(change.folder.wire_name, raw, flags=flags, internal_date=_date(change))
        reach("push.append.sent")
        place = told if told is not None else _already_there(work, change, raw)
    return place


def _already_there(work: Pass, change: PendingChange, raw: bytes) -> tuple[int, int] | None:
    """(UIDVALIDITY, UID) of the copy that an earlier attempt made; None: there was none, or it is not there."""
    before = change.detail.get("before")
    if before is None:
        return None
    selected = work.connection.select(change.folder.wire_name, readonly=True)
    since = before["uidnext"] if before["uidvalidity"] == selected.uidvalidity else 1
    uid = find.copy_of(work.connection, raw, since=since)
    return None if uid is None else (selected.uidvalidity, uid)


def _journal(work: Pass, change: PendingChange, status: Status) -> None:
    """Written before the letter is sent: from where on a copy would lie."""
    change.detail["before"] = {"uidvalidity": status.uidvalidity, "uidnext": status.uidnext or 1}
    change.attempts += 1
    with work.transaction():
        change.save(update_fields=["detail", "attempts"])
        reach("push.append.before_journal")


def _date(change: PendingChange) -> datetime:
    text = change.detail.get("internal_date")
    return datetime.fromisoformat(text).astimezone(UTC) if text else change.created_at


def _take_note(work: Pass, change: PendingChange, raw: bytes, place: tuple[int, int] | None) -> None:
    """The letter gets its place where the server told it; else the next pull finds it by its bytes."""
    store = prepare(work, change, raw, place)
    with work.transaction():
        store()
        change.delete()
        reach("push.append.before_commit")
    reach("push.append.committed")


def prepare(work: Pass, change: PendingChange, raw: bytes, place: tuple[int, int] | None) -> Callable[[], object]:
    """What is to be called inside a transaction, so that the letter has its place here."""
    folder = change.folder
    if place is None or place[0] != folder.uidvalidity:
        return lambda: None
    letter = Fetched(place[1], raw, _date(change), frozenset(change.detail.get("flags", [])))
    prepared = receive.prepare(folder, [letter], now=work.now)
    return lambda: receive.store(folder, prepared, uidvalidity=place[0], now=work.now, initial=True)
