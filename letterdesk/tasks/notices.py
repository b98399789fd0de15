"""What people are told of tasks: a reminder that is due, and once a day what is overdue. Once, however many look.

A notice is a row with a key that its person has once. It is written with its event in the transaction that takes the
reminder, so neither a crash nor a second scheduler makes two of one, or none. Who is told by e-mail as well is for
whoever reacts to the events.
"""

from datetime import datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count

from letterdesk.accounts.models import Employee
from letterdesk.accounts.zones import zone_of
from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach

from .models import Notice, Reminder, Task

AT_ONCE = 200
MORNING = time(8, 0)  # of the person's day: not before it are they told what is overdue
SHOWN = timedelta(days=30)  # how long a notice is listed


def tell_due(*, now: datetime, limit: int = AT_ONCE) -> int:
    """Tell the reminders that are due; returns how many were taken, told or not needed any more.

    What is done, or not visible any more to the person, is told to nobody. What lies in the bin waits for its task, and
    in a closed account all waits: its people are locked out, and find it if the deletion is taken back (F17).
    """
    with transaction.atomic():
        due = Reminder.objects.filter(told_at=None, due_at__lte=now, task__deleted_at=None)
        due = due.filter(account__closed_at=None)
        rows = due.select_for_update(of=("self",)).select_related("task__account", "employee__account")
        taken = list(rows.order_by("due_at", "pk")[:limit])
        Reminder.objects.filter(pk__in=[each.pk for each in taken]).update(told_at=now)
        for each in taken:
            if _is_wanted(each):
                _tell_reminder(each, now)
        reach("tell_due.before_commit")
    return len(taken)


def _is_wanted(reminder: Reminder) -> bool:
    is_visible = Task.objects.visible_to(reminder.employee).filter(pk=reminder.task_id).exists()
    return is_visible and not reminder.task.is_done


def _tell_reminder(reminder: Reminder, now: datetime) -> None:
    key = f"reminder:{reminder.pk}:{reminder.due_at:%Y%m%dT%H%M}"
    facts = {"task": reminder.task, "kind": Notice.Kind.REMINDER}
    if _write(reminder.employee, key, now, **facts) is not None:
        person, task = reminder.employee, reminder.task
        record("task.reminded", account=task.account, topic=person.topic, subject=task.reference)


def tell_overdue(*, now: datetime) -> int:
    """Tell each responsible person once a day, from their morning on, how many of their tasks are overdue.

    Returns how many people were told.
    """
    overdue = Task.objects.present().filter(done_at=None, deadline__lt=now)  # as the index task_overdue has them
    counts = dict(overdue.order_by().values_list("responsible").annotate(number=Count("pk")))
    lately = Notice.objects.filter(kind=Notice.Kind.OVERDUE, at__gte=now - timedelta(days=2))
    told = set(lately.values_list("employee_id", "key"))
    people = Employee.objects.filter(pk__in=counts, dismissed_at=None, is_active=True, account__closed_at=None)
    people = people.select_related("account")
    return sum(
        _tell_overdue(person, counts[person.pk], now)
        for person in people.order_by("pk")
        if _is_time(person, now) and (person.pk, _key_of_day(person, now)) not in told
    )


def _is_time(person: Employee, now: datetime) -> bool:
    return now.astimezone(zone_of(person)).time() >= MORNING


def _key_of_day(person: Employee, now: datetime) -> str:
    return f"overdue:{now.astimezone(zone_of(person)).date().isoformat()}"


@transaction.atomic
def _tell_overdue(person: Employee, count: int, now: datetime) -> bool:
    made = _write(person, _key_of_day(person, now), now, kind=Notice.Kind.OVERDUE, count=count)
    if made is None:
        return False
    before = Notice.objects.filter(employee=person, kind=Notice.Kind.OVERDUE, seen_at=None)
    before.exclude(pk=made.pk).update(seen_at=now)  # who was away for a week is not told seven times
    record("task.overdue", account=person.account, topic=person.topic, count=count)
    reach("tell_overdue.before_commit")
    return True


def _write(person: Employee, key: str, now: datetime, **facts: Any) -> Notice | None:
    """The notice, or None where this person has been told that already."""
    defaults = {"account_id": person.account_id, "at": now, **facts}
    made, is_new = Notice.objects.get_or_create(employee=person, key=key, defaults=defaults)
    return made if is_new else None


def forget_notices(*, now: datetime) -> int:
    """Remove what is not listed any more, and the reminders that were told that long ago."""
    before = now - SHOWN
    told = Reminder.objects.filter(told_at__lt=before, minutes_before=None).delete()[0]
    return told + Notice.objects.filter(at__lt=before).delete()[0]
