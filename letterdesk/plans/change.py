"""Puts an account on another plan."""

from datetime import datetime

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record

from .catalogue import catalogue
from .limits import locked
from .models import Subscription


def change_plan(account: Account, plan: str, *, by: Employee | None, now: datetime) -> Subscription:
    """Put the account on the plan of that key, from `now` on. Raises UnknownPlan.

    Going to the trial plan for the first time starts the trial; going there again does not start it anew (R11).
    """
    chosen = catalogue().plan(plan)
    with locked(account) as subscription:
        before = subscription.plan
        if before == chosen.key:
            return subscription
        subscription.plan = chosen.key
        subscription.since = now
        if chosen.key == catalogue().trial and subscription.trial_started_at is None:
            subscription.trial_started_at = now
        subscription.save(update_fields=["plan", "since", "trial_started_at"])
        record("plan.changed", account=account, by=by, before=before, after=chosen.key)
    return subscription
