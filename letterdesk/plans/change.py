"""Puts an account on another plan: at once, at a moment to come, and when the clock has done so by itself."""

from datetime import datetime

from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach

from .catalogue import UnknownPlan, catalogue, terms_of
from .limits import locked
from .models import Subscription
from .timeline import trial_ends_at, turn_of

STANDING = (
    "plan", "since", "trial_started_at", "next_plan", "next_at", "webmail_ended_at", "webmail_began_at",
    "noticed_days", "grace_until",
)  # fmt: skip


class NotPossible(Exception):
    """The plan cannot be chosen so; the text says why."""

    code = "not_possible"


def change_plan(account: Account, plan: str, *, by: Employee | None, now: datetime) -> Subscription:
    """Put the account on the plan of that key, from `now` on. Raises UnknownPlan.

    Going to the trial plan for the first time starts the trial; going there again does not start it anew (R11).
    What was chosen for later is forgotten.
    """
    chosen = catalogue(now).plan(plan)
    with locked(account) as subscription:
        _settle(subscription, now)
        if subscription.plan != chosen.key:
            _go(subscription, chosen.key, at=now, by=by)
        elif subscription.next_plan:
            _forget_next(subscription, by=by)
    return subscription


def end_trial(account: Account, *, by: Employee | None, now: datetime) -> Subscription:
    """End the trial before its time: the account is on what was chosen before, else on `after_trial` (R11).

    Raises NotPossible where the account is on no trial.
    """
    with locked(account) as subscription:
        _settle(subscription, now)
        if trial_ends_at(subscription) is None:
            raise NotPossible(_("%(account)s is not on a trial.") % {"account": account.name})
        _go(subscription, subscription.next_plan or catalogue().after_trial, at=now, by=by)
    return subscription


def choose_next(
    account: Account, plan: str, *, at: datetime | None, by: Employee | None, now: datetime
) -> Subscription:
    """Choose the plan that follows: from `at` on, or (None) from the end of the trial. An empty key takes that back.

    Raises UnknownPlan, and NotPossible for a moment that is past, or without a moment where there is no trial.
    """
    chosen = catalogue(at or now).plan(plan).key if plan else ""
    with locked(account) as subscription:
        _settle(subscription, now)
        if not chosen:
            _forget_next(subscription, by=by)
            return subscription
        _check_next(subscription, chosen, at, now)
        subscription.next_plan, subscription.next_at, subscription.noticed_days = chosen, at, None
        subscription.save(update_fields=["next_plan", "next_at", "noticed_days"])
        turn = turn_of(subscription)
        record("plan.chosen", account=account, by=by, plan=chosen, at=turn.at.isoformat() if turn else None)
    return subscription


def settle(account: Account, *, now: datetime) -> bool:
    """Write down the plan to which the clock has turned the account; returns whether it had."""
    with locked(account) as subscription:
        return _settle(subscription, now)


def _settle(subscription: Subscription, now: datetime) -> bool:
    turn = turn_of(subscription)
    if turn is None or now < turn.at:
        return False
    _go(subscription, turn.plan, at=turn.at, by=None)
    return True


def _go(subscription: Subscription, key: str, *, at: datetime, by: Employee | None) -> None:
    before = subscription.plan
    if _has_webmail(key, at):
        subscription.webmail_ended_at = subscription.grace_until = None
        if not _has_webmail(before, at):
            subscription.webmail_began_at = at  # R28: earlier mail makes no lead
    elif _has_webmail(before, at):
        subscription.webmail_ended_at = at  # R12: from here the operator's grace time counts
    subscription.plan, subscription.since = key, at
    subscription.next_plan, subscription.next_at, subscription.noticed_days = "", None, None
    if key == catalogue().trial and subscription.trial_started_at is None:
        subscription.trial_started_at = at
    subscription.save(update_fields=STANDING)
    record("plan.changed", account=subscription.account, by=by, before=before, after=key)
    reach("plan.before_commit")


def _forget_next(subscription: Subscription, *, by: Employee | None) -> None:
    if not subscription.next_plan:
        return
    subscription.next_plan, subscription.next_at, subscription.noticed_days = "", None, None
    subscription.save(update_fields=["next_plan", "next_at", "noticed_days"])
    record("plan.chosen", account=subscription.account, by=by, plan="", at=None)


def _check_next(subscription: Subscription, chosen: str, at: datetime | None, now: datetime) -> None:
    if chosen == catalogue().trial:
        raise NotPossible(_("A trial cannot follow another plan."))
    if at is None and trial_ends_at(subscription) is None:
        raise NotPossible(_("There is no trial at whose end the plan could begin: name a moment."))
    if at is not None and at <= now:
        raise NotPossible(_("This moment is past: change the plan at once instead."))


def _has_webmail(key: str, at: datetime) -> bool:
    try:
        return terms_of(catalogue(at).plan(key), at).has_integration
    except UnknownPlan:  # of a catalogue that is no longer in force: nobody knows that it had none
        return True
