"""`letterdesk retention …`: what leaves when its period ends, and the receipts of what left."""

import typer
from django.utils import timezone

from letterdesk.accounts.models import Account
from letterdesk.mailboxes import receipts
from letterdesk.mailboxes.models import Receipt
from letterdesk.mailboxes.sweep import preview, sweep

from .output import AsJson, answer, table

app = typer.Typer(help="What leaves when its period ends (R9).", no_args_is_help=True)


@app.command("preview")
def show_preview(*, as_json: AsJson = False) -> None:
    """What the sweep would remove now, mailbox by mailbox. Changes nothing."""
    now = timezone.now()
    rows = [
        {
            "account": account.name,
            "mailbox": due.mailbox.address,
            "letters": due.count,
            "quarantined": due.quarantined,
            "list": due.listed if as_json else due.listed[:12],
        }
        for account in Account.objects.order_by("pk")
        for due in preview(account, now=now)
    ]
    table(rows, as_json=as_json, empty="No letter's period is over.")


@app.command("sweep")
def sweep_now(*, as_json: AsJson = False) -> None:
    """Remove what is over, now. Nothing is changed on a mail server."""
    removed = sweep(now=timezone.now())
    answer({"removed": removed}, as_json=as_json, text=f"{removed:,} letters were removed.")


@app.command("verify")
def verify(*, as_json: AsJson = False) -> None:
    """Check the receipts of all deletions; exit 1 where one is missing or was changed."""
    rows = []
    for account in Account.objects.order_by("pk"):
        wrong = receipts.verify(account)
        count = Receipt.objects.filter(account=account).count()
        rows.append({"account": account.name, "receipts": count, "whole": not wrong, "trouble": "; ".join(wrong)})
    table(rows, as_json=as_json)
    if not all(row["whole"] for row in rows):
        raise typer.Exit(1)
