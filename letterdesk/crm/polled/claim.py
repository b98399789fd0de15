"""Who looks at a polled mailbox, and whether that look is still the one that counts (R30)."""

import logging
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connections
from django.db.models import Count, F, Q, QuerySet
from django.db.models.expressions import Combinable
from django.utils import timezone

from letterdesk.mail.errors import MailError

from ..models import PolledMailbox, PolledState

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=2)  # so long nobody else looks, and longer while whoever does is alive:
RENEWED_EVERY = 30.0  # seconds
SICK = 3  # mailboxes that fail, from which on all of their account are looked at as those that fail
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


@dataclass(frozen=True, slots=True)
class Due:
    """A mailbox whose turn it is: keys. `is_ailing`: its last look failed, or some of its account's mailboxes fail."""

    mailbox: int
    account: int
    is_ailing: bool


def next_due(
    now: datetime, *, busy: Collection[int] = (), full: Collection[int] = (), ailing: bool = True
) -> Due | None:
    """The mailbox that is longest due and at which nobody looks. Not one of `busy`, which are mailboxes, nor of the
    accounts `full`; one that is ailing only if `ailing`.
    """
    waiting = due_in_turn(now).exclude(pk__in=busy).exclude(account__in=full)
    if not ailing:
        waiting = waiting.filter(is_ailing=False)
    found = waiting.values_list("pk", "account_id", "is_ailing").first()
    return Due(*found) if found else None


def due_in_turn(now: datetime) -> QuerySet[Any]:
    """The mailboxes that are due and at which nobody looks, the longest due first, with `is_ailing`."""
    failing = PolledMailbox.objects.filter(state=PolledState.CONNECTED, failures__gt=0)
    sick = failing.values("account").annotate(count=Count("pk")).filter(count__gte=SICK).values("account")
    waiting: QuerySet[Any] = PolledMailbox.objects.filter(_is_free(now), account__closed_at=None)
    waiting = waiting.annotate(is_ailing=Q(failures__gt=0) | Q(account__in=sick))
    return waiting.order_by("due_at", "pk")


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
