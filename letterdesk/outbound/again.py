"""A person has a letter tried again that failed or was perhaps sent, or takes it up again as a draft."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from letterdesk.accounts.models import Employee
from letterdesk.lib.crashpoint import reach
from letterdesk.plans.models import Channel
from letterdesk.plans.usage import reserve

from . import filing
from .drafts import NotYours
from .jobs import deliver_due
from .models import Delivery, DeliveryRecipient, Draft, RecipientState, State
from .outlets import may_write
from .resolve import NotSo
from .telling import locked, reopen, tell
from .wanted import NotWanted, is_wanted


@transaction.atomic
def send_again(delivery: Delivery, *, by: Employee, now: datetime) -> None:
    """A person has an unknown letter sent again, or a failed one tried again, which then uses the quota anew.

    Only to those who do not have it for sure. `by` is its writer from then on, so that it is not withheld for one who
    has left; what it says, and from whom, stays. Raises NotSo, NotInPlan, LimitReached, NotWanted, and NotYours where
    `by` may not write from there.
    """
    row = locked(delivery)
    if row.state not in {State.UNKNOWN, State.FAILED}:
        raise NotSo
    if not may_write(by, row):
        raise NotYours
    if not is_wanted(row):
        raise NotWanted
    row.may_have_left = row.may_have_left or row.state == State.UNKNOWN
    if row.state == State.FAILED:
        row.reservation = reserve(row.account, Channel(row.channel), due_at=now, now=now)
        row.due_at = now
    row.by, row.state, row.next_at, row.fence = by, State.QUEUED, now, row.fence + 1
    row.error_code, row.error, row.trouble_at, row.tried_since = "", "", None, None
    row.save(
        update_fields=[
            "by", "state", "next_at", "due_at", "fence", "reservation", "error_code", "error", "may_have_left",
            "trouble_at", "tried_since",
        ]
    )  # fmt: skip
    others = DeliveryRecipient.objects.filter(delivery=row).exclude(state=RecipientState.ACCEPTED)
    others.update(state=RecipientState.WAITING)
    tell("letter.queued", row, by=by, again=1)
    reach("again.before_commit")
    deliver_due.later()


@transaction.atomic
def edit_again(delivery: Delivery, *, by: Employee, now: datetime) -> Draft | None:
    """A failed letter becomes a draft again, of whoever takes it up. Raises NotSo, also where its draft is gone."""
    row = locked(delivery)
    if row.state != State.FAILED or row.draft_id is None:
        raise NotSo
    Draft.objects.filter(pk=row.draft_id).update(author=by)
    Delivery.objects.filter(pk=row.pk).update(state=State.CANCELLED, fence=F("fence") + 1, trouble_at=None)
    filing.let_go_of_bytes(row, now=now)
    tell("letter.stopped", row, by=by)
    return reopen(row, now=now)
