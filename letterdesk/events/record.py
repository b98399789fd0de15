"""Tells what happened, once, in the transaction that did it."""

from django.db import transaction

from letterdesk.accounts.models import Account, Employee

from .dispatch import dispatch_events
from .kinds import KINDS
from .models import Event
from .reactions import reactions

LONGEST_TEXT = 1000


class UnknownKind(ValueError):
    """An event of a kind that events/kinds.py does not declare."""


def record(
    kind: str, *, account: Account, by: Employee | None = None, topic: str = "", subject: str = "", **facts: object
) -> Event:
    """Write that something happened; what reacts to it is woken after the commit.

    `topic` says whom it concerns live ("mailbox:<public id>"), `subject` what it was about. `facts` are ids, counts
    and names, never what a letter says. Raises UnknownKind, and TypeError for facts that are no plain values.
    """
    if kind not in KINDS:
        raise UnknownKind(f"{kind!r} is not declared in events/kinds.py")
    for name, value in facts.items():
        _must_be_plain(name, value)
    event = Event(account=account, kind=kind, topic=topic, subject=subject, by=by, facts=facts)
    if not reactions(kind):
        event.dispatched_at = event.at  # nobody waits for it: no second write, no job
    event.save(force_insert=True)
    if event.dispatched_at is None:
        _wake_once()
    return event


def _wake_once() -> None:
    """One wake-up per transaction, however many events it records."""
    wake = dispatch_events.later
    if not any(hook == wake for _, hook, *_ in transaction.get_connection().run_on_commit):
        transaction.on_commit(wake)


def _must_be_plain(name: str, value: object) -> None:
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, str | int | float | None):
            raise TypeError(f"Fact {name} is {type(item).__name__}: only numbers, short texts, None and lists of these")
        if isinstance(item, str) and len(item) > LONGEST_TEXT:
            raise TypeError(f"Fact {name} has {len(item)} characters: facts are not a place for content")
