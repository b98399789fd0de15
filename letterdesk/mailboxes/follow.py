"""What follows from a plan, carried out: the turn is written down, mailboxes are fitted, letters purged (R11–R13).

The plan itself needs none of this: it holds by the clock (R11). So a clock in doubt delays only what follows (R20).
"""

import logging
from datetime import datetime

from django.db.models import F
from django.utils import timezone

from letterdesk.accounts.models import Account
from letterdesk.events.models import Event
from letterdesk.lib.jobs import job
from letterdesk.plans.catalogue import UnknownPlan
from letterdesk.plans.change import settle
from letterdesk.plans.models import Subscription
from letterdesk.plans.timeline import turned

from .fit import fit
from .purge import accounts_to_purge, purge
from .sweep import clock_is_steady

logger = logging.getLogger(__name__)


@job(name="mailboxes.follow_plans", priority=-10)
def follow_plans() -> None:
    """Every minute, and after a plan was changed."""
    follow(now=timezone.now())


def after_plan_change(event: Event) -> None:
    """A reaction to `plan.changed`: what follows begins at once (R12)."""
    follow_plans.later()


def follow(*, now: datetime) -> int:
    """Bring all accounts in line with their plans at `now`; returns how many letters were purged. Twice is once."""
    if not clock_is_steady(now):
        return 0
    for subscription in turned(now).select_related("account"):
        settle(subscription.account, now=now)
    for subscription in Subscription.objects.exclude(followed=F("plan")).select_related("account"):
        _fit(subscription.account, now)
    return sum(purge(account, now=now) for account in accounts_to_purge(now))


def _fit(account: Account, now: datetime) -> None:
    try:
        fit(account, now=now)
    except UnknownPlan as error:  # one account's plan is no longer in the catalogue: the others are served
        logger.error("%s is not fitted to its plan: %s", account, error)
