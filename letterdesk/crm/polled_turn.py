"""A polled mailbox has its turn: one at a time, later and later while its server fails; a person hears why (R30)."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from letterdesk.events.record import record as tell
from letterdesk.mail.errors import MailError
from letterdesk.mail.guard import Guard
from letterdesk.sync.connections import guard as default_guard

from .models import PolledMailbox, PolledState
from .polled_look import Looked, NotOurs, look

EVERY = timedelta(minutes=2)
LEASE = timedelta(minutes=10)  # so long nobody else looks; longer than a look takes
AT_MOST = timedelta(hours=1)  # between two tries of a server that fails
TOLD_AFTER = 5  # failures in a row: some half an hour
NO_TURN = Looked(letters=0, is_whole=True)


def due(now: datetime) -> Sequence[int]:
    """Keys of the mailboxes whose turn it is, longest due first."""
    waiting = PolledMailbox.objects.filter(state=PolledState.CONNECTED, due_at__lte=now, account__closed_at=None)
    return list(waiting.order_by("due_at", "pk").values_list("pk", flat=True))


def take_turn(mailbox_id: int, *, now: datetime, guard: Guard | None = None) -> Looked:
    """Look at one mailbox, if it is due and nobody else does. What the server refuses is noted, never raised."""
    mine = PolledMailbox.objects.filter(pk=mailbox_id, state=PolledState.CONNECTED, due_at__lte=now)
    mailbox = mine.filter(account__closed_at=None).select_related("account").first()
    if mailbox is None or not mine.filter(due_at=mailbox.due_at).update(due_at=now + LEASE):
        return NO_TURN
    try:
        found = look(mailbox, guard=guard or default_guard(), now=now)
    except NotOurs:
        return NO_TURN
    except MailError as error:
        _failed(mailbox, error, now)
        return NO_TURN
    _went_well(mailbox, found, now)
    return found


@transaction.atomic
def _went_well(mailbox: PolledMailbox, found: Looked, now: datetime) -> None:
    held = PolledMailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)
    next_at = now + EVERY if found.is_whole else now
    fine = {"looked_at": now, "failures": 0, "error_code": "", "error_text": "", "error_since": None}
    PolledMailbox.objects.filter(pk=held.pk).update(**fine)
    PolledMailbox.objects.filter(_untouched(now), pk=held.pk).update(due_at=next_at)
    if held.failures >= TOLD_AFTER:
        tell("polled.recovered", account=mailbox.account, subject=mailbox.reference)


@transaction.atomic
def _failed(mailbox: PolledMailbox, error: MailError, now: datetime) -> None:
    """What a person has to mend is not tried again by itself: a password that is wrong locks mailboxes."""
    held = PolledMailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)
    if held.state != PolledState.CONNECTED:
        return
    failures = held.failures + 1
    said = {
        "failures": failures,
        "error_code": error.code,
        "error_text": error.text[:2_000],
        "error_since": held.error_since or now,
    }
    if error.needs_person:
        said["state"] = PolledState.FAILING
    PolledMailbox.objects.filter(pk=held.pk).update(**said)
    PolledMailbox.objects.filter(_untouched(now), pk=held.pk).update(due_at=now + wait_after(failures))
    if error.needs_person or failures == TOLD_AFTER:
        tell("polled.failing", account=mailbox.account, subject=mailbox.reference, code=error.code)


def _untouched(now: datetime) -> Q:
    """Nobody wanted a look at once meanwhile."""
    return Q(due_at=now + LEASE)


def wait_after(failures: int) -> timedelta:
    """Until the next try after so many failures in a row: 4, 8, 16 … 60 minutes, spread by 20 %."""
    spread = random.uniform(0.8, 1.2)  # noqa: S311  spread, not secrecy
    return min(EVERY * float(2 ** min(failures, 10)), AT_MOST) * spread
