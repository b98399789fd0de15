"""What became of a conversation, as its page tells it: who gave it to whom, who closed it, what opened it again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from letterdesk.accounts.models import Department, Employee
from letterdesk.events.models import Event
from letterdesk.mailboxes.models import Conversation

REMINDERS = {
    "conversation.reminder_set": "set",
    "conversation.reminded": "came",
    "conversation.reminder_ended": "ended",
}
KINDS = ("conversation.assigned", "conversation.status_changed", *REMINDERS)
MOST = 200  # the newest


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that happened to the conversation. Names are as they are now; "" for nobody, and for no longer known.

    `by` is "" where no person did it: then `why` says what did ("answer", "sent", "left", "unshared", "reminded").
    `reminder` is "" where it is about no reminder; `when`: of which it is set, or since when nobody has answered.
    """

    at: datetime
    by: str
    why: str
    is_self: bool = False  # they took it themselves
    to: str = ""
    was: str = ""
    status: str = ""  # what it became; "" where it was given to somebody
    is_first: bool = False  # it had no status before
    reminder: str = ""  # "set", "came", "ended"
    when: datetime | None = None


def history(conversation: Conversation) -> list[Turn]:
    """The turns of a conversation, oldest first, in at most three queries. The caller has checked that it is visible.

    That a letter made it open for the first time, or waiting for the first answer, is told by the letter itself.
    """
    events = Event.objects.filter(
        account=conversation.account_id, subject=f"conversation:{conversation.public_id}", kind__in=KINDS
    )
    told = [each for each in events.select_related("by").order_by("-at", "-pk")[:MOST] if not _is_silent(each)]
    names = _names(told)
    return [_turn(each, names) for each in reversed(told)]


def _is_silent(event: Event) -> bool:
    return event.by_id is None and event.facts.get("was") == "" and "status" in event.facts


def _turn(event: Event, names: dict[str, str]) -> Turn:
    facts = event.facts
    to = facts.get("to", "")
    return Turn(
        event.at,
        by=event.by.name if event.by else "",
        why=facts.get("why", ""),
        is_self=event.by is not None and to == f"employee:{event.by.public_id}",
        to=names.get(to, ""),
        was=names.get(facts.get("was", ""), ""),
        status=facts.get("status", ""),
        is_first="status" in facts and not facts.get("was"),
        reminder=REMINDERS.get(event.kind, ""),
        when=_moment(facts.get("until") or facts.get("since")),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _names(events: Iterable[Event]) -> dict[str, str]:
    references = {value for each in events for value in (each.facts.get("to"), each.facts.get("was")) if value}
    wanted = [reference.partition(":") for reference in references]
    people = [public_id for kind, _colon, public_id in wanted if kind == "employee"]
    departments = [public_id for kind, _colon, public_id in wanted if kind == "department"]
    found: dict[str, Any] = {}
    if people:
        for public_id, name in Employee.objects.filter(public_id__in=people).values_list("public_id", "name"):
            found[f"employee:{public_id}"] = name
    if departments:
        for public_id, name in Department.objects.filter(public_id__in=departments).values_list("public_id", "name"):
            found[f"department:{public_id}"] = name
    return found
