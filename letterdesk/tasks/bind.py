"""A task is about records of CRM: shown at both, and no more than a link; neither side's rights follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from letterdesk.accounts.models import Employee
from letterdesk.crm.models import Record
from letterdesk.events.record import record as tell

from .link import lock
from .models import Task, TaskRecord

MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody sees of one side's links to the other, and how many there are that they do not see."""

    shown: Sequence[Any]
    hidden: int


@transaction.atomic
def bind(task: Task, record: Record, *, by: Employee, now: datetime) -> bool:
    """Say that a task is about a record. Twice is once: returns whether it is new.

    The caller has found both among what `by` may change. Raises InBin, ValueError for a record of another account
    (F10).
    """
    if record.account_id != task.account_id:
        raise ValueError(f"record {record.pk} is of another account than task {task.pk}")
    lock(task)
    _made, is_new = TaskRecord.objects.get_or_create(
        task=task, record=record, defaults={"account_id": task.account_id, "linked_by": by, "linked_at": now}
    )
    if is_new:
        _tell(task, by)
    return is_new


@transaction.atomic
def release(task: Task, record: Record, *, by: Employee) -> bool:
    """The task is not about the record any more. Returns whether it was. Raises InBin."""
    lock(task)
    if not TaskRecord.objects.filter(task=task, record=record).delete()[0]:
        return False
    _tell(task, by)
    return True


def records_of(task: Task, employee: Employee) -> Seen:
    """The records that the task is about, but for those in CRM's bin."""
    links = Record.objects.present().filter(task_links__task=task)
    mine = links.filter(pk__in=Record.objects.visible_to(employee).values("pk"))
    shown = list(mine.select_related("company").order_by("name", "pk"))
    return Seen(shown[:MOST_SHOWN], links.count() - len(shown))


def tasks_of(record: Record, employee: Employee) -> Seen:
    """The tasks that are about the record, but for those in the bin: open ones first, by deadline."""
    there = Task.objects.present().filter(record_links__record=record).count()
    if not there:
        return Seen([], 0)
    links = TaskRecord.objects.filter(record=record)
    mine = Task.objects.visible_to(employee).present().filter(pk__in=links.values("task")).select_related("responsible")
    shown = list(mine.order_by(F("done_at").desc(nulls_first=True), F("deadline").asc(nulls_last=True), "-pk"))
    return Seen(shown[:MOST_SHOWN], there - len(shown))


def _tell(task: Task, by: Employee) -> None:
    tell("task.changed", account=task.account, by=by, topic=task.topic, subject=task.reference, changed=["records"])
