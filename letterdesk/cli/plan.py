"""`letterdesk account plan …`: an account's plan, what another would do to it, and the change itself."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from django.utils import timezone

from letterdesk.accounts.models import Account
from letterdesk.mailboxes.foresee import Preview, foresee
from letterdesk.plans.catalogue import catalogue
from letterdesk.plans.change import change_plan, choose_next, end_trial
from letterdesk.plans.limits import locked, plan_of
from letterdesk.plans.timeline import trial_ends_at, turn_of

from .output import AsJson, answer, fail, table

TRIAL_END = "trial-end"


def plan(
    account: Annotated[str, typer.Argument(help="The account's public id, or its name.")],
    *,
    to: Annotated[str, typer.Option(help="Key of the plan to go to; its consequences are shown.")] = "",
    at: Annotated[str, typer.Option(help="From when on, in UTC (2026-12-31T23:00), or trial-end; now without.")] = "",
    ends_trial: Annotated[bool, typer.Option("--end-trial", help="End the trial before its time.")] = False,
    takes_back: Annotated[bool, typer.Option("--take-back", help="Forget the plan that was chosen to follow.")] = False,
    applies: Annotated[bool, typer.Option("--apply", help="Do it. Without: only show what would happen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show an account's plan, or what another plan would do to it (a preview; --apply does it)."""
    found, now = account_of(account), timezone.now()
    if takes_back and (to or ends_trial):
        raise fail("contradiction", "--take-back goes alone: it forgets what was chosen, and chooses nothing.")
    if not (to or ends_trial):
        taken_back = _take_back(found, now, applies=applies) if takes_back else {}
        answer(_standing(found, now) | taken_back, as_json=as_json)
        return
    key = _key(found, to, ends_trial=ends_trial)
    seen = foresee(found, key, now=now)
    if applies:
        _apply(found, key, at, ends_trial=ends_trial, now=now)
    _tell(seen, at, applied=applies, as_json=as_json)


def account_of(name: str) -> Account:
    """The account of this public id or name; ends the command with words where there is none or more than one."""
    found = list(Account.objects.filter(public_id=name) or Account.objects.filter(name__iexact=name)[:2])
    if len(found) != 1:
        words = "There is no account" if not found else "There is more than one account"
        raise fail("no_such_account", f"{words} {name}: see `letterdesk account list`.")
    one: Account = found[0]
    return one


def _key(account: Account, to: str, *, ends_trial: bool) -> str:
    """The plan that comes. Raises UnknownPlan."""
    if not ends_trial:
        return catalogue().plan(to).key
    with locked(account) as subscription:
        return subscription.next_plan or catalogue().after_trial


def _apply(account: Account, key: str, at: str, *, ends_trial: bool, now: datetime) -> None:
    if ends_trial:
        end_trial(account, by=None, now=now)
    elif at:
        choose_next(account, key, at=_moment(at), by=None, now=now)
    else:
        change_plan(account, key, by=None, now=now)


def _moment(at: str) -> datetime | None:
    """A moment in UTC; None stands for the end of the trial."""
    return None if at == TRIAL_END else moment_of(at)


def moment_of(at: str) -> datetime:
    """A moment as it is written on the command line, in UTC; ends the command with words where it is none."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise fail("not_a_moment", f"{at} is no moment: write 2026-12-31T23:00, or {TRIAL_END}.") from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _take_back(account: Account, now: datetime, *, applies: bool) -> dict[str, Any]:
    """Forget what was chosen to follow, or say what would be forgotten."""
    with locked(account) as subscription:
        forgets = subscription.next_plan or None
    if applies:
        choose_next(account, "", at=None, by=None, now=now)
    return {"forgets": forgets, "applied": applies}


def _standing(account: Account, now: datetime) -> dict[str, Any]:
    with locked(account) as subscription:
        turn, ends_at = turn_of(subscription), trial_ends_at(subscription)
    current = plan_of(account, now=now)
    return {
        "account": account.public_id,
        "name": account.name,
        "plan": current.key,
        "since": subscription.since,
        "trial_ends_at": ends_at,
        "next_plan": turn.plan if turn and turn.at > now else None,
        "next_at": turn.at if turn and turn.at > now else None,
    }


def _tell(seen: Preview, at: str, *, applied: bool, as_json: bool) -> None:
    rows = [
        {
            "mailbox": each.mailbox.address,
            "owner": each.mailbox.owner.email,
            "becomes": "suspended" if each.is_suspended else "resumed" if each.is_resumed else "as it is",
            "letters_go": each.goes,
            "stay_in_crm": each.in_crm,
            "stay_with_tasks": each.with_tasks,
            "changes_dropped": each.dropped,
        }
        for each in seen.mailboxes
        if as_json or not each.is_untouched
    ]
    facts = {
        "from": seen.before.key,
        "to": seen.after.key,
        "at": at or "now",
        "applied": applied,
        "letters_go": seen.goes,
        "letters_go_at": seen.goes_at,
        "stay_in_crm": seen.in_crm,
        "stay_with_tasks": seen.with_tasks,
        "changes_dropped": seen.dropped,
    }
    if as_json:
        answer({**facts, "mailboxes": rows}, as_json=True)
        return
    table(rows, as_json=False, title=f"{seen.before.name} → {seen.after.name}", empty="No mailbox is affected.")
    text = f"{seen.goes:,} letters go here, {seen.in_crm:,} stay in CRM, {seen.with_tasks:,} stay with tasks. "
    text += "Nothing changes on a mail server. "
    answer({}, as_json=False, text=text + ("Done." if applied else "This was a preview: --apply does it."))
