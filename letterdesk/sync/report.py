"""What a pass did: for the command line, the tests and the process that watches."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from letterdesk.mailboxes.models import Folder

from .ledger import Ledger


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a folder is: letters here, and letters that the server has (those left out by rule not counted)."""

    folder: str
    held: int
    wanted: int


Watching = Callable[[Progress], None]


@dataclass(slots=True)
class FolderReport:
    """What happened in one folder. `unsettled` says in words why it must be looked at again; empty: all is well."""

    folder: Folder
    visited: bool = False
    stored: int = 0
    changed: int = 0
    removed: int = 0
    unsettled: str = ""
    ledger: Ledger | None = None

    @property
    def did_something(self) -> bool:
        return bool(self.stored or self.changed or self.removed)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "folder": self.folder.name,
            "stored": self.stored,
            "changed": self.changed,
            "removed": self.removed,
            "unsettled": self.unsettled,
            "ledger": self.ledger.as_json() if self.ledger else None,
        }


@dataclass(slots=True)
class Report:
    """What happened in a mailbox. `agrees`: every folder is settled and its ledger balanced, nothing waits."""

    folders: list[FolderReport] = field(default_factory=list)
    pushed: int = 0  # intentions that were carried out
    waiting: int = 0  # intentions that are due and were not
    failed: int = 0  # intentions that the server refused for good, in this pass

    @property
    def stored(self) -> int:
        return sum(each.stored for each in self.folders)

    @property
    def changed(self) -> int:
        return sum(each.changed for each in self.folders)

    @property
    def removed(self) -> int:
        return sum(each.removed for each in self.folders)

    @property
    def did_something(self) -> bool:
        """Whether anything was stored, changed, removed or sent; False: the mailbox is quiet."""
        return self.pushed > 0 or any(each.did_something for each in self.folders)

    @property
    def agrees(self) -> bool:
        """Whether server and copy agree, as far as this pass has seen."""
        ledgers = [each.ledger for each in self.folders if each.ledger is not None]
        settled = not any(each.unsettled for each in self.folders)
        return settled and not self.waiting and all(ledger.balanced for ledger in ledgers)

    def add(self, earlier: "Report") -> None:
        """Take in the counts of an earlier pass over the same folders."""
        before = {each.folder.pk: each for each in earlier.folders}
        for each in self.folders:
            if (was := before.get(each.folder.pk)) is not None:
                each.stored += was.stored
                each.changed += was.changed
                each.removed += was.removed
        self.pushed += earlier.pushed
        self.failed += earlier.failed

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "agrees": self.agrees,
            "stored": self.stored,
            "changed": self.changed,
            "removed": self.removed,
            "pushed": self.pushed,
            "waiting": self.waiting,
            "failed": self.failed,
            "folders": [each.as_json() for each in self.folders],
        }
