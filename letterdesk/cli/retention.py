"""`letterdesk retention …`: what leaves when its period ends, and the receipts of what left."""

from typing import Annotated

import typer
from django.utils import timezone

from letterdesk.accounts.models import Account
from letterdesk.mailboxes.models import Receipt
from letterdesk.mailboxes.retention import chain
from letterdesk.mailboxes.retention.choose_times import LookAgain, choose, propose
from letterdesk.mailboxes.retention.periods import Own
from letterdesk.mailboxes.retention.sweep import preview, sweep

from .output import AsJson, answer, fail, table
from .plan import account_of

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
    """Check the receipts of all deletions, each of them; exit 1 where one is missing or was changed."""
    rows = []
    for account in Account.objects.order_by("pk"):
        wrong = [str(flaw) for flaw in chain.check(account, now=timezone.now())]
        count = Receipt.objects.filter(account=account).count()
        rows.append({"account": account.name, "receipts": count, "whole": not wrong, "trouble": "; ".join(wrong)})
    table(rows, as_json=as_json)
    if not all(row["whole"] for row in rows):
        raise typer.Exit(1)


@app.command("times")
def times(
    account: Annotated[str, typer.Argument(help="The account's public id, or its name.")],
    *,
    mailbox: Annotated[str, typer.Option(help="Address of one mailbox; without, all of the account.")] = "",
    days: Annotated[int | None, typer.Option(help="Days that letters stay. None of the three: no own time.")] = None,
    sent: Annotated[int | None, typer.Option(help="Days in Sent, if others.")] = None,
    drafts: Annotated[int | None, typer.Option(help="Days in Drafts, if others.")] = None,
    applies: Annotated[bool, typer.Option("--apply", help="Do it. Without: only show what would happen.")] = False,
    sure: Annotated[bool, typer.Option("--sure", help="Even if it takes much; then it begins in 7 days.")] = False,
    as_json: AsJson = False,
) -> None:
    """Keep letters shorter than the plan: what that would do (a preview; --apply does it). Never longer."""
    found, now, own = account_of(account), timezone.now(), Own(days, sent, drafts)
    box = found.mailboxes.filter(forgotten_at=None, address__iexact=mailbox).first() if mailbox else None
    if mailbox and box is None:
        raise fail("no_such_mailbox", f"There is no mailbox {mailbox} in {found.name}.")
    seen = propose(found, own, mailbox=box, now=now)
    if applies:
        try:
            choose(found, own, mailbox=box, seen=seen.mark, confirmed=sure, by=None, now=now)
        except LookAgain as error:
            text = f"{error.proposal.goes:,} letters would go: say --sure, and it begins in 7 days."
            raise fail("not_sure", text) from error
    facts = {"letters_go": seen.goes, "stay_in_crm": seen.in_crm, "kept": seen.kept, "begins_at": seen.begins_at}
    answer({**facts, "applied": applies}, as_json=as_json)
