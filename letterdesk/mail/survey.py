"""What a mailbox holds before anything is fetched: its folders, and how many letters each depth would bring (R21)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from time import monotonic

from letterdesk.mail.errors import ServerSaysNo
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Connection, Login, RemoteFolder, Summary
from letterdesk.mail.uidset import UidSet

EXACT_AT_MOST = 5000  # letters of a folder whose dates and sizes are asked for one by one
SAMPLE = 300  # letters by which the size of the others is judged
PATIENCE = 10.0  # seconds for each answer
WITHIN = 60.0  # seconds for all: a person waits


@dataclass(frozen=True, slots=True)
class Amount:
    """So many letters, of so many bytes together; the bytes are exact in small folders, else judged by a sample."""

    letters: int = 0
    size: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(self.letters + other.letters, self.size + other.size)


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A folder. `amounts`: depth in days (None: everything) → what it would bring; empty: not counted."""

    folder: RemoteFolder
    letters: int | None = None
    amounts: dict[int | None, Amount] = field(default_factory=dict)


def survey(
    login: Login, guard: Guard, *, depths: Sequence[int | None], now: datetime, seconds: float = 8.0
) -> list[Surveyed]:
    """Look at every folder, count for each depth, change nothing. After `seconds` the other folders are only listed.

    Raises MailError when the server cannot be asked at all.
    """
    with Connection.open(login, guard, timeout=PATIENCE, within=WITHIN) as connection:
        ends_at = monotonic() + seconds
        folders = connection.folders()
        statuses = connection.statuses([one.wire_name for one in folders if one.selectable])
        found = []
        for one in sorted(folders, key=lambda folder: folder.role != "inbox"):
            status = statuses.get(one.wire_name)
            letters = status.messages if status else None
            in_time = one.selectable and monotonic() < ends_at
            found.append(Surveyed(one, letters, _count(connection, one, depths, now) if in_time else {}))
        connection.logout()
    return found


def _count(
    connection: Connection, folder: RemoteFolder, depths: Sequence[int | None], now: datetime
) -> dict[int | None, Amount]:
    try:
        connection.select(folder.wire_name, readonly=True)
        uids = connection.uids(since=_since(depths, now))
        if len(uids) <= EXACT_AT_MOST:
            letters = list(connection.envelopes(uids)) if uids else []
            return {depth: _exactly(letters, depth, now) for depth in depths}
        return _roughly(connection, uids, depths, now)
    except ServerSaysNo:  # this folder is not for reading
        return {}


def _since(depths: Sequence[int | None], now: datetime) -> date | None:
    """The day before the deepest depth begins, in whatever time zone the server counts; None: everything."""
    days = [depth for depth in depths if depth is not None]
    return None if len(days) < len(depths) else now.date() - timedelta(days=max(days) + 1)


def _exactly(letters: Sequence[Summary], depth: int | None, now: datetime) -> Amount:  # R21
    wanted = [each for each in letters if depth is None or now < each.internal_date + timedelta(hours=24 * depth)]
    return Amount(len(wanted), sum(each.size for each in wanted))


def _roughly(
    connection: Connection, uids: UidSet, depths: Sequence[int | None], now: datetime
) -> dict[int | None, Amount]:
    newest = next(uids.newest_first(SAMPLE))
    sizes = [each.size for each in connection.envelopes(newest)]
    average = sum(sizes) / max(len(sizes), 1)
    amounts = {}
    for depth in depths:
        count = len(connection.uids(since=None if depth is None else now.date() - timedelta(days=depth)))
        amounts[depth] = Amount(count, round(count * average))
    return amounts
