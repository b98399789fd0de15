"""Makes accounts, people and mailboxes that point at a rig server."""

from itertools import count
from typing import Any

from letterdesk.accounts.models import Account, Employee, Role
from letterdesk.mailboxes.models import Mailbox
from letterdesk.plans.models import Subscription

from .dovecot import User

_numbers = count(1)


def make_account(*, plan: str = "self-hosted") -> Account:
    """An account on a plan, with an administrator."""
    number = next(_numbers)
    account = Account.objects.create(name=f"Company {number}")
    Subscription.objects.create(account=account, plan=plan)
    Employee.objects.create_user(
        f"admin{number}@company.example", None, account=account, name="Ada Admin", role=Role.ADMINISTRATOR
    )
    return account


def make_mailbox(server: Any, user: User, *, account: Account | None = None, **fields: Any) -> Mailbox:
    """A mailbox for this user of a rig server (Dovecot, Liar or CutProxy), connected but never synced."""
    account = account or make_account()
    owner = account.employees.get(role=Role.ADMINISTRATOR)
    facts = {
        "address": f"{user.name.partition('@')[0]}@rig.example",
        "name": user.name,
        "imap_host": server.host,
        "imap_port": server.port,
        "imap_security": "none",
        "imap_user": user.name,
        "secret": {"password": user.password},
    }
    return Mailbox.objects.create(account=account, owner=owner, **{**facts, **fields})
