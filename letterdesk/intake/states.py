"""What becomes of a letter that came in is written down, and its bytes are given back where they are needed no more."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from letterdesk.mailboxes import collect

from .models import KEPT, Arrived, State

SOON = timedelta(minutes=5)


def mine(row: Arrived, *states: str) -> Arrived | None:
    """The row, locked, if it is still in one of these states. Inside the caller's transaction."""
    return Arrived.objects.select_for_update(of=("self",)).filter(pk=row.pk, state__in=states).first()


@transaction.atomic
def leave(
    row: Arrived,
    state: str,
    *,
    now: datetime,
    why: str = "",
    facts: Mapping[str, Any] | None = None,
    is_kept: bool = True,
) -> None:
    """The letter is in this state from now on. Done: whoever took it holds its bytes, and we let them go; so we do
    where it is not to be kept."""
    said: dict[str, Any] = {"state": state, "why": why, "due_at": now + KEPT}
    if facts is not None:
        said["facts"] = dict(facts)
    Arrived.objects.filter(pk=row.pk).update(**said)
    if state == State.DONE or not is_kept:
        collect.let_go_of_holders(row.account_id, [row.holder], now=now)


def settle(row: Arrived, *, now: datetime) -> None:
    """Look at it again in a while: this was no failure."""
    Arrived.objects.filter(pk=row.pk, state=State.WAITING).update(tries=row.tries, due_at=now + SOON)


def again(row: Arrived, *states: str, now: datetime) -> bool:
    """Look at it anew, as if it had just come. False: it is in none of these states any more."""
    anew = {"state": State.WAITING, "why": "", "tries": 0, "due_at": now}
    return bool(Arrived.objects.filter(pk=row.pk, state__in=states).exclude(tries=0).update(**anew))


@transaction.atomic
def forget(row: Arrived, *, now: datetime) -> bool:
    """Remove what was done or left out long enough ago. False: it is not, or somebody took it up meanwhile."""
    held = mine(row, State.DONE, State.LEFT_OUT)
    if held is None or held.due_at > now:
        return False
    collect.let_go_of_holders(row.account_id, [row.holder], now=now)
    Arrived.objects.filter(pk=row.pk, state=held.state).delete()
    return True
