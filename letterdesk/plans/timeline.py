"""Which plan an account is on at a moment: a function of subscription and clock, whether or not a job ran (R11).

The account goes to another plan by the clock when its trial ends, and when a plan that was chosen for later begins.
That is its turn; `change.settle` writes it down afterwards, and nothing waits for that.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet

from .catalogue import catalogue, terms_of
from .models import Subscription


@dataclass(frozen=True, slots=True)
class Turn:
    """From `at` on the account is on the plan of that key."""

    at: datetime
    plan: str


def trial_ends_at(subscription: Subscription) -> datetime | None:
    """When the account's trial ends or ended; None: it is on no trial (R11)."""
    shelf = catalogue()
    if not shelf.trial or subscription.plan != shelf.trial or subscription.trial_started_at is None:
        return None
    ends_at = subscription.trial_started_at + timedelta(hours=24 * shelf.trial_days)  # R11
    return max(ends_at, subscription.trial_extended_to or ends_at)


def turn_of(subscription: Subscription) -> Turn | None:
    """When the clock puts the account on another plan, and on which; None: the clock changes nothing.

    At the end of a trial that is the plan that was chosen before, else the catalogue's `after_trial` (R11).
    """
    chosen_at = subscription.next_at if subscription.next_plan else None
    moments = [moment for moment in (trial_ends_at(subscription), chosen_at) if moment is not None]
    return Turn(min(moments), subscription.next_plan or catalogue().after_trial) if moments else None


def plan_at(subscription: Subscription, now: datetime) -> str:
    """The key of the plan that the account is on at `now`."""
    turn = turn_of(subscription)
    return turn.plan if turn is not None and now >= turn.at else subscription.plan


def webmail_ended_at(subscription: Subscription, now: datetime) -> datetime | None:
    """Since when the account has been on plans without Webmail (R12); None: its plan has it at `now`."""
    shelf, turn = catalogue(now), turn_of(subscription)
    if terms_of(shelf.plan(plan_at(subscription, now)), now).has_integration:
        return None
    if terms_of(shelf.plan(subscription.plan)).has_integration:
        return turn.at if turn is not None else subscription.since
    return subscription.webmail_ended_at or subscription.since


def letters_go_at(subscription: Subscription, now: datetime) -> datetime | None:
    """When the account's letters go or began to (R12): the end of Webmail and the time of grace; None: it has Webmail.

    The time of grace is the installation's, or what an operator gave this account beyond it (`extend.py`).
    """
    ended_at = webmail_ended_at(subscription, now)
    if ended_at is None:
        return None
    go_at = ended_at + timedelta(hours=24 * settings.PURGE_GRACE_DAYS)
    return max(go_at, subscription.grace_until or go_at)


def webmail_began_at(subscription: Subscription, now: datetime) -> datetime | None:
    """Since when the account has had Webmail again, after a time without (R28); None: it always had it, or has none."""
    shelf, turn = catalogue(now), turn_of(subscription)
    has_turned = turn is not None and now >= turn.at
    if turn is not None and has_turned and not terms_of(shelf.plan(subscription.plan)).has_integration:
        return turn.at
    return subscription.webmail_began_at


def turned(now: datetime) -> QuerySet[Subscription]:
    """Subscriptions whose turn has come by `now` and is not written down yet."""
    return Subscription.objects.filter(_has_turned(now))


def not_followed(now: datetime) -> QuerySet[Subscription]:
    """Subscriptions whose mailboxes were not fitted to their plan as it stands in the edition of `now` (R13)."""
    return Subscription.objects.exclude(followed=F("plan"), followed_version=catalogue(now).version)


def without_webmail(now: datetime) -> QuerySet[Subscription]:
    """Subscriptions whose plan has no Webmail at `now`: `plan_at` as one query, for many accounts at once (R2, R11)."""
    shelf = catalogue(now)
    refused = [plan.key for plan in shelf.plans.values() if not plan.integration]
    if len(shelf.plans) == 1:  # that one plan is everybody's, whatever the rows say
        return Subscription.objects.all() if refused else Subscription.objects.none()
    has_turned, turned_to = _has_turned(now), Q(next_plan__in=refused)
    if shelf.after_trial in refused:
        turned_to |= Q(next_plan="")
    return Subscription.objects.filter((~has_turned & Q(plan__in=refused)) | (has_turned & turned_to))


def _has_turned(now: datetime) -> Q:
    shelf = catalogue()
    has_begun = Q(next_at__isnull=False, next_at__lte=now) & ~Q(next_plan="")
    if not shelf.trial:
        return has_begun
    started_by = now - timedelta(hours=24 * shelf.trial_days)
    is_not_extended = Q(trial_extended_to=None) | Q(trial_extended_to__lte=now)
    is_over = Q(plan=shelf.trial, trial_started_at__isnull=False, trial_started_at__lte=started_by)
    return has_begun | (is_over & is_not_extended)
