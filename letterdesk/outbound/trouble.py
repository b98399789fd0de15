"""Letters of which somebody has to hear: failed, perhaps sent, refused by some recipient's server, or come back.

They are marked in the transaction that finds it out, and stay marked until one of their people says that they know, or
does something about it. What is marked is counted beside the outbox, and told at the letter and in its conversation.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from letterdesk.accounts.models import Employee

from .models import Delivery, RecipientState, State
from .telling import tell

TROUBLED = (State.FAILED, State.UNKNOWN)


def is_trouble(state: State, recipients: Iterable[RecipientState]) -> bool:
    """Whether the outcome of an attempt, for the letter and for its recipients, is one that somebody has to hear of."""
    return state in TROUBLED or RecipientState.REFUSED in recipients


def mark(pk: int, *, now: datetime) -> None:
    """Somebody has to hear of this letter. Inside the caller's transaction."""
    Delivery.objects.filter(pk=pk).update(trouble_at=now)


@transaction.atomic
def dismiss(delivery: Delivery, *, by: Employee) -> bool:
    """Its people know; the letter stays as it is. Returns whether this call said so."""
    if Delivery.objects.filter(pk=delivery.pk, trouble_at__isnull=False).update(trouble_at=None) != 1:
        return False
    tell("letter.dismissed", delivery, by=by)
    return True


def count_for(employee: Employee) -> int:
    """How many letters wait for a word of this employee: of mailboxes in which they may act."""
    count: int = Delivery.objects.editable_by(employee).in_trouble().count()
    return count
