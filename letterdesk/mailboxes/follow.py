"""What follows from a plan, carried out: the turn is written down, mailboxes are fitted, letters purged (R11–R13).

What an edition of the catalogue changes is followed in the same way, from its date on.
The plan itself needs none of this: it holds by the clock (R11). A clock in doubt delays what it alone would
decide and what cannot be undone (R20); a plan that somebody chose is followed at once.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db.models import F, QuerySet
from django.utils import timezone

from letterdesk.events.models import Event
from letterdesk.lib.jobs import job
from letterdesk.plans.catalogue import UnknownPlan
from letterdesk.plans.change import settle
from letterdesk.plans.models import Subscription
from letterdesk.plans.notices import tell, to_tell
from letterdesk.plans.timeline import not_followed, turned

from .fit import fit
from .retention.purge import accounts_to_purge, purge
from .retention.sweep import clock_is_steady

logger = logging.getLogger(__name__)


@job(name="mailboxes.follow_plans", priority=-10)
def follow_plans() -> None:
    """Every minute, and after a plan was changed."""
    follow(now=timezone.now())


def after_plan_change(event: Event) -> None:
    """A reaction to `plan.changed`: what follows begins at once (R12)."""
    follow_plans.later()


def follow(*, now: datetime) -> int:
    """Bring all accounts in line with their plans at `now`, and tell what is near. Twice is once.

    Returns how many letters were purged.
    """
    is_steady = clock_is_steady(now)
    if is_steady:
        _for_each(turned(now), lambda each: settle(each.account, now=now))
        _for_each(to_tell(now), lambda each: tell(each, now=now))
    behind = not_followed(now) if is_steady else Subscription.objects.exclude(followed=F("plan"))
    _for_each(behind, lambda each: fit(each.account, now=now))
    return sum(purge(account, now=now) for account in accounts_to_purge(now)) if is_steady else 0


def _for_each(subscriptions: QuerySet[Subscription], do: Callable[[Subscription], object]) -> None:
    for subscription in subscriptions.select_related("account"):
        try:
            do(subscription)
        except UnknownPlan as error:  # one account's plan is no longer in the catalogue: the others are served
            logger.error("%s does not follow its plan: %s", subscription.account, error)
