"""An account, and a mailbox on a server of the rig that is polled for its CRM alone (R30)."""

import re
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from letterdesk.accounts.models import Account
from letterdesk.crm.models import PolledFolder, PolledMailbox
from letterdesk.crm.polled import connect as polled
from letterdesk.crm.polled.claim import Looked
from letterdesk.crm.polled.turn import take_turn
from letterdesk.intake.models import Arrived
from letterdesk.lib import blobs
from letterdesk.mail.headers import read_head
from letterdesk.mail.imap_types import Login

from .boxes import letter
from .commands import Command
from .liar import Liar, Session

ADDRESS = "sales@acme.example"


class Polled:
    """`server` has `host` and `port`; `later`: how far its clock is ahead of ours."""

    mailbox: PolledMailbox

    def __init__(self, server: Any, user: Any, account: Account) -> None:
        self.server, self.user, self.account, self.later = server, user, account, timedelta(0)
        self.admin = account.employees.get()

    @property
    def now(self) -> datetime:
        return timezone.now() + self.later

    def at(self, password: str = "secret") -> Login:
        """How one signs in there."""
        return Login(self.server.host, self.server.port, "none", self.user.name, password)

    def connect(self, **more: Any) -> "Polled":
        """Connect the mailbox; `more` as in `polled.connect`."""
        self.mailbox = polled.connect(ADDRESS, self.at(), by=self.admin, now=self.now, **more)
        return self

    def look(self) -> Looked:
        """Look at it at once, whatever the clock and whoever looks."""
        PolledMailbox.objects.filter(pk=self.mailbox.pk).update(due_at=self.now, leased_until=None)
        found = take_turn(self.mailbox.pk, now=self.now)
        self.mailbox.refresh_from_db()
        return found

    def folder(self) -> PolledFolder:
        """Its inbox."""
        found: PolledFolder = PolledFolder.objects.get(mailbox=self.mailbox, role="inbox")
        return found

    def kept(self) -> list[int]:
        """The numbers of the rig's letters that were taken in, each as often as it was."""
        rows = Arrived.objects.filter(account=self.account)
        subjects = [read_head(blobs.get(self.account.pk, each.blob)).first("subject").decode() for each in rows]
        return sorted(int(subject.split()[-1]) for subject in subjects)


class OnLiar(Polled):
    """A mailbox on an invented server."""

    def come(self, *numbers: int, date: datetime | None = None, uid: int | None = None) -> None:
        """These letters come to the inbox."""
        for number in numbers:
            self.server.inbox.add(letter(number), date=date or self.now, uid=uid)


class Dripping(Liar):
    """Hands out letter 3 so slowly that it never ends, and never so slowly that it is silent; while it `strikes`."""

    strikes = True

    def alter(self, session: Session, command: Command | None, chunk: bytes) -> bytes | None:
        if self.strikes and b"BODY[]" in chunk and re.search(rb"\(UID 3 ", chunk):
            session.drip(chunk + b"x" * 100_000, pause=0.01)
        return chunk
