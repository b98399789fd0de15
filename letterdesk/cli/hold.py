"""`letterdesk hold …`: legal holds, under which nothing is removed (F05)."""

from typing import Annotated

import typer
from django.utils import timezone

from letterdesk.mailboxes.models import Hold, LegalHold
from letterdesk.mailboxes.retention import legal

from .output import AsJson, answer, fail, table
from .plan import account_of

app = typer.Typer(help="Legal holds: letters that nothing removes.", no_args_is_help=True)
Account = Annotated[str, typer.Argument(help="The account's public id, or its name.")]


@app.command("list")
def show(account: Account, *, as_json: AsJson = False) -> None:
    """The holds of an account, released ones until their letters follow the rules again."""
    rows = [
        {
            "hold": hold.public_id,
            "on": _what(hold),
            "since": hold.placed_at,
            "complete": hold.covered_at is not None,
            "released": hold.released_at,
            "letters": Hold.objects.filter(account=hold.account_id, reference=hold.reference).count(),
            "reason": hold.reason,
        }
        for hold in legal.in_force(account_of(account))
    ]
    table(rows, as_json=as_json, empty="Nothing is on hold.")


@app.command("place")
def place(
    account: Account,
    *,
    reason: Annotated[str, typer.Option(help="Why: shown wherever the hold is.")],
    mailbox: Annotated[str, typer.Option(help="Address of a mailbox whose letters are held.")] = "",
    conversation: Annotated[str, typer.Option(help="Id of a conversation: the last part of its page's address.")] = "",
    address: Annotated[str, typer.Option(help="Letters from and to this address are held.")] = "",
    as_json: AsJson = False,
) -> None:
    """Hold the letters of a mailbox, a conversation or an address; without any, all. What arrives later, too."""
    found = account_of(account)
    box = found.mailboxes.filter(address__iexact=mailbox).first() if mailbox else None
    if mailbox and box is None:
        raise fail("no_such_mailbox", f"There is no mailbox {mailbox} in {found.name}.")
    talk = legal.conversation_named(found, conversation) if conversation else None
    if conversation and talk is None:
        raise fail("no_such_conversation", f"There is no conversation {conversation} in {found.name}.")
    if sum(map(bool, (mailbox, conversation, address))) > 1:
        raise fail("contradiction", "Name one of --mailbox, --conversation and --address: a hold is on one of them.")
    now = timezone.now()
    hold = legal.place(found, mailbox=box, conversation=talk, address=address, reason=reason, by=None, now=now)
    legal.cover_more(hold, now=now)
    answer({"hold": hold.public_id, "on": _what(hold)}, as_json=as_json)


@app.command("release")
def release(
    account: Account, hold: Annotated[str, typer.Argument(help="The hold's id.")], *, as_json: AsJson = False
) -> None:
    """Release a hold: its letters stay for 30 days more, then they follow the rules again."""
    found = legal.in_force(account_of(account)).filter(public_id=hold).first()
    if found is None or not legal.release(found, by=None, now=timezone.now()):
        raise fail("no_such_hold", f"There is no hold {hold} in force.")
    answer({"released": found.public_id}, as_json=as_json)


def _what(hold: LegalHold) -> str:
    conversation = hold.conversation.public_id if hold.conversation else ""
    return f"{hold.scope} {hold.mailbox or conversation or hold.address}".strip()
