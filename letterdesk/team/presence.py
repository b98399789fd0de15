"""Who has a conversation before them, reading or writing: a sign of life that lapses by itself.

A page says every 10 seconds that it is there; 20 seconds after its last word it is forgotten, so a browser that crashed
is gone within half a minute. One row for each person and conversation; what lapsed goes with the next sign of anybody.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Conversation

from .models import Presence

EXPIRES = timedelta(seconds=20)
MOST = 20  # people told of at once


def here(conversation: Conversation, *, employee: Employee, writing: bool, now: datetime) -> None:
    """A sign of life."""
    Presence.objects.filter(until__lt=now).delete()
    row = Presence(
        account_id=conversation.account_id, conversation=conversation, employee=employee,
        is_writing=writing, until=now + EXPIRES,
    )  # fmt: skip
    Presence.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["conversation", "employee"],
        update_fields=["is_writing", "until"],
    )


def gone(conversation: Conversation, *, employee: Employee) -> None:
    """The page was closed."""
    Presence.objects.filter(conversation=conversation, employee=employee).delete()


def others(conversation: Conversation, *, employee: Employee, now: datetime) -> list[Presence]:
    """Who else is there, those who write first. The caller has checked that the employee may read it."""
    found = Presence.objects.filter(conversation=conversation, until__gt=now).exclude(employee=employee)
    return list(found.select_related("employee").order_by("-is_writing", "employee__name")[:MOST])


@dataclass
class Watch:
    """Tells what changed in who is where since it last looked; the event table learns nothing of it."""

    _before: dict[tuple[str, str], frozenset[tuple[int, bool]]] = field(default_factory=dict)

    def news(self, now: datetime) -> list[tuple[str, str]]:
        """(topic of the mailbox, public id of the conversation) of each where somebody came, went or began to write."""
        rows = Presence.objects.filter(until__gt=now).select_related("conversation__mailbox")
        there: dict[tuple[str, str], set[tuple[int, bool]]] = {}
        for row in rows:
            where = (row.conversation.mailbox.topic, row.conversation.public_id)
            there.setdefault(where, set()).add((row.employee_id, row.is_writing))
        now_there = {where: frozenset(people) for where, people in there.items()}
        before, self._before = self._before, now_there
        return [
            where
            for where in {*before, *now_there}
            if before.get(where, frozenset()) != now_there.get(where, frozenset())
        ]
