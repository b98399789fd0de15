"""What is told of a plan before it changes, and after: 14, 7 and 1 days before, and for 14 days behind it.

It changes when the account goes to another plan, and when a later edition of the catalogue makes the plan smaller.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from letterdesk.events.record import record

from .catalogue import Terms, catalogue, later_editions, terms_of
from .limits import locked
from .models import Subscription
from .timeline import plan_at, turn_of, turned, webmail_ended_at

DAYS_BEFORE = (14, 7, 1)
SHOWN_AFTER = timedelta(days=14)
DAY = timedelta(hours=24)
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a banner says. `is_over`: it has happened at `at`; else it will, from `before` to `after`.

    Both have one key where the plan stays and a later edition of the catalogue makes it smaller.
    """

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
    is_to_come = turn is not None and now < turn.at
    near = [_of_turn(subscription, now), *_of_editions(subscription, now)]
    found = [each for each in near if each is not None and takes_away(each.before, each.after)]
    if found or is_to_come:
        return min(found, key=lambda each: each.at, default=None)
    ended_at = webmail_ended_at(subscription, now)
    if ended_at is None or now - ended_at > SHOWN_AFTER:
        return None
    current = terms_of(shelf.plan(plan_at(subscription, now)), now)
    return Notice(ended_at, current, current, is_over=True)


def _of_turn(subscription: Subscription, now: datetime) -> Notice | None:
    turn = turn_of(subscription)
    if turn is None or not now < turn.at <= now + DAYS_BEFORE[0] * DAY:
        return None
    before = terms_of(catalogue(now).plan(subscription.plan), now)
    return Notice(turn.at, before, terms_of(catalogue(turn.at).plan(turn.plan), turn.at), is_over=False)


def _of_editions(subscription: Subscription, now: datetime) -> list[Notice]:
    """What each near edition does to the plan that the account is on by then."""
    return [
        Notice(at, _terms_at(subscription, at - TICK), _terms_at(subscription, at), is_over=False)
        for at in _editions_near(now)
    ]


def _editions_near(now: datetime) -> list[datetime]:
    moments = [edition.begins_at for edition in later_editions(now)]
    return [at for at in moments if at <= now + DAYS_BEFORE[0] * DAY]


def _terms_at(subscription: Subscription, at: datetime) -> Terms:
    return terms_of(catalogue(at).plan(plan_at(subscription, at)), at)


def to_tell(now: datetime) -> QuerySet[Subscription]:
    """Subscriptions of which something may have to be told at `now`: `tell` looks closer."""
    near = turned(now + DAYS_BEFORE[0] * DAY)
    smaller = {
        key
        for at in _editions_near(now)
        for key, plan in catalogue(at - TICK).plans.items()
        if key in catalogue(at).plans and takes_away(terms_of(plan, now), terms_of(catalogue(at).plan(key), at))
    }
    if not smaller:
        return near
    if len(catalogue(now).plans) == 1:  # that one plan is everybody's, whatever the rows say
        return Subscription.objects.all()
    return near | Subscription.objects.filter(Q(plan__in=smaller) | Q(next_plan__in=smaller))


def due(at: datetime, *, noticed_days: int | None, now: datetime) -> int | None:
    """Which of 14, 7 and 1 days before is to be told now; None: none, or it was told. What was missed is not caught up.

    `noticed_days` is the last one that was told of this change.
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
        current.noticed_days, current.noticed_for = days, notice.at
        current.save(update_fields=["noticed_days", "noticed_for"])
        record("plan.ending", account=current.account, days=days, before=notice.before.key, after=notice.after.key,
               at=notice.at.isoformat())  # fmt: skip
    return days


def _due(subscription: Subscription, now: datetime) -> int | None:
    notice = notice_of(subscription, now)
    if notice is None or notice.is_over:
        return None
    is_same = subscription.noticed_for in {None, notice.at}
    return due(notice.at, noticed_days=subscription.noticed_days if is_same else None, now=now)
