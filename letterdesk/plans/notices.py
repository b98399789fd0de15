"""What is told of a plan before it changes, and after: 14, 7 and 1 days before the turn, and for 14 days behind it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from letterdesk.events.record import record

from .catalogue import Terms, catalogue, terms_of
from .limits import locked
from .models import Subscription
from .timeline import plan_at, turn_of, webmail_ended_at

DAYS_BEFORE = (14, 7, 1)
SHOWN_AFTER = timedelta(days=14)
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a banner says. `is_over`: it has happened at `at`; else it will, from `before` to `after`."""

    at: datetime
    before: Terms
    after: Terms
    is_over: bool


def takes_away(before: Terms, after: Terms) -> bool:
    """Whether a change between these takes anything of Webmail away."""
    if before.has_integration != after.has_integration:
        return before.has_integration
    return any(
        _is_less(getattr(after, name), getattr(before, name))
        for name in ("mailboxes_per_employee", "shared_mailboxes", "days_kept")
    )


def _is_less(number: int | None, than: int | None) -> bool:
    return number is not None and (than is None or number < than)


def notice_of(subscription: Subscription, now: datetime) -> Notice | None:
    """What is to be told to everybody of the account at `now`; None: nothing."""
    turn, shelf = turn_of(subscription), catalogue(now)
    if turn is not None and now < turn.at:
        before = terms_of(shelf.plan(subscription.plan), now)
        after = terms_of(catalogue(turn.at).plan(turn.plan), turn.at)
        is_near = turn.at - now <= DAYS_BEFORE[0] * DAY and takes_away(before, after)
        return Notice(turn.at, before, after, is_over=False) if is_near else None
    ended_at = webmail_ended_at(subscription, now)
    if ended_at is None or now - ended_at > SHOWN_AFTER:
        return None
    current = terms_of(shelf.plan(plan_at(subscription, now)), now)
    return Notice(ended_at, current, current, is_over=True)


def due(at: datetime, *, noticed_days: int | None, now: datetime) -> int | None:
    """Which of 14, 7 and 1 days before is to be told now; None: none, or it was told. What was missed is not caught up.

    `noticed_days` is the last one that was told of this turn.
    """
    left = at - now
    reached = [days for days in DAYS_BEFORE if timedelta(0) < left <= days * DAY]
    if not reached or (noticed_days is not None and noticed_days <= reached[-1]):
        return None
    return reached[-1]


def tell(subscription: Subscription, *, now: datetime) -> int | None:
    """Record the notice that is due, once; returns for how many days before it is."""
    if _due(subscription, now) is None:  # as nearly always: no lock for that
        return None
    with locked(subscription.account) as current:
        days, notice = _due(current, now), notice_of(current, now)
        if days is None or notice is None:
            return None
        current.noticed_days = days
        current.save(update_fields=["noticed_days"])
        record("plan.ending", account=current.account, days=days, before=notice.before.key, after=notice.after.key,
               at=notice.at.isoformat())  # fmt: skip
    return days


def _due(subscription: Subscription, now: datetime) -> int | None:
    notice = notice_of(subscription, now)
    if notice is None or notice.is_over:
        return None
    return due(notice.at, noticed_days=subscription.noticed_days, now=now)
