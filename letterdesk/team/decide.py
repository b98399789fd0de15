"""What a letter does to a conversation of a shared mailbox. Pure; `follow.py` carries it out."""

from collections.abc import Set
from dataclasses import dataclass, replace
from datetime import datetime

from letterdesk.mailboxes.aside import lies_aside
from letterdesk.mailboxes.models import FolderRole, Status


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a conversation is, and whose: one person's, or one department's."""

    status: str = Status.NONE
    assignee: int | None = None  # keys
    department: int | None = None
    waiting_since: datetime | None = None  # since when whoever wrote waits for us (UTC)


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that came or was sent. `roles`: of the folders in which it lies; none: it is gone."""

    received_at: datetime
    roles: Set[str]
    is_ours: bool = False  # `mailboxes/ours.py`
    is_automatic: bool = False
    is_history: bool = False  # lay there before we looked


def after(standing: Standing, letter: Letter) -> Standing:
    """The standing after this letter.

    Whoever writes to us opens the conversation again, for whom it was before; what we write, here or in another
    program, makes it wait. Automatic letters and history change nothing that a person has decided; what lies in the
    inbox and was nobody's work is open from then on.
    """
    if not letter.roles or lies_aside(letter.roles):
        return standing
    is_new = standing.status == Status.NONE
    if letter.is_history:
        return replace(standing, status=Status.OPEN) if is_new and FolderRole.INBOX in letter.roles else standing
    if letter.is_ours:
        waits = standing.status in {Status.NONE, Status.OPEN} and not letter.is_automatic
        return replace(standing, status=Status.WAITING, waiting_since=None) if waits else standing
    if letter.is_automatic and not is_new:
        return standing
    since = letter.received_at if letter.is_automatic is False else None
    return replace(standing, status=Status.OPEN, waiting_since=standing.waiting_since or since)


def closed(standing: Standing) -> Standing:
    """Done with: nobody waits any more, and it stays whose it was."""
    return replace(standing, status=Status.CLOSED, waiting_since=None)


def given(standing: Standing, *, assignee: int | None, department: int | None) -> Standing:
    """Of this person, or this department, or of nobody; what had no status is open from then on."""
    status = standing.status or Status.OPEN
    return replace(standing, status=status, assignee=assignee, department=department)
