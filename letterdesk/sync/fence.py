"""No write of a process that has lost its lease: every transaction of the sync begins here."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import F

from letterdesk.mailboxes.models import Mailbox, MailboxState
from letterdesk.plans.limits import hold_still, require

from .lease import LeaseLost
from .models import Lease

KEPT_IN_STEP = (MailboxState.CONNECTED, MailboxState.FAILING)


def check(mailbox: Mailbox, fence: int) -> None:
    """Raise LeaseLost when another process has taken the mailbox, or when it was paused, suspended or disconnected,
    or its account closed.

    Also when it was resumed since `mailbox` was read: what a pass of before has seen is judged by what no longer holds
    (R10, R13). Called inside a transaction: the row stays locked until its end, so nobody takes over in between.
    """
    mine = Lease.objects.filter(mailbox=mailbox, fence=fence, mailbox__state__in=KEPT_IN_STEP)
    mine = mine.filter(mailbox__account__closed_at=None)  # its deletion was asked for: nothing is stored or sent
    if mine.filter(mailbox__times_resumed=mailbox.times_resumed).update(fence=F("fence")) != 1:
        raise LeaseLost(f"{mailbox.public_id}: fence {fence} is no longer valid")


@contextmanager
def guarded(mailbox: Mailbox, fence: int) -> Iterator[None]:
    """A transaction of the holder of this fence. Raises LeaseLost, and NotInPlan when the plan has ended (R11)."""
    with transaction.atomic():
        check(mailbox, fence)
        hold_still(mailbox.account)
        require(mailbox.account, integration=True)  # R11: from that second nothing that is fetched is stored
        yield
        require(mailbox.account, integration=True)  # the clock has gone on; what it has ended is not committed
