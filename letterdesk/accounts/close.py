"""An account's deletion is asked for, and taken back: closed for 30 days, then purged (tenancy/purge.py).

From this second everybody is locked out except its administrators, who may take it back, and nothing is
kept in step any more. Nothing is deleted yet.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from .history import tell
from .models import Account, Employee
from .roles import must_administrate
from .sessions import end_sessions

KEPT = timedelta(days=30)


class NotThisName(ValueError):
    """What was typed is not the account's name: nothing is done."""

    def __init__(self) -> None:
        super().__init__(_("That is not the name of the company. Nothing was done."))


class NotClosed(ValueError):
    """The account is not about to be deleted, or its purge has begun: there is nothing to take back."""

    def __init__(self) -> None:
        super().__init__(_("There is no deletion that could be taken back: it was not asked for, or has begun."))


class AlreadyClosed(ValueError):
    """The deletion was asked for already."""

    def __init__(self) -> None:
        super().__init__(_("The deletion of this account was asked for already."))


@transaction.atomic
def close(account: Account, *, typed: str, by: Employee | None, now: datetime, operator: str = "") -> datetime:
    """Ask for the account's deletion; returns when it is purged. `typed` must be its name; `by` None: an operator.

    Raises NotThisName, AlreadyClosed, NotAllowed.
    """
    if by is not None:
        must_administrate(by, account.pk)
    if " ".join(typed.split()).casefold() != " ".join(account.name.split()).casefold():
        raise NotThisName
    if not Account.objects.filter(pk=account.pk, closed_at=None).update(closed_at=now, closed_by=by):
        raise AlreadyClosed
    account.refresh_from_db()
    locked_out = 0
    for person in account.employees.filter(is_active=True):
        if not person.is_administrator:
            locked_out += 1
            end_sessions(person)
    tell("account.closed", account=account, by=by, purges_at=(now + KEPT).isoformat(), locked_out=locked_out,
         operator=operator)  # fmt: skip
    return now + KEPT


@transaction.atomic
def reopen(account: Account, *, by: Employee | None, operator: str = "") -> None:
    """Take the deletion back: all is as it was. Raises NotClosed once the purge has begun, NotAllowed."""
    if by is not None:
        must_administrate(by, account.pk)
    waiting = Account.objects.filter(pk=account.pk, closed_at__isnull=False, purge_began_at=None)
    if not waiting.update(closed_at=None, closed_by=None):
        raise NotClosed
    account.refresh_from_db()
    account.employees.filter(dismissed_at__isnull=False).update(warned_at=None)  # 7 days more from a new warning
    tell("account.reopened", account=account, by=by, operator=operator)


def purges_at(account: Account) -> datetime | None:
    """When the account is purged, 30 × 24 h after it was closed; None: it is open."""
    return None if account.closed_at is None else account.closed_at + KEPT
