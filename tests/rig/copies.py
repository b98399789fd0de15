"""A mailbox of ours and the server that it copies, side by side: what nearly every sync test needs.

def test_it(connected, invent):
    copy = connected(invent(FlippingValidity))
    copy.sync()
    assert copy.uids() == [1, 2, 3]
    copy.agrees()                      # the oracle finds no difference
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from letterdesk.lib import blobs
from letterdesk.mailboxes.models import Folder, Mailbox, Message, Placement, Quarantined
from letterdesk.sync.once import sync_once
from letterdesk.sync.report import Report

from .dovecot import User
from .oracle import Truth, differences, fingerprint, flags_of, truth_of


class Copy:
    """`server` is a Dovecot, a StandIn or a Liar; `through` what the mailbox connects to, if something is between."""

    def __init__(self, server: Any, user: User, mailbox: Mailbox) -> None:
        self.server, self.user, self.mailbox = server, user, mailbox
        self.later = timedelta()  # how far our clock is ahead

    # Doing ----------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return timezone.now() + self.later

    def sync(self, *, timeout: float = 5) -> Report:
        """One `sync_once`, with a short time-out for servers that fall silent."""
        self.mailbox.refresh_from_db()
        return sync_once(self.mailbox, now=self.now, timeout=timeout)

    def settle(self, *, passes: int = 3) -> Report:
        """Sync until it says that both sides agree, at most `passes` times."""
        for _ in range(passes):
            report = self.sync()
            if report.agrees:
                return report
        return report

    # Looking --------------------------------------------------------------------------------------------------------

    def folder(self, name: str = "INBOX") -> Folder:
        """Our folder of that name on the wire."""
        return self.mailbox.folders.get(wire_name=name, gone_at=None)

    def placements(self, name: str = "INBOX") -> list[Placement]:
        """What a reader sees in a folder, by UID."""
        shown = Placement.objects.shown().filter(folder=self.folder(name)).select_related("message")
        return list(shown.order_by("uid"))

    def uids(self, name: str = "INBOX") -> list[int]:
        """UIDs in a folder as a reader sees it."""
        return [each.uid for each in self.placements(name)]

    def flags(self, uid: int, name: str = "INBOX") -> set[str]:
        """The flags of one letter."""
        return set(flags_of(next(each for each in self.placements(name) if each.uid == uid)))

    def subjects(self, name: str = "INBOX") -> list[str]:
        """Subjects in a folder, by UID."""
        return [each.message.subject for each in self.placements(name)]

    def messages(self) -> list[Message]:
        """All letters of the mailbox."""
        return list(Message.objects.filter(mailbox=self.mailbox).order_by("pk"))

    def raw(self, uid: int, name: str = "INBOX") -> bytes:
        """The bytes of one letter as we keep them."""
        message = next(each for each in self.placements(name) if each.uid == uid).message
        return blobs.get(self.mailbox.account_id, message.blob)

    def quarantined(self, name: str = "INBOX") -> dict[int, str]:
        """UID → reason of what is set aside in a folder."""
        rows = Quarantined.objects.filter(folder=self.folder(name))
        return dict(rows.values_list("uid", "reason"))

    def truth(self) -> Truth:
        """What lies on the server, read by another client."""
        return truth_of(self.server, self.user)

    def differences(self) -> list[str]:
        """What the oracle finds."""
        return differences(self.mailbox, self.truth())

    def agrees(self) -> None:
        """Fail unless the oracle finds nothing."""
        found = self.differences()
        assert not found, "\n".join(found)

    def agrees_and_stays(self) -> None:
        """The oracle finds nothing, and another sync changes nothing (P2)."""
        self.agrees()
        self.stays()

    def stays(self) -> None:
        """Fail if another sync changes anything (P2)."""
        before = fingerprint(self.mailbox)
        assert not self.sync().did_something
        assert fingerprint(self.mailbox) == before

    def deliver(self, raws: Iterable[bytes], *, folder: str = "INBOX", **facts: Any) -> list[int]:
        """Put letters on the server."""
        return [self.server.deliver(self.user, raw, folder=folder, **facts) for raw in raws]
