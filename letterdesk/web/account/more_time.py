"""More time for an account: what an operator's page says of it, before it is given (R11, R12)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils.translation import gettext as _

from letterdesk.plans.change import NotPossible
from letterdesk.plans.extend import Lasting, more_time
from letterdesk.plans.models import Subscription
from letterdesk.plans.timeline import letters_go_at, plan_at, trial_ends_at


def end_of(day: str) -> datetime:
    """The end of that day (2026-12-31) in UTC. Raises NotPossible."""
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time.min, tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise NotPossible(_("Choose a day.")) from error


def time_facts(subscription: Subscription, day: str, *, now: datetime) -> dict[str, Any]:
    """What can last longer; with a day, what that would be (`given`) or why it cannot be (`refusal`)."""
    what = _lasting(subscription, now)
    if what is None or not day:
        return {"lasting": what}
    try:
        return {"lasting": what, "until": day, "given": more_time(subscription, what, end_of(day), now=now)}
    except NotPossible as error:
        return {"lasting": what, "until": day, "refusal": str(error)}


def _lasting(subscription: Subscription, now: datetime) -> Lasting | None:
    if letters_go_at(subscription, now) is not None:
        return Lasting.GRACE
    is_on_trial = trial_ends_at(subscription) is not None and plan_at(subscription, now) == subscription.plan
    return Lasting.TRIAL if is_on_trial else None
