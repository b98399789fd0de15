"""Letters and their tasks, from the side of the reader: what they may read, and in which tasks a letter is."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Mailbox, Message

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


@dataclass(frozen=True, slots=True)
class TakenAlong:
    """A task that somebody put into the bin, and how many letters of a mailbox went along; its title is not told."""

    number: int
    mailbox: str
    letters: int
    deleted_by: str
    deleted_at: datetime
    purges_at: datetime


def taken_along(owner: Employee, *, now: datetime) -> list[TakenAlong]:
    """What lies in the bin of the mailboxes that this employee owns, with tasks that they may not see (R29)."""
    mine = Task.objects.visible_to(owner).values("pk")
    binned = Task.objects.in_bin(now).filter(account=owner.account_id).exclude(pk__in=mine)
    links = TaskLetter.objects.filter(task__in=binned.values("pk"), message__mailbox__owner=owner.pk)
    links = links.filter(message__binned_at__isnull=False).select_related("task__deleted_by", "message__mailbox")
    groups: Counter[tuple[Task, Mailbox]] = Counter((link.task, link.message.mailbox) for link in links)
    told = [
        TakenAlong(
            number=task.number,
            mailbox=mailbox.name or mailbox.address,
            letters=count,
            deleted_by=str(task.deleted_by or ""),
            deleted_at=task.deleted_at,
            purges_at=task.purges_at,
        )
        for (task, mailbox), count in groups.items()
        if task.deleted_at is not None and task.purges_at is not None
    ]
    return sorted(told, key=lambda each: each.deleted_at, reverse=True)


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
    if with_readers:
        by_name = Employee.objects.order_by("name")
        rows = rows.prefetch_related(Prefetch("task__participants", by_name, to_attr="participants_by_name"))
    for link in rows.order_by("task__number", "pk"):
        of = link.message_id if key == "message_id" else link.message.conversation_id
        task = link.task
        found[of][task.pk] = LinkedTask(
            number=task.number,
            letter=link.message.public_id,
            public_id=task.public_id,
            title=task.title if link.is_mine else "",
            readers=_readers(task) if with_readers else (),
        )
    return {of: list(tasks.values()) for of, tasks in found.items()}


def _readers(task: Any) -> tuple[str, ...]:
    """As `change.people_in`, of a task whose participants were fetched along."""
    people = dict.fromkeys([task.responsible, task.creator, *task.participants_by_name])
    return tuple(str(person) for person in people)
