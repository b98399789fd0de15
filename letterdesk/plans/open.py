"""Opens an account: the tenant, its plan, and its first administrator."""

from datetime import datetime
from zoneinfo import available_timezones

from django.db import transaction

from letterdesk.accounts.join import add_employee
from letterdesk.accounts.models import Account, Role
from letterdesk.events.record import record

from .catalogue import catalogue
from .models import Subscription


class UnknownTimeZone(ValueError):
    """A time zone that the tz database does not have."""


@transaction.atomic
def open_account(
    name: str,
    *,
    time_zone: str = "UTC",
    plan: str = "",
    administrator_email: str,
    administrator_name: str,
    password: str | None,
    now: datetime,
) -> Account:
    """Open an account with an administrator who can sign in at once; on the trial plan, the trial starts (R11).

    Without `plan` it is the catalogue's `opens_with`. Without a password the administrator sets one by "forgotten".
    Raises UnknownPlan, UnknownTimeZone, AddressTaken, and ValidationError for a password that is too weak.
    """
    if time_zone not in available_timezones():
        raise UnknownTimeZone(f"There is no time zone {time_zone!r}: use a name such as Europe/Berlin.")
    chosen = catalogue(now).plan(plan or catalogue().opens_with)
    account = Account.objects.create(name=name.strip(), time_zone=time_zone, created_at=now)
    Subscription.objects.create(
        account=account,
        plan=chosen.key,
        since=now,
        trial_started_at=now if chosen.key == catalogue().trial else None,
    )
    record("account.created", account=account, plan=chosen.key)
    add_employee(
        account, email=administrator_email, name=administrator_name, password=password, role=Role.ADMINISTRATOR, now=now
    )
    return account
