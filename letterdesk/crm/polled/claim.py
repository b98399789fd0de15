"""Who looks at a polled mailbox, and whether that look is still the one that counts (R30)."""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, connections
from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.utils import timezone

from letterdesk.mail.errors import MailError

from ..models import PolledMailbox, PolledState

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=2)  # so long nobody else looks, and longer while whoever does is alive:
RENEWED_EVERY = 30.0  # seconds
ANEW: Mapping[str, Combinable | None] = {"fence": F("fence") + 1, "leased_until": None}  # ends a look under way


@dataclass(slots=True)
class Looked:
    """What a look brought: how many letters were new, and whether there are more; crowded: not before others had
    their turn, for too many wait here already."""

    letters: int = 0
    is_whole: bool = True
    is_crowded: bool = False


class PutAside(Exception):
    """The server broke off in a letter that is waited for no more: the look ended, and the next goes on at once."""

    def __init__(self, error: MailError) -> None:
        super().__init__(str(error))
        self.error = error


class NotOurs(Exception):
    """The mailbox was paused, changed or disconnected meanwhile, or another look is ahead of this one."""


def due(now: datetime) -> Sequence[tuple[int, int]]:
    """Mailboxes whose turn it is and at which nobody looks, longest due first, each with its account: keys."""
    waiting = PolledMailbox.objects.filter(_is_free(now), account__closed_at=None)
    return list(waiting.order_by("due_at", "pk").values_list("pk", "account_id"))


def claim(mailbox_id: int, *, now: datetime) -> PolledMailbox | None:
    """The mailbox, if it is due and nobody else looks at it; nobody does from now on, until the lease is over."""
    mine = PolledMailbox.objects.filter(_is_free(now), pk=mailbox_id)
    mailbox: PolledMailbox | None = mine.filter(account__closed_at=None).select_related("account").first()
    if mailbox is None:
        return None
    if not mine.filter(fence=mailbox.fence).update(fence=F("fence") + 1, leased_until=now + LEASE):
        return None
    mailbox.fence += 1
    return mailbox


def held(mailbox: PolledMailbox) -> PolledMailbox:
    """The mailbox, locked, as long as this look counts. Inside the caller's transaction. Raises NotOurs."""
    locked = PolledMailbox.objects.select_for_update(no_key=True)
    found = locked.filter(pk=mailbox.pk, state=PolledState.CONNECTED, fence=mailbox.fence)
    row: PolledMailbox | None = found.first()
    if row is None:
        raise NotOurs
    return row


@contextmanager
def keeping(mailbox: PolledMailbox) -> Iterator[None]:
    """Nobody else looks inside the block, however long it takes, unless this process dies. Never in a transaction."""
    is_over = threading.Event()
    renewing = threading.Thread(target=_renew, args=(mailbox, is_over), name=f"lease-{mailbox.pk}", daemon=True)
    renewing.start()
    try:
        yield
    finally:
        is_over.set()
        renewing.join()


def _renew(mailbox: PolledMailbox, is_over: threading.Event) -> None:
    while not is_over.wait(RENEWED_EVERY):
        ours = PolledMailbox.objects.filter(pk=mailbox.pk, state=PolledState.CONNECTED, fence=mailbox.fence)
        try:
            if not ours.update(leased_until=timezone.now() + LEASE):
                return
        except DatabaseError as error:  # the next one may be in time
            logger.warning("The lease of polled mailbox %s cannot be renewed: %s", mailbox.pk, type(error).__name__)
        finally:
            connections.close_all()


def give_back(mailbox_ids: Sequence[int]) -> None:
    """Whoever looks at these is overtaken: what it keeps from now on is refused, and somebody else may look."""
    PolledMailbox.objects.filter(pk__in=mailbox_ids, state=PolledState.CONNECTED).update(**ANEW)


def _is_free(now: datetime) -> Q:
    nobody = Q(leased_until=None) | Q(leased_until__lte=now)
    return Q(state=PolledState.CONNECTED, due_at__lte=now) & nobody
