"""What the steps of one pass over a mailbox share: whose it is, with which connection, when."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from letterdesk.events.record import record
from letterdesk.mail.imap import Connection
from letterdesk.mailboxes.models import Folder, Mailbox

from . import fence
from .report import FolderReport, Progress, Report, Watching


@dataclass(slots=True)
class Pass:
    """One pass. `fence` is of the lease; `now` in UTC; `reconnect` opens a second, fresh connection (P5)."""

    mailbox: Mailbox
    connection: Connection
    fence: int
    now: datetime
    reconnect: Callable[[], Connection]
    progress: Watching | None = None
    report: Report = field(default_factory=Report)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction in which only the holder of the lease writes."""
        with fence.guarded(self.mailbox, self.fence):
            yield

    def check(self) -> None:
        """Raise LeaseLost or PlanError where a transaction would be refused now."""
        with self.transaction():
            pass

    def about(self, folder: Folder) -> FolderReport:
        """The report on this folder, begun when it is first asked for."""
        for each in self.report.folders:
            if each.folder.pk == folder.pk:
                return each
        made = FolderReport(folder)
        self.report.folders.append(made)
        return made

    def tell(self, folder: Folder, held: int, wanted: int) -> None:
        """Show progress to whoever watches."""
        if self.progress is not None:
            self.progress(Progress(folder.name, held, wanted))

    def record(self, kind: str, folder: Folder, **facts: Any) -> None:
        """Record an event about a folder, inside the transaction."""
        record(
            kind,
            account=self.mailbox.account,
            topic=self.mailbox.topic,
            subject=f"folder:{folder.public_id}",
            **facts,
        )
