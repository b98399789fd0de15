"""The lines of a task's checklist: written, ticked, taken away by those who may change the task."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee

from .create import BadTask
from .link import lock
from .models import ChecklistItem, Task

MOST = 200  # lines


@transaction.atomic
def add_item(task: Task, text: str) -> ChecklistItem:
    """Write one more line. Raises BadTask where it says nothing or there are too many, InBin."""
    lock(task)
    line = " ".join(text.split())[:300]
    if not line:
        raise BadTask(_("The line is empty."))
    if task.checklist.count() >= MOST:
        raise BadTask(_("A checklist has %(most)d lines at the most.") % {"most": MOST})
    return ChecklistItem.objects.create(account_id=task.account_id, task=task, text=line)


def tick(item: ChecklistItem, *, on: bool, by: Employee, now: datetime) -> None:
    """Tick a line, or take the tick away."""
    item.is_done, item.done_by, item.done_at = on, by if on else None, now if on else None
    item.save(update_fields=["is_done", "done_by", "done_at"])
