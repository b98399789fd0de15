"""Ask before doing: what the account's plan allows now.

Every entrance asks `require(...)` (R2); what counts rows asks inside `locked(account)`, so that two requests
at once cannot both take the last place (R14, R16).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Literal

from django.db import connection, transaction
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.accounts.models import Account

from .catalogue import Terms, catalogue, terms_of
from .models import Subscription
from .rows import Plan
from .timeline import plan_at

COMPARISON_PATH = "/plans"


class PlanError(Exception):
    """The plan does not allow it. `text` says what, `way_out` what to do; both are for people (R2, R3)."""

    upgrade_url = COMPARISON_PATH

    def __init__(self, text: str, way_out: str) -> None:
        super().__init__(f"{text} {way_out}")
        self.text = text
        self.way_out = way_out


class NotInPlan(PlanError):
    """The plan does not have this at all (R2, R24)."""


class LimitReached(PlanError):
    """The plan has this, but no more of it. `limit` is what it allows, `wanted` what was asked for."""

    def __init__(self, text: str, way_out: str, *, limit: int, wanted: int | None) -> None:
        super().__init__(text, way_out)
        self.limit = limit
        self.wanted = wanted


def plan_of(account: Account, *, now: datetime | None = None) -> Plan:
    """The plan that the account is on at `now`, judged by the clock: a trial ends to the second (R11)."""
    now = now or timezone.now()
    subscription = Subscription.objects.filter(account=account).first()
    return catalogue(now).plan(plan_at(subscription, now) if subscription else "")


def terms(account: Account, *, now: datetime | None = None) -> Terms:
    """What the account may have at `now`: None is unlimited. Raises UnknownPlan where the catalogue lacks its plan."""
    return terms_of(plan_of(account, now=now), now)


def cutoff(account: Account, now: datetime) -> datetime | None:
    """What was received at or before this moment is not shown; None: everything is (R19, R20).

    Where there is no Webmail, nothing is shown: the cut-off is `now` (R2, R11).
    """
    days = terms(account, now=now).days_kept
    return None if days is None else now - timedelta(hours=24 * days)  # R19


@contextmanager
def locked(account: Account) -> Iterator[Subscription]:
    """A transaction that holds the lock under which the account's limits are counted (R14, R16)."""
    with transaction.atomic():
        Subscription.objects.get_or_create(account=account, defaults={"plan": catalogue().opens_with})
        yield Subscription.objects.select_for_update().get(account=account)


def hold_still(account: Account) -> None:
    """Until this transaction ends the account's plan is not changed (R11); several transactions may hold it at once.

    On SQLite a transaction that writes is alone in any case.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM plans_subscription WHERE account_id = %s FOR SHARE", [account.pk])


def require(
    account: Account,
    *,
    integration: bool = False,
    mailboxes: int | None = None,
    shared_mailboxes: int | None = None,
    fetch_days: int | Literal["all"] | None = None,
    now: datetime | None = None,
) -> None:
    """Raise NotInPlan or LimitReached unless the plan allows all that is named; what is None is not asked.

    `mailboxes` (of one employee) and `shared_mailboxes` (of the account) are the totals that would be;
    `fetch_days` is the depth chosen in days, or "all". Count inside `locked(account)`.
    """
    allowed = terms(account, now=now)
    asks = integration or any(wish is not None for wish in (mailboxes, shared_mailboxes, fetch_days))
    if asks and not allowed.has_integration:  # R2
        text = _("Webmail is not in your plan %(plan)s.") % {"plan": allowed.name}
        raise NotInPlan(text, better_plans(lambda plan: plan.has_integration))
    if mailboxes is not None:
        _require_mailboxes(allowed, mailboxes)
    if shared_mailboxes is not None:
        _require_shared(allowed, shared_mailboxes)
    if fetch_days is not None:
        _require_depth(allowed, None if fetch_days == "all" else fetch_days)


def _require_mailboxes(allowed: Terms, wanted: int) -> None:  # R14
    limit = allowed.mailboxes_per_employee
    if limit is not None and wanted > limit:
        said = ngettext(
            "Your plan %(plan)s allows %(limit)d connected mailbox per person; this would be number %(wanted)d.",
            "Your plan %(plan)s allows %(limit)d connected mailboxes per person; this would be number %(wanted)d.",
            limit,
        )
        text = said % {"plan": allowed.name, "limit": limit, "wanted": wanted}
        way_out = (
            _("Disconnect one first.") + " " + better_plans(lambda plan: _fits(wanted, plan.mailboxes_per_employee))
        )
        raise LimitReached(text, way_out, limit=limit, wanted=wanted)


def _require_shared(allowed: Terms, wanted: int) -> None:  # R15, R16
    limit = allowed.shared_mailboxes
    if limit is not None and wanted > limit:
        said = ngettext(
            "Your plan %(plan)s allows %(limit)d shared mailbox; this would be number %(wanted)d.",
            "Your plan %(plan)s allows %(limit)d shared mailboxes; this would be number %(wanted)d.",
            limit,
        )
        text = said % {"plan": allowed.name, "limit": limit, "wanted": wanted}
        better = better_plans(lambda plan: _fits(wanted, plan.shared_mailboxes))
        raise LimitReached(text, _("Stop sharing another one first.") + " " + better, limit=limit, wanted=wanted)


def _require_depth(allowed: Terms, wanted: int | None) -> None:  # R21
    limit = allowed.days_fetched
    if limit is not None and (wanted is None or wanted > limit):
        facts = {"plan": allowed.name, "limit": limit, "wanted": wanted}
        if wanted is None:
            said = _("Your plan %(plan)s fetches the last %(limit)d days of mail at most; you asked for all mail.")
        else:
            said = _(
                "Your plan %(plan)s fetches the last %(limit)d days of mail at most; you asked for %(wanted)d days."
            )
        choose = _("Choose %(limit)d days or fewer.") % facts
        better = better_plans(lambda plan: _fits(wanted, plan.days_fetched))
        raise LimitReached(said % facts, f"{choose} {better}", limit=limit, wanted=wanted)


def _fits(wanted: int | None, limit: int | None) -> bool:
    return limit is None or (wanted is not None and wanted <= limit)


def better_plans(fits: Callable[[Terms], bool]) -> str:
    """The way out: the plans of the catalogue that allow it (R2, R3)."""
    shelf = catalogue()
    plans = [
        row.name
        for row in map(terms_of, shelf.plans.values())
        if row.key != shelf.trial and row.has_integration and fits(row)
    ]
    if not plans:
        return _("No plan allows more.")
    names = get_text_list(plans, _("and"))
    said = ngettext("%(names)s allows it: compare the plans.", "%(names)s allow it: compare the plans.", len(plans))
    return said % {"names": names}
