"""`letterdesk account delete …`, `… extend`, `… links`: an account goes or stays, gets time; its links are stopped."""

from typing import Annotated

import typer
from django.utils import timezone

from letterdesk.accounts.close import KEPT, close, purges_at, reopen
from letterdesk.outbound.links_off import switch_links
from letterdesk.plans.extend import Lasting, extend, more_time
from letterdesk.plans.limits import locked
from letterdesk.tenancy.figures import figures_of
from letterdesk.tenancy.purge import due, legal_holds, purge

from .output import AsJson, answer, fail, table
from .plan import account_of, moment_of

Name = Annotated[str, typer.Argument(help="The account's public id, or its name.")]
Until = Annotated[str, typer.Option(help="A later moment, in UTC: 2026-12-31T23:00.")]
Applies = Annotated[bool, typer.Option("--apply", help="Do it. Without: only show what would happen.")]


def delete(account: Name, *, applies: Applies = False, as_json: AsJson = False) -> None:
    """Ask for an account's deletion: locked at once, purged 30 days later. Without --apply: what that means."""
    found, now = account_of(account), timezone.now()
    told = figures_of(found)
    at = close(found, typed=found.name, by=None, now=now, operator="command line") if applies else now + KEPT
    facts = {"account": found.public_id, "name": found.name, "purged_at": at, "letters": told.letters,
             "tasks": told.tasks, "people": told.people, "legal_holds": legal_holds(found),
             "done": applies}  # fmt: skip
    text = f"{found.name}: {told.letters:,} letters, {told.tasks:,} tasks, {told.people:,} people go"
    text += f" on {at:%Y-%m-%d %H:%M} UTC. "
    text += "Everybody but its administrators is locked out." if applies else "This was a preview: --apply does it."
    answer(facts, as_json=as_json, text=text)


def restore(account: Name, *, as_json: AsJson = False) -> None:
    """Take an account's deletion back, until its purge begins."""
    found = account_of(account)
    reopen(found, by=None, operator="command line")
    answer({"account": found.public_id, "name": found.name}, as_json=as_json, text=f"{found.name} is open again.")


def purge_accounts(*, applies: Applies = False, as_json: AsJson = False) -> None:
    """Purge accounts whose 30 days are over, now instead of within the hour. What a legal hold protects is refused."""
    now, rows = timezone.now(), []
    for account in due(now):
        told = figures_of(account)
        if applies:
            purge(account, now=now)
        rows.append({"account": account.public_id, "name": account.name, "asked_at": purges_at(account),
                     "letters": told.letters, "legal_holds": legal_holds(account), "done": applies})  # fmt: skip
    table(rows, as_json=as_json, empty="No account is due.")


def give_time(
    account: Name, *, trial: Until = "", grace: Until = "", applies: Applies = False, as_json: AsJson = False
) -> None:
    """Let an account's trial end later, or its letters go later. Without --apply: what that would be."""
    found, now = account_of(account), timezone.now()
    if bool(trial) == bool(grace):
        raise fail("contradiction", "Name one of --trial and --grace, with the moment until which it lasts.")
    what, until = Lasting.TRIAL if trial else Lasting.GRACE, moment_of(trial or grace)
    with locked(found) as subscription:
        given = more_time(subscription, what, until, now=now)
    if applies:
        given = extend(found, what, until, by=None, now=now)
    facts = {"account": found.public_id, "what": what.value, "before": given.before, "until": given.until,
             "applied": applies}  # fmt: skip
    answer(facts, as_json=as_json)


def switch_account_links(
    account: Name,
    *,
    off: Annotated[bool, typer.Option("--off/--on", help="Lead nowhere at once, or where they led again.")],
    as_json: AsJson = False,
) -> None:
    """Switch off where links in the account's tracked letters lead, after an abuse; whoever follows one reads that."""
    found = account_of(account)
    is_news = switch_links(found, off=off, operator="command line", now=timezone.now())
    said = "lead nowhere" if off else "lead where they led"
    text = f"Links in letters of {found.name or found.public_id} {said}{'' if is_news else ', as before'}."
    answer({"account": found.public_id, "name": found.name, "links_on": not off}, as_json=as_json, text=text)


def lay_out(app: typer.Typer) -> None:
    """Add the commands to those of accounts."""
    app.command("delete")(delete)
    app.command("restore")(restore)
    app.command("purge")(purge_accounts)
    app.command("extend")(give_time)
    app.command("links")(switch_account_links)
