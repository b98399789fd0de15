"""`letterdesk account usage …`: what an account has sent, and whether the counter is what its ledger says."""

from typing import Annotated

import typer
from django.utils import timezone

from letterdesk.accounts.models import Account
from letterdesk.plans.models import Usage
from letterdesk.plans.usage import meter, recount

from .output import AsJson, answer
from .plan import account_of


def usage(
    account: Annotated[str, typer.Argument(help="The account's public id, or its name.")],
    *,
    repairs: Annotated[bool, typer.Option("--repair", help="Where the two differ, set the counter right.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show this month's outgoing e-mails, and count them anew from the ledger (R22, R23)."""
    found = account_of(account)
    difference = _difference(found, repairs=repairs)
    told = meter(found, now=timezone.now())
    facts: dict[str, object] = {
        "month": f"{told.month:%Y-%m}",
        "used": told.used,
        "limit": "unlimited" if told.limit is None else told.limit,
        "next_month": told.ends_at,
        "difference": difference,
    }
    answer(facts | dict(told.by_channel), as_json=as_json)


def _difference(account: Account, *, repairs: bool) -> int:
    """Of all months: 0 is right."""
    months = Usage.objects.filter(account=account)
    return sum(recount(each, repair=repairs) for each in months)
