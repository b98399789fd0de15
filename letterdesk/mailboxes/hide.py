"""Letters that somebody put away for themselves alone: they may read, but not delete on the server (R27)."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from letterdesk.accounts.models import Employee

from . import rows
from .models import HiddenLetter, Mailbox, Message, Placement


def hide(messages: Iterable[Message], *, by: Employee, now: datetime) -> None:
    """Hide letters from this employee alone. Inside the caller's transaction."""
    new = [HiddenLetter(account_id=one.account_id, employee=by, message=one, hidden_at=now) for one in messages]
    rows.insert(new, conflict="ON CONFLICT (employee_id, message_id) DO NOTHING")


def show_again(message_ids: Collection[int], *, to: Employee) -> int:
    """Show letters again that this employee had hidden; returns how many."""
    return HiddenLetter.objects.filter(employee=to, message__in=list(message_ids)).delete()[0]


def hidden_letters(employee: Employee) -> QuerySet[Message]:
    """The letters that this employee has hidden, may still read, and does not own, latest hidden first."""
    hidden = Message.objects.visible_to(employee).filter(hidden_from__employee=employee)
    others: QuerySet[Message] = hidden.exclude(mailbox__owner=employee)
    return others.select_related("conversation", "mailbox").order_by("-hidden_from__hidden_at", "-pk")


def hidden_from(employee: Employee, conversation: str) -> QuerySet[Any]:
    """Letters of an outer row's conversation that are hidden from this employee. An owner sees everything."""
    own = Mailbox.objects.filter(owner=employee).values("pk")
    letters = Message.objects.filter(conversation=OuterRef(conversation)).exclude(mailbox__in=own)
    return letters.filter(Exists(HiddenLetter.objects.filter(employee=employee, message=OuterRef("pk"))))


def is_shown_to(lines: QuerySet[Any], employee: Employee) -> QuerySet[Any]:
    """Lines of which at least one letter is not hidden from this employee."""
    return lines.filter(~Exists(hidden_from(employee, "conversation")) | Exists(_shown_places(employee)))


def wholly_hidden(lines: QuerySet[Any], employee: Employee) -> QuerySet[Any]:
    """Lines of which every letter is hidden from this employee: found by way of the few that hid any."""
    own = Mailbox.objects.filter(owner=employee).values("pk")
    hidden = HiddenLetter.objects.filter(employee=employee).exclude(message__mailbox__in=own)
    touched = lines.filter(conversation__in=hidden.values("message__conversation"))
    return touched.filter(~Exists(_shown_places(employee)))


def _shown_places(employee: Employee) -> QuerySet[Any]:
    places = Placement.objects.filter(folder=OuterRef("folder"), conversation=OuterRef("conversation")).shown()
    return without_hidden(places, employee, message="message")


def without_hidden(found: QuerySet[Any], employee: Employee, *, message: str) -> QuerySet[Any]:
    """Rows whose letter is not hidden from this employee; `message` is how a row finds its letter."""
    own = Mailbox.objects.filter(owner=employee).values("pk")
    hidden = HiddenLetter.objects.filter(employee=employee, message=OuterRef(message))
    return found.filter(~Exists(hidden.exclude(message__mailbox__in=own)))
