"""`letterdesk crm reindex`: what can be found in CRM, written anew."""

from typing import Annotated

import typer

from letterdesk.accounts.models import Account
from letterdesk.crm.search.check import rebuild

from .output import AsJson, answer, console
from .plan import account_of

app = typer.Typer()


@app.command("reindex")
def reindex(
    account: Annotated[str, typer.Argument(help="Public id or name of the account; all of them without.")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Write anew what can be found of records, notes and letters in CRM, piece by piece: people may work meanwhile."""
    done = {}
    for each in [account_of(account)] if account else Account.objects.filter(purged_at=None).order_by("pk"):
        done[each.public_id] = 0
        for count in rebuild(each):
            done[each.public_id] += count
            if not as_json:
                console.print(f"{each.name}: {done[each.public_id]}", end="\r", markup=False)
    rows = sum(done.values())
    answer({"accounts": done}, as_json=as_json, text=f"{rows} records, notes and letters can be found anew.")
