"""What an operator does to an account: each act in one transaction with an event that names the operator.

The event lies with the account, whose own people see who did it; the operator works elsewhere, so it names an address
and not a person of the account. Who may is asked of the rows at each act.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import transaction

from letterdesk.accounts import close as closing
from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record
from letterdesk.outbound import links_off
from letterdesk.plans import change
from letterdesk.plans.extend import Lasting, extend

from .accounts import accounts_for


class NotForYou(Exception):
    """Whoever asks is no operator, or none any more."""

    code = "not_for_you"


def put_on_plan(account: Account, plan: str, *, by: Employee, now: datetime) -> None:
    """Put the account on the plan of that key at once. Raises UnknownPlan."""
    _act(account, by, "plan", lambda: change.change_plan(account, plan, by=None, now=now), plan=plan)


def let_follow(account: Account, plan: str, *, by: Employee, now: datetime) -> None:
    """Choose what follows the trial; an empty key takes that back (R11). Raises UnknownPlan, NotPossible."""
    _act(account, by, "follow", lambda: change.choose_next(account, plan, at=None, by=None, now=now), plan=plan)


def end_trial(account: Account, *, by: Employee, now: datetime) -> None:
    """End the trial before its time (R11). Raises NotPossible."""
    _act(account, by, "end_trial", lambda: change.end_trial(account, by=None, now=now))


def give_time(account: Account, what: Lasting, until: datetime, *, by: Employee, now: datetime) -> None:
    """Let the trial, or the time of grace, last until then (R11, R12). Raises NotPossible."""
    _act(account, by, f"extend_{what.value}", lambda: extend(account, what, until, by=None, now=now))


def close(account: Account, *, typed: str, by: Employee, now: datetime) -> None:
    """Ask for the account's deletion. Raises NotThisName, AlreadyClosed."""
    _act(account, by, "close", lambda: closing.close(account, typed=typed, by=None, now=now, operator=by.email))


def reopen(account: Account, *, by: Employee) -> None:
    """Take the deletion back. Raises NotClosed."""
    _act(account, by, "reopen", lambda: closing.reopen(account, by=None, operator=by.email))


def switch_links(account: Account, *, off: bool, by: Employee, now: datetime) -> None:
    """Links of its tracked letters lead nowhere from now on, or where they led; also of an account that is purged."""
    act = "links_off" if off else "links_on"
    do = partial(links_off.switch_links, account, off=off, operator=by.email, now=now)
    _act(account, by, act, do, of_purged=True)


@transaction.atomic
def _act(
    account: Account, by: Employee, what: str, do: Callable[[], object], *, plan: str = "", of_purged: bool = False
) -> None:
    accounts = accounts_for(by) if of_purged else accounts_for(by).filter(purged_at=None)
    if not accounts.filter(pk=account.pk).exists():
        raise NotForYou
    do()
    record("operator.acted", account=account, operator=by.email, act=what, plan=plan)
