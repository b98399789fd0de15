"""A task goes into the bin with the letters that no other task keeps, comes back with them, or goes for good (R29).

Here and not on the server: nothing of this writes a pending change, so no IMAP command follows from it (R10, R26).
CRM activities hold their own copy of a letter, and are not touched.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes import bin as binned
from letterdesk.mailboxes import collect
from letterdesk.mailboxes.models import Mailbox, Message
from letterdesk.mailboxes.retention import holds, legal, receipts
from letterdesk.mailboxes.retention.sweep import clock_is_in_doubt, settled

from . import decide, guests
from .access import KEPT
from .link import REASON, InBin, links_of, lock_letters, settle
from .models import Task, TaskLetter


class NotInBin(LookupError):
    """The task is not in the bin any more, or its 30 days are over."""

    def __init__(self) -> None:
        super().__init__(_("This task is not in the bin any more."))


class StillOnItsWay(ValueError):
    """Somebody changed a letter of the task, and the mail server does not know it yet, or a legal hold is being placed
    that may mean it: nothing is lost, so it waits."""

    def __init__(self) -> None:
        super().__init__(
            _("A change of a letter in it is still on its way, or a legal hold is being placed. Try again in a while.")
        )


@dataclass(frozen=True, slots=True)
class Consequences:
    """What deleting a task takes along, for the warning: letters that go, those that stay, and whose mailboxes."""

    going: list[Message]
    staying: list[Message]
    mailboxes: list[Mailbox]


def consequences(task: Task, *, for_good: bool = False) -> Consequences:
    """What goes along when this task goes into the bin, or from there for good."""
    letters = {
        link.message_id: link.message
        for link in task.letters.select_related("message__mailbox__owner").order_by("message__received_at", "pk")
    }
    links = links_of(letters)
    going = decide.locked_alone_by(task.pk, links) if for_good else decide.going_along(task.pk, links)
    mailboxes = {letter.mailbox_id: letter.mailbox for pk, letter in letters.items() if pk in going}
    return Consequences(
        going=[letter for pk, letter in letters.items() if pk in going],
        staying=[letter for pk, letter in letters.items() if pk not in going],
        mailboxes=list(mailboxes.values()),
    )


@transaction.atomic
def delete(task: Task, *, by: Employee, now: datetime) -> int:
    """Put the task and the letters that only it shows into the bin. Returns how many letters. Raises InBin."""
    letters = _lock_letters(task)
    if not Task.objects.filter(pk=task.pk, deleted_at=None).update(deleted_at=now, deleted_by=by):
        raise InBin
    count = settle(letters, by=by, now=now)
    record("task.deleted", account=task.account, by=by, topic=task.topic, subject=task.reference, letters=count)
    reach("task_delete.before_commit")
    task.refresh_from_db()
    return count


@transaction.atomic
def restore(task: Task, *, by: Employee, now: datetime) -> int:
    """Bring the task back, and its letters with it. Returns how many letters. Raises NotInBin."""
    letters = _lock_letters(task)
    if not Task.objects.in_bin(now).filter(pk=task.pk).update(deleted_at=None, deleted_by=None):
        raise NotInBin
    count = settle(letters, by=by, now=now)
    record("task.restored", account=task.account, by=by, topic=task.topic, subject=task.reference, letters=count)
    reach("task_restore.before_commit")
    task.refresh_from_db()
    return count


@transaction.atomic
def purge(task: Task, *, by: Employee | None, now: datetime) -> int:
    """Remove a task in the bin for good, with its files and the letters that have no other task. Returns how many.

    A letter that something else holds stays, and is shown again. Raises NotInBin, StillOnItsWay.
    """
    receipts.lock(task.account_id)
    letters = _lock_letters(task)
    if not Task.objects.select_for_update().filter(pk=task.pk, deleted_at__isnull=False).exists():
        raise NotInBin
    going = decide.locked_alone_by(task.pk, links_of(letters))
    if settled(legal.may_go(Message.objects.filter(pk__in=going))).count() != len(going):
        raise StillOnItsWay
    TaskLetter.objects.filter(task=task).delete()
    holds.release_all(reason=REASON, reference=task.reference, account_id=task.account_id)
    count = binned.purge(going, by=by, now=now)
    settle(letters, by=by, now=now)
    guests.let_go(task, now=now)
    collect.let_go_of_all(task.account_id, holder_of(task), now=now)
    record("task.purged", account=task.account, by=by, topic=task.topic, subject=task.reference, letters=count)
    Task.objects.filter(pk=task.pk).delete()
    reach("task_purge.before_commit")
    return count


def purge_due(*, now: datetime) -> int:
    """Purge the tasks whose 30 days in the bin are over; returns how many. None while the clock is in doubt (F11)."""
    if clock_is_in_doubt(now):
        return 0
    done = 0
    for task in Task.objects.filter(deleted_at__lte=now - KEPT).select_related("account").order_by("deleted_at"):
        try:
            purge(task, by=None, now=now)
        except (NotInBin, StillOnItsWay):
            continue  # another scheduler was quicker, or the next time
        done += 1
    return done


def holder_of(task: Task) -> str:
    """The holder's name of a task's own files among the blob references."""
    return f"task:{task.pk}"


def _lock_letters(task: Task) -> list[int]:
    """The task first, then its letters, as `link` does."""
    list(Task.objects.select_for_update().filter(pk=task.pk).values_list("pk"))
    letters = list(task.letters.values_list("message_id", flat=True))
    lock_letters(letters)
    return letters
