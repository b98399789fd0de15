"""Is our copy what lies on the server? Asked afresh, without believing what the cursor says (A28, hard rule 5).

    audit_once(mailbox)                 with a lease and a connection of its own: command line, nightly job
    audit_mailbox(mailbox, connection)  where both are there already

First an ordinary pass brings the copy up to date by its own lights. Then each folder's UIDs are asked for anew and
compared with the rows, and flags, sizes and bytes of some letters with what the server has. What differs is drift:
told in an event, shown in the ledger, and repaired: what is missing is fetched, what is too much goes the way of
everything that is gone from the server, behind the brake.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Connection
from letterdesk.mailboxes.models import Mailbox

from . import once
from .examine import Finding, examine
from .passes import sync_mailbox, work_on


@dataclass(slots=True)
class AuditReport:
    """All folders. `agrees`: nothing is wrong any more, whether it was found so or repaired."""

    findings: list[Finding] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return all(each.is_clean for each in self.findings)

    @property
    def agrees(self) -> bool:
        return all((each.is_clean or each.repaired) and not each.unsure for each in self.findings)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        folders = [each.as_json() for each in self.findings]
        return {"agrees": self.agrees, "clean": self.is_clean, "folders": folders}


def audit_once(
    mailbox: Mailbox,
    *,
    guard: Guard | None = None,
    now: datetime | None = None,
    repair: bool = True,
    timeout: float = 30,
) -> AuditReport:
    """Audit with a lease and a connection of its own. Raises as `sync_once` does."""

    def audit(connection: Connection, fence: int, at: datetime, reconnect: Callable[[], Connection]) -> AuditReport:
        return audit_mailbox(mailbox, connection, fence=fence, now=at, repair=repair, reconnect=reconnect)

    return once.holding(mailbox, audit, guard=guard, now=now or timezone.now(), timeout=timeout)


def audit_mailbox(
    mailbox: Mailbox,
    connection: Connection,
    *,
    fence: int,
    now: datetime,
    repair: bool = True,
    reconnect: Callable[[], Connection] | None = None,
) -> AuditReport:
    """Bring the copy up to date, compare every folder with the server, and repair. Raises MailError, LeaseLost."""
    sync_mailbox(mailbox, connection, fence=fence, now=now, reconnect=reconnect)
    work = work_on(mailbox, connection, fence=fence, now=now, reconnect=reconnect)
    report = AuditReport()
    for folder in mailbox.folders.filter(gone_at=None, is_selectable=True, is_on=True).order_by("name", "pk"):
        folder.mailbox = mailbox
        report.findings.append(examine(work, folder, repair=repair))
    return report
