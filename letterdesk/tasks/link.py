"""A letter is linked to a task, which locks it, or taken out of it by a person (R4)."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes import bin as binned
from letterdesk.mailboxes.models import Conversation, Mailbox, Message
from letterdesk.mailboxes.retention import holds

from . import decide
from .decide import Link
from .models import Task, TaskLetter

REASON = "task"


class InBin(ValueError):
    """The task lies in the bin, or is gone: nothing can be changed in it."""

    def __init__(self) -> None:
        super().__init__(_("This task is in the bin. Restore it first."))


@transaction.atomic
def link(task: Task, letter: Message, *, by: Employee, now: datetime) -> TaskLetter:
    """Link a letter to a task: from now on it is not deleted, whatever its age (R4). Twice is once.

    Only this letter in this mailbox, not its conversation. Raises InBin, MessageGone, ValueError for a letter of
    another account (F10).
    """
    if letter.account_id != task.account_id:
        raise ValueError(f"message {letter.pk} is of another account than task {task.pk}")
    lock(task)
    lock_letters([letter.pk])
    holds.add(letter, reason=REASON, reference=task.reference, now=now)
    made, is_new = TaskLetter.objects.get_or_create(
        task=task, message=letter, defaults={"account_id": task.account_id, "linked_by": by, "linked_at": now}
    )
    settle([letter.pk], by=by, now=now)
    if is_new:
        _tell("letter.linked", task, letter, by=by)
    reach("link.before_commit")
    return made


@transaction.atomic
def unlink(task: Task, letter: Message, *, by: Employee, now: datetime) -> bool:
    """Take a letter out of a task; without another one, R9 applies to it again. Returns whether it was in it.

    Raises InBin.
    """
    lock(task)
    lock_letters([letter.pk])
    if not TaskLetter.objects.filter(task=task, message=letter).delete()[0]:
        return False
    holds.release(letter, reason=REASON, reference=task.reference)
    settle([letter.pk], by=by, now=now)
    _tell("letter.unlinked", task, letter, by=by)
    reach("unlink.before_commit")
    return True


def lock(task: Task) -> None:
    """Hold the task as it is until the end of the transaction; others may still point to it. Raises InBin."""
    row = Task.objects.select_for_update(no_key=True).filter(pk=task.pk).first()
    if row is None or row.deleted_at is not None:
        raise InBin


def lock_letters(message_ids: Collection[int]) -> None:
    """Hold letters, their mailboxes first as the sync does, so that what is decided stays true until the commit."""
    mailboxes = Mailbox.objects.filter(messages__in=list(message_ids)).values("pk")
    list(Mailbox.objects.select_for_update(no_key=True).filter(pk__in=mailboxes).order_by("pk").values_list("pk"))
    list(Message.objects.select_for_update().filter(pk__in=list(message_ids)).order_by("pk").values_list("pk"))


def links_of(message_ids: Collection[int]) -> list[Link]:
    """All links of these letters, to whatever task."""
    rows = TaskLetter.objects.filter(message__in=list(message_ids))
    return [
        Link(task, letter, in_bin=deleted_at is not None)
        for task, letter, deleted_at in rows.values_list("task_id", "message_id", "task__deleted_at")
    ]


def settle(message_ids: Collection[int], *, by: Employee | None, now: datetime) -> int:
    """Put those of these letters into the bin whose tasks all lie in it, and take the others out; the letters locked.

    Returns how many letters went in or came out.
    """
    hidden = decide.in_bin(links_of(message_ids))
    return binned.put_in(hidden, by=by, now=now) + binned.take_out(set(message_ids) - hidden, by=by)


def _tell(kind: str, task: Task, letter: Message, *, by: Employee) -> None:
    """The topic is the mailbox: its owner and readers learn of it."""
    mailbox = Mailbox.objects.get(pk=letter.mailbox_id)
    conversation = Conversation.objects.get(pk=letter.conversation_id)
    facts = {"letter": letter.public_id, "task": task.public_id, "conversations": [conversation.public_id]}
    record(kind, account=task.account, by=by, topic=mailbox.topic, subject=task.reference, **facts)
