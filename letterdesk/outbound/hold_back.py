"""A letter that was to leave later does not, if its conversation has moved on meanwhile: its writer is asked again.

Nor does one that what it is about does not want any more (`wanted.py`).
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from letterdesk.lib.crashpoint import reach

from . import moved_on
from .models import Delivery, Draft, RecipientState, State
from .telling import give_back, reopen, tell
from .wanted import is_wanted


@transaction.atomic
def hold_back(row: Delivery, *, now: datetime) -> bool:
    """Whether this claimed letter stays here: it is a draft again, and its unit of the quota comes back (R23).

    Asked before each attempt as long as nobody can have it (P6); who said "send it anyway" is not asked.
    """
    if row.seen is None or row.draft is None or row.sent_at is not None or row.may_have_left:
        return False
    if not moved_on.changes(row.draft, known=row.seen):
        return False
    ours = Delivery.objects.filter(pk=row.pk, state=State.SENDING, fence=row.fence)
    if ours.update(state=State.CANCELLED, fence=F("fence") + 1) == 1:
        give_back(row, now=now)
        reopen(row, now=now)
        Draft.objects.filter(pk=row.draft.pk).update(held_back_at=now)
        tell("letter.held_back", row, by=row.by)
        reach("hold_back.before_commit")
    return True


@transaction.atomic
def let_go_unwanted(row: Delivery, *, now: datetime) -> bool:
    """Whether this claimed letter is not tried (again), as nobody wants it: it is stopped, its unit comes back (R23).

    One that may have left at an earlier attempt has perhaps been sent, and keeps its unit (P6).
    """
    if row.sent_at is not None or is_wanted(row):
        return False
    state = State.UNKNOWN if row.may_have_left else State.CANCELLED
    ours = Delivery.objects.filter(pk=row.pk, state=State.SENDING, fence=row.fence)
    if ours.update(state=state, fence=F("fence") + 1, trouble_at=now if row.may_have_left else None) != 1:
        return True
    if row.may_have_left:
        row.recipients.exclude(state=RecipientState.ACCEPTED).update(state=RecipientState.UNKNOWN)
        tell("letter.unknown", row, by=row.by)
    else:
        give_back(row, now=now)
        reopen(row, now=now)
        tell("letter.stopped", row)
    reach("unwanted.before_commit")
    return True
