"""People ask to be reminded of tasks, before the deadline or at a moment of their choice; each for themselves.

When it is due is a column: a reminder before the deadline moves with it, and sleeps while there is none.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee

from .create import BadTask
from .link import lock
from .models import Reminder, Task

MOST = 10  # of one person in one task
LONGEST = 60 * 24 * 60  # minutes before a deadline


@transaction.atomic
def remind_before(task: Task, minutes: int, *, by: Employee, now: datetime) -> Reminder:
    """Remind `by` so many minutes before the deadline, wherever it moves. Raises BadTask, InBin."""
    if not 0 <= minutes <= LONGEST:
        raise BadTask(_("A reminder comes 60 days before the deadline at the most."))
    _must_have_room(task, by)
    due_at = due_before(task.deadline, minutes)
    if due_at is None or due_at <= now:
        raise BadTask(_("That would have been in the past."))
    made: Reminder
    made, _is_new = Reminder.objects.get_or_create(
        task=task, employee=by, minutes_before=minutes, defaults={"account_id": task.account_id, "due_at": due_at}
    )
    if made.told_at is not None:  # it was told of an earlier deadline
        made.told_at = None
        made.save(update_fields=["told_at"])
    return made


@transaction.atomic
def remind_at(task: Task, at: datetime, *, by: Employee, now: datetime) -> Reminder:
    """Remind `by` at that moment, whatever becomes of the deadline. Raises BadTask, InBin."""
    if at <= now:
        raise BadTask(_("That would have been in the past."))
    _must_have_room(task, by)
    made: Reminder
    made, _is_new = Reminder.objects.get_or_create(
        task=task, employee=by, minutes_before=None, due_at=at, defaults={"account_id": task.account_id}
    )
    return made


def follow_deadline(task: Task, *, now: datetime) -> None:
    """The deadline is another one: what hangs on it is due at another time, and told again if that lies ahead.

    Inside the caller's transaction. Whoever tells them now is waited for; what was told stays told where it is past.
    """
    hanging = list(task.reminders.exclude(minutes_before=None).select_for_update().order_by("pk"))
    for each in hanging:
        each.due_at = due_before(task.deadline, each.minutes_before or 0)
    Reminder.objects.bulk_update(hanging, ["due_at"])
    ahead = [each.pk for each in hanging if each.due_at is not None and each.due_at > now]
    Reminder.objects.filter(pk__in=ahead).update(told_at=None)


def due_before(deadline: datetime | None, minutes: int) -> datetime | None:
    """When a reminder so many minutes before the deadline is due; None: there is no deadline."""
    return deadline and deadline - timedelta(minutes=minutes)


def _must_have_room(task: Task, by: Employee) -> None:
    lock(task)
    task.refresh_from_db()
    if task.reminders.filter(employee=by, told_at=None).count() >= MOST:
        raise BadTask(_("You have %(most)d reminders of this task, which is the most.") % {"most": MOST})
