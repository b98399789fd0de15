"""A polled mailbox has its turn: one at a time, later and later while its server fails; a person hears why (R30)."""

import logging
import random
import time
from datetime import datetime, timedelta

from cryptography.fernet import InvalidToken
from django.db import transaction

from letterdesk.events.record import record as tell
from letterdesk.mail.errors import KeyMissing, MailError
from letterdesk.mail.guard import Guard
from letterdesk.sync.connections import guard as default_guard

from ..models import PolledMailbox, PolledState
from .claim import claim, held, keeping
from .look import Looked, NotOurs, PutAside, look

logger = logging.getLogger(__name__)
EVERY = timedelta(minutes=2)
AT_MOST = timedelta(hours=1)  # between two tries of a server that fails
TOLD_AFTER = 5  # failures in a row: some half an hour
NO_TURN = Looked(letters=0, is_whole=True)


def take_turn(mailbox_id: int, *, now: datetime, guard: Guard | None = None) -> Looked:
    """Look at one mailbox, if it is due and nobody else does. Whatever goes wrong is noted, never raised."""
    mailbox = claim(mailbox_id, now=now)
    if mailbox is None:
        return NO_TURN
    began = time.monotonic()
    try:
        with keeping(mailbox):
            found = look(mailbox, guard=guard or default_guard(), now=now)
        _went_well(mailbox, found, now)
    except NotOurs:
        return NO_TURN
    except (MailError, InvalidToken) as error:
        named = error if isinstance(error, MailError) else KeyMissing()
        _failed(mailbox, named.code, named.text, now=_ended(now, began), needs_person=named.needs_person)
        return NO_TURN
    except PutAside as aside:
        _failed(mailbox, aside.error.code, aside.error.text, now=now, goes_on=True)
        return NO_TURN
    except Exception as error:  # its text could quote a letter
        logger.error("Polled mailbox %s could not be looked at: %s", mailbox.pk, type(error).__name__)
        _failed(mailbox, "internal", f"Something went wrong here ({type(error).__name__}).", now=_ended(now, began))
        return NO_TURN
    return found


def _ended(now: datetime, began: float) -> datetime:
    """When a look that began then is over: a long one that fails is not tried again at once."""
    return now + timedelta(seconds=time.monotonic() - began)


@transaction.atomic
def _went_well(mailbox: PolledMailbox, found: Looked, now: datetime) -> None:
    row = held(mailbox)
    fine = {"looked_at": now, "failures": 0, "error_code": "", "error_text": "", "error_since": None}
    next_at = now + EVERY if found.is_whole or found.is_crowded else now
    _end(mailbox, row, next_at, **fine)
    if row.failures >= TOLD_AFTER:
        tell("polled.recovered", account=mailbox.account, subject=mailbox.reference)


@transaction.atomic
def _failed(
    mailbox: PolledMailbox, code: str, text: str, *, now: datetime, needs_person: bool = False, goes_on: bool = False
) -> None:
    """What a person has to mend is not tried again by itself: a password that is wrong locks mailboxes. `goes_on`: the
    next try is at once, for it asks for other letters.
    """
    try:
        row = held(mailbox)
    except NotOurs:  # what failed counts no more
        return
    said: dict[str, object] = {
        "failures": row.failures + 1,
        "error_code": code,
        "error_text": text[:2_000],
        "error_since": row.error_since or now,
    }
    if needs_person:
        said["state"] = PolledState.FAILING
    _end(mailbox, row, now if goes_on else now + wait_after(row.failures + 1), **said)
    if needs_person or row.failures + 1 == TOLD_AFTER:
        tell("polled.failing", account=mailbox.account, subject=mailbox.reference, code=code)


def _end(mailbox: PolledMailbox, row: PolledMailbox, next_at: datetime, **said: object) -> None:
    """The turn is over; the next one is at once where somebody wanted it meanwhile."""
    if row.due_at == mailbox.due_at:
        said["due_at"] = next_at
    PolledMailbox.objects.filter(pk=row.pk).update(leased_until=None, **said)


def wait_after(failures: int) -> timedelta:
    """Until the next try after so many failures in a row: 4, 8, 16 … 60 minutes, spread by 20 %."""
    spread = random.uniform(0.8, 1.2)  # noqa: S311  spread, not secrecy
    return min(EVERY * float(2 ** min(failures, 10)), AT_MOST) * spread
