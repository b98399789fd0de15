"""One folder, examined without believing what its cursor says: UIDs, flags, sizes and bytes (A05, A28)."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.errors import ServerSaysNo
from letterdesk.mail.letters import Fetched
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes.columns import canonical, flags_of
from letterdesk.mailboxes.models import Folder, PendingChange, Placement

from . import compare, state
from .ledger import Ledger, ledger_of
from .passing import Pass
from .visit import Visit

FLAGS = 500  # letters, the newest ones and some by chance, whose flags are compared
RAWS = 50  # letters whose bytes must be there


@dataclass(slots=True)
class Finding:
    """What an audit found in one folder. Empty sets and False: nothing."""

    folder: Folder
    missing: UidSet = field(default_factory=UidSet)
    extra: UidSet = field(default_factory=UidSet)
    flags: UidSet = field(default_factory=UidSet)
    others: bool = False  # UIDs mean other letters (A05)
    bytes_missing: UidSet = field(default_factory=UidSet)
    unsure: str = ""  # why nothing could be concluded
    repaired: bool = False
    ledger: Ledger | None = None

    @property
    def is_clean(self) -> bool:
        """Whether copy and server agree."""
        return not (self.missing or self.extra or self.flags or self.others or self.bytes_missing)

    def as_facts(self) -> dict[str, int]:
        """Counts of what was found, for events and the ledger."""
        counts = {
            "missing": len(self.missing),
            "extra": len(self.extra),
            "flags": len(self.flags),
            "other_letters": int(self.others),
            "bytes_missing": len(self.bytes_missing),
        }
        return {name: count for name, count in counts.items() if count}

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "folder": self.folder.name,
            "clean": self.is_clean,
            "repaired": self.repaired,
            "unsure": self.unsure,
            "found": self.as_facts(),
            "missing": str(self.missing),
            "extra": str(self.extra),
            "ledger": self.ledger.as_json() if self.ledger else None,
        }


def examine(work: Pass, folder: Folder, *, repair: bool) -> Finding:
    """Compare a folder with the server, write down and tell what differs, and repair it if that is wished."""
    visit = Visit(work, folder)
    if visit.cursor.stalled_reason:
        _write_down(visit, Finding(folder))
        return Finding(folder, unsure=visit.cursor.stalled_reason, ledger=ledger_of(folder))
    try:
        found = _compare(visit)
        _write_down(visit, found)
        if repair and not found.is_clean and not found.unsure:
            _repair(visit, found)
    except ServerSaysNo as error:
        found = Finding(folder, unsure=error.text)
    found.ledger = ledger_of(folder)
    return found


def _compare(visit: Visit) -> Finding:
    found = Finding(visit.folder)
    selected = visit.work.connection.select(visit.folder.wire_name, readonly=True)
    if selected.uidvalidity != visit.cursor.uidvalidity:
        found.unsure = "The folder has a new identity; the next pass matches it."
        return found
    there = visit.work.connection.uids()
    was_settled, visit.cursor.settled = bool(visit.cursor.settled), {}  # count, do not believe
    ours = state.local_state(visit.folder, visit.cursor, visit.work.now)
    if len(there) != selected.exists:
        found.unsure = "The server contradicts itself about what is in this folder."
        return found
    below = UidSet.of_ranges([(1, max(ours.uidnext - 1, 1))])
    if was_settled:  # else letters that are still to come are not missing
        found.missing = (there & below) - ours.placed - ours.quarantined - ours.left_out
        found.extra = (ours.placed - ours.hidden) - there
    here = ours.placed & there
    found.flags = _wrong_flags(visit, here)
    found.others = bool(here) and not compare.means_the_same(visit, here)
    found.bytes_missing = _without_bytes(visit, here)
    return found


def _wrong_flags(visit: Visit, here: UidSet) -> UidSet:
    """Letters whose flags differ although nobody is changing them here."""
    if not here:
        return here
    some = next(here.newest_first(FLAGS // 2)) | UidSet(compare.some(here, FLAGS // 2))
    waiting = PendingChange.objects.filter(folder=visit.folder, state=PendingChange.State.WAITING).values("placement")
    placed = _placed(visit, list(some)).exclude(pk__in=waiting)
    ours = {one.uid: flags_of(one) for one in placed}
    told = visit.work.connection.flags(UidSet(ours))
    return UidSet(each.uid for each in told if ours[each.uid] != {canonical(flag) for flag in each.flags})


def _without_bytes(visit: Visit, here: UidSet) -> UidSet:
    """Letters whose raw bytes are not in the blob store."""
    placed = _placed(visit, compare.some(here, RAWS))
    account = visit.folder.account_id
    return UidSet(uid for uid, blob in placed.values_list("uid", "message__blob") if not blobs.exists(account, blob))


def _placed(visit: Visit, uids: list[int]) -> QuerySet[Placement]:
    return Placement.objects.filter(folder=visit.folder, uidvalidity=visit.cursor.uidvalidity or 0, uid__in=uids)


def _write_down(visit: Visit, found: Finding) -> None:
    cursor = visit.cursor
    cursor.refresh_from_db(fields=["settled"])
    with visit.work.transaction():
        cursor.audited_at, cursor.drift = visit.work.now, found.as_facts()
        cursor.save(update_fields=["audited_at", "drift"])
        if not found.is_clean:
            visit.work.record("folder.drift_found", visit.folder, **found.as_facts())
        reach("audit.before_commit")


def _repair(visit: Visit, found: Finding) -> None:
    """Let an ordinary visit look at everything: it fetches, takes flags and lets go by its own rules."""
    if found.bytes_missing:
        _fetch_bytes(visit, found.bytes_missing)
    with visit.work.transaction():
        visit.cursor.settled, visit.cursor.modseq = {}, 0
        visit.cursor.flags_checked_at = None
        visit.cursor.save(update_fields=["settled", "modseq", "flags_checked_at"])
    again = Visit(visit.work, visit.folder)
    again.reused = found.others
    again.run()
    again.finish()
    if found.others:  # everything was set aside, now it is fetched
        again = Visit(visit.work, visit.folder)
        again.run()
        again.finish()
    left = _compare(Visit(visit.work, visit.folder))
    found.repaired = left.is_clean and not left.unsure
    with visit.work.transaction():
        again.cursor.drift = left.as_facts()
        again.cursor.save(update_fields=["drift"])


def _fetch_bytes(visit: Visit, uids: UidSet) -> None:
    """The rows are here and the bytes are not: a lost disk, a restored backup. The same bytes come from the server."""
    for batch in visit.work.connection.letters(uids):
        blobs.put_many(visit.folder.account_id, [item.raw for item in batch if isinstance(item, Fetched)])
