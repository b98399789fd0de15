"""The ledger of a folder: expected on the server = held + in quarantine + left out by rule + still to come.

The numbers are counted out of UID sets, each UID once, so they add up by construction. `drift` is what does not fit:
letters here whose UID the server does not have (the brake holds them back), or a server that contradicts itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes.models import Folder, Mailbox, Placement, Quarantined

from .models import FolderCursor


@dataclass(frozen=True, slots=True)
class Ledger:
    """Counts of letters. `left_out` by reason: "too_old", "refused" (deleted here for good), "folder_off"."""

    expected: int = 0
    held: int = 0
    quarantined: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    pending: int = 0
    drift: int = 0
    note: str = ""  # why the folder does not move on, in words

    @property
    def adds_up(self) -> bool:
        """Whether every letter on the server is accounted for."""
        return self.expected == self.held + self.quarantined + sum(self.left_out.values()) + self.pending

    @property
    def balanced(self) -> bool:
        """Whether nothing is still to come and nothing is here that should not be."""
        return self.adds_up and not self.pending and not self.drift

    def __add__(self, other: "Ledger") -> "Ledger":
        reasons = {*self.left_out, *other.left_out}
        return Ledger(
            expected=self.expected + other.expected,
            held=self.held + other.held,
            quarantined=self.quarantined + other.quarantined,
            left_out={reason: self.left_out.get(reason, 0) + other.left_out.get(reason, 0) for reason in reasons},
            pending=self.pending + other.pending,
            drift=self.drift + other.drift,
        )

    def as_json(self) -> dict[str, Any]:
        """For exports and `--json`."""
        return {
            "expected": self.expected,
            "held": self.held,
            "quarantined": self.quarantined,
            "left_out": self.left_out,
            "pending": self.pending,
            "drift": self.drift,
            "balanced": self.balanced,
            "note": self.note,
        }


def ledger_of(folder: Folder) -> Ledger:
    """The ledger of one folder, counted now."""
    cursor = FolderCursor.objects.filter(folder=folder).first()
    return _count(folder, cursor)


def ledgers(mailbox: Mailbox) -> list[tuple[Folder, Ledger]]:
    """The ledger of every folder that is on the server, in the order of their names."""
    folders = mailbox.folders.filter(gone_at=None, is_selectable=True).select_related("cursor").order_by("name", "pk")
    return [(folder, _count(folder, getattr(folder, "cursor", None))) for folder in folders]


def total(counted: Sequence[tuple[Folder, Ledger]]) -> Ledger:
    """All folders together."""
    return sum((ledger for _, ledger in counted), Ledger())


def _count(folder: Folder, cursor: FolderCursor | None) -> Ledger:
    if cursor is None or cursor.uidvalidity is None:
        return Ledger(note="" if folder.is_on else "The folder is off.")
    server = UidSet.parse(cursor.server_uids)
    here = _uids(Placement, folder, cursor.uidvalidity, hidden_at=None)
    held, rest = here & server, server - here
    quarantined = _uids(Quarantined, folder, cursor.uidvalidity) & rest
    rest -= quarantined
    left_out: dict[str, int] = {}
    for reason, text in sorted(cursor.left_out.items()):
        of_reason = UidSet.parse(text) & rest
        rest -= of_reason
        if of_reason:
            left_out[reason] = len(of_reason)
    if not folder.is_on and rest:
        left_out["folder_off"] = len(rest)
        rest = UidSet()
    drift = len(here - server) + abs(cursor.expected - len(server))
    return Ledger(
        expected=cursor.expected,
        held=len(held),
        quarantined=len(quarantined),
        left_out=left_out,
        pending=len(rest) + max(0, cursor.expected - len(server)),
        drift=drift,
        note=_note(folder, cursor),
    )


def _uids(table: type[Placement] | type[Quarantined], folder: Folder, uidvalidity: int, **more: Any) -> UidSet:
    rows = table._default_manager.filter(folder=folder, uidvalidity=uidvalidity, uid__gt=0, **more)
    return UidSet(rows.values_list("uid", flat=True))


def _note(folder: Folder, cursor: FolderCursor) -> str:
    if cursor.stalled_reason:
        return cursor.stalled_reason
    if cursor.vanish_suspected_at is not None:
        return "The server says that most of this folder is gone. Letterdesk keeps it until that is certain."
    return "" if folder.is_on else "The folder is off."
