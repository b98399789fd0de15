"""Letters and their tasks, from the side of the reader: what they may read, and in which tasks a letter is."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Message

from .change import people_in
from .models import Task, TaskLetter


@dataclass(frozen=True, slots=True)
class LinkedTask:
    """A task in which a letter is. Without its title for who may not see it; the number says what locks the letter.

    `readers`: the names of those who read the letter there, where somebody asked for them.
    """

    number: int
    letter: str
    public_id: str
    title: str
    readers: tuple[str, ...] = ()

    @property
    def is_visible(self) -> bool:
        return bool(self.title)


def readable_letters(employee: Employee) -> QuerySet[Message]:
    """The letters that this employee may read because they are named in a task, whatever mailbox they lie in (R4)."""
    letters: QuerySet[Message] = Message.objects.filter(
        pk__in=TaskLetter.objects.readable_by(employee).values("message")
    )
    return letters


def tasks_of_letters(
    message_ids: Collection[int], *, employee: Employee, with_readers: bool = False
) -> dict[int, list[LinkedTask]]:
    """The tasks of these letters that are not in the bin, by key of the letter. The caller may read the letters."""
    return _by("message_id", TaskLetter.objects.filter(message__in=list(message_ids)), employee, with_readers)


def tasks_of_conversations(conversation_ids: Collection[int], *, employee: Employee) -> dict[int, list[LinkedTask]]:
    """As `tasks_of_letters`, by key of the conversation; one query, none where nothing is asked for."""
    if not conversation_ids:
        return {}
    links = TaskLetter.objects.filter(message__conversation__in=list(conversation_ids))
    return _by("message__conversation_id", links, employee, with_readers=False)


def _by(
    key: str,
    links: QuerySet[TaskLetter],
    employee: Employee,
    with_readers: bool,  # noqa: FBT001
) -> dict[int, list[LinkedTask]]:
    mine = Task.objects.visible_to(employee).filter(pk=OuterRef("task"))
    present = links.filter(task__deleted_at=None, account=employee.account_id).annotate(is_mine=Exists(mine))
    found: defaultdict[int, dict[int, LinkedTask]] = defaultdict(dict)
    rows: Any = present.select_related("task__creator", "task__responsible", "message__conversation")
    for link in rows.order_by("task__number", "pk"):
        of = link.message_id if key == "message_id" else link.message.conversation_id
        task = link.task
        found[of][task.pk] = LinkedTask(
            number=task.number,
            letter=link.message.public_id,
            public_id=task.public_id,
            title=task.title if link.is_mine else "",
            readers=tuple(str(person) for person in people_in(task)) if with_readers else (),
        )
    return {of: list(tasks.values()) for of, tasks in found.items()}
