"""More time for one account, given by an operator: a trial that ends later, letters that go later (R11, R12).

A moment is never brought forward here, and none is in the past; ending a trial early is `change.end_trial`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record

from .catalogue import catalogue
from .change import NotPossible
from .limits import locked
from .models import Subscription
from .timeline import letters_go_at, plan_at, trial_ends_at


class Lasting(StrEnum):
    """What can last longer: a trial, or the time of grace of an account without Webmail."""

    TRIAL = "trial"
    GRACE = "grace"


FIELDS = {Lasting.TRIAL: "trial_extended_to", Lasting.GRACE: "grace_until"}


@dataclass(frozen=True, slots=True)
class MoreTime:
    """`what` lasts until `until` instead of `before`, in UTC."""

    what: Lasting
    before: datetime
    until: datetime


def more_time(subscription: Subscription, what: Lasting, until: datetime, *, now: datetime) -> MoreTime:
    """What the account would be given; nothing is changed.

    Raises NotPossible: nothing that could last longer, a moment that is not later, or a plan chosen to begin before it.
    """
    before = _lasts_until(subscription, what, now)
    if until <= max(before, now):
        raise NotPossible(_("Choose a later moment than %(moment)s UTC.") % {"moment": _words(max(before, now))})
    begins_at = subscription.next_at if subscription.next_plan and what == Lasting.TRIAL else None
    if begins_at is not None and begins_at < until:
        chosen = {"plan": catalogue(begins_at).plan(subscription.next_plan).name, "moment": _words(begins_at)}
        raise NotPossible(_("%(plan)s begins on %(moment)s UTC, before that: take that choice back first.") % chosen)
    return MoreTime(what, before, until)


def extend(account: Account, what: Lasting, until: datetime, *, by: Employee | None, now: datetime) -> MoreTime:
    """Let the account's trial end at `until` and its notices be told anew, or let no letter go before that moment.

    A time of grace ends with the next plan that has Webmail, and brings nothing back that has gone. Raises NotPossible.
    """
    with locked(account) as subscription:
        given = more_time(subscription, what, until, now=now)
        setattr(subscription, FIELDS[what], until)
        subscription.noticed_days = None if what == Lasting.TRIAL else subscription.noticed_days
        subscription.save(update_fields=[FIELDS[what], "noticed_days"])
        record("plan.extended", account=account, by=by, what=what.value, until=until.isoformat())
    return given


def _lasts_until(subscription: Subscription, what: Lasting, now: datetime) -> datetime:
    name = {"account": subscription.account.name}
    if what == Lasting.TRIAL:
        ends_at = trial_ends_at(subscription)
        if ends_at is None or plan_at(subscription, now) != subscription.plan:
            raise NotPossible(_("%(account)s is not on a trial.") % name)
        return ends_at
    go_at = letters_go_at(subscription, now)
    if go_at is None:
        raise NotPossible(_("%(account)s has Webmail: no letters are to go.") % name)
    return go_at


def _words(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
