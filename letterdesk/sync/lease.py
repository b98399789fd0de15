"""One mailbox, one process: taking, prolonging and giving back a lease, by the database's clock.

The process that watches many does this in bulk (`claims.py`); this is for a single pass (command line, jobs, tests).
"""

from datetime import timedelta

from django.db.models import F, Q
from django.db.models.functions import Now

from letterdesk.mailboxes.models import Mailbox

from .models import Lease


class LeaseLost(Exception):
    """Another process has the mailbox now, or it is no longer kept in step. Nothing of the transaction stays."""


def acquire(mailbox: Mailbox, *, holder: str, seconds: float = 30) -> int | None:
    """Take the mailbox if it is free, or prolong it if `holder` has it; returns the fence, None: another has it."""
    Lease.objects.get_or_create(mailbox=mailbox, defaults={"account_id": mailbox.account_id})
    lease = Lease.objects.filter(mailbox=mailbox)
    until = Now() + timedelta(seconds=seconds)
    if lease.filter(holder=holder, expires_at__gt=Now()).update(expires_at=until) != 1:
        free = lease.filter(Q(expires_at=None) | Q(expires_at__lt=Now()))
        if free.update(holder=holder, fence=F("fence") + 1, expires_at=until) != 1:
            return None
    return lease.filter(holder=holder).values_list("fence", flat=True).first()


def renew(mailbox: Mailbox, fence: int, *, seconds: float = 30) -> None:
    """Prolong; raises LeaseLost when another has taken it."""
    until = Now() + timedelta(seconds=seconds)
    if Lease.objects.filter(mailbox=mailbox, fence=fence).update(expires_at=until) != 1:
        raise LeaseLost(f"{mailbox.public_id}: fence {fence} is no longer valid")


def release(mailbox: Mailbox, fence: int) -> None:
    """Give back at once, so that another need not wait for the end of the lease."""
    Lease.objects.filter(mailbox=mailbox, fence=fence).update(holder="", expires_at=None)
