"""People change tasks: what they say, who is in them, when they are due, how far they have come; and comment."""

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record

from .create import BadTask, checked_title
from .link import lock
from .models import Comment, Participant, Status, Task
from .reminders import follow_deadline


class NotAllowed(PermissionError):
    """Nobody reads letters by office: who only oversees a task with letters puts nobody into it."""

    def __init__(self) -> None:
        super().__init__(_("There are letters in this task: only somebody who is in it can add people."))


class ChangedMeanwhile(ValueError):
    """Somebody else changed the task after the person who changes it now had opened it."""

    def __init__(self) -> None:
        super().__init__(
            _("Somebody changed this task while you were writing. Look at it above; save again to replace it.")
        )


class MovedMeanwhile(ValueError):
    """Somebody else moved the task after the person who moves it now had looked at it."""

    def __init__(self, task: Task) -> None:
        super().__init__(
            _("Somebody moved task #%(number)d meanwhile: it stays where they put it.") % {"number": task.number}
        )


def version_of(task: Task) -> str:
    """What `change` would replace, as a short word: another one after every change of it."""
    people = sorted(task.taking_part.values_list("employee_id", flat=True))
    said = (task.title, task.description, task.responsible_id, task.deadline and task.deadline.isoformat(), people)
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


@transaction.atomic
def change(
    task: Task,
    *,
    by: Employee,
    now: datetime,
    title: str,
    description: str,
    responsible: Employee,
    participants: Collection[Employee],
    deadline: datetime | None,
    seen: str = "",
) -> list[str]:
    """Write the task's fields anew; returns the names of those that changed.

    `seen`: the `version_of` what the person saw; empty: whatever it was. Raises BadTask, NotAllowed, InBin, and
    ChangedMeanwhile where somebody else wrote since.
    """
    lock(task)
    task.refresh_from_db()
    if seen and seen != version_of(task):
        raise ChangedMeanwhile
    _must_be_let_in(task, by, [responsible, *participants])
    wanted = {
        "title": checked_title(title),
        "description": description.strip(),
        "responsible": responsible,
        "deadline": deadline,
    }
    changed = [name for name, value in wanted.items() if getattr(task, name) != value]
    for name in changed:
        setattr(task, name, wanted[name])
    task.save(update_fields=changed)
    if "deadline" in changed:
        follow_deadline(task, now=now)
    if _change_participants(task, {person.pk for person in participants}, by=by, now=now):
        changed.append("participants")
    if changed:
        record("task.changed", account=task.account, by=by, topic=task.topic, subject=task.reference, changed=changed)
    return changed


@transaction.atomic
def change_status(task: Task, status: str, *, by: Employee, now: datetime, seen: str = "") -> bool:
    """Say how far it has come; a finished task locks its letters as before (R4). Returns whether that is new.

    `seen`: the status that the person saw; empty: whatever it was. Raises BadTask for an unknown status, InBin, and
    MovedMeanwhile where somebody else changed it since.
    """
    if status not in Status.values:
        raise BadTask(status)
    lock(task)
    task.refresh_from_db()
    if seen and seen != task.status:
        raise MovedMeanwhile(task)
    done = status == Status.DONE
    fields = {"status": status, "done_at": now if done else None, "done_by": by if done else None}
    if not Task.objects.filter(pk=task.pk).exclude(status=status).update(**fields):
        return False
    task.refresh_from_db()
    record("task.changed", account=task.account, by=by, topic=task.topic, subject=task.reference, changed=["status"])
    return True


def deadline_version(task: Task) -> str:
    """What `put_on` would replace, as a short word."""
    return task.deadline.astimezone(UTC).isoformat(timespec="minutes") if task.deadline else "none"


@transaction.atomic
def put_on(task: Task, deadline: datetime | None, *, by: Employee, now: datetime, seen: str = "") -> bool:
    """Set the deadline alone, or none. Returns whether that is new.

    `seen`: the `deadline_version` that the person saw; empty: whatever it was. Raises InBin, MovedMeanwhile.
    """
    lock(task)
    task.refresh_from_db()
    if seen and seen != deadline_version(task):
        raise MovedMeanwhile(task)
    if task.deadline == deadline:
        return False
    task.deadline = deadline
    task.save(update_fields=["deadline"])
    follow_deadline(task, now=now)
    record("task.changed", account=task.account, by=by, topic=task.topic, subject=task.reference, changed=["deadline"])
    return True


@transaction.atomic
def comment(task: Task, text: str, *, by: Employee, now: datetime, for_guests: bool = False) -> Comment:
    """Write a comment, an internal one unless `guests.write_to_guests` asks. Raises BadTask for an empty one, InBin."""
    lock(task)
    if not text.strip():
        raise BadTask(_("The comment is empty."))
    made = Comment.objects.create(
        account_id=task.account_id, task=task, by=by, text=text.strip(), at=now, for_guests=for_guests
    )
    record("task.commented", account=task.account, by=by, topic=task.topic, subject=task.reference)
    return made


def people_in(task: Task) -> list[Employee]:
    """Who is named in the task, and so reads its letters: responsible, creator, participants; each once."""
    return list(dict.fromkeys([task.responsible, task.creator, *task.participants.order_by("name")]))


def _must_be_let_in(task: Task, by: Employee, people: Collection[Employee]) -> None:
    inside = people_in(task)
    if by not in inside and any(person not in inside for person in people) and task.letters.exists():
        raise NotAllowed


def _change_participants(task: Task, wanted: set[int], *, by: Employee, now: datetime) -> bool:
    wanted = wanted - {task.creator_id, task.responsible_id}
    before = set(task.taking_part.values_list("employee_id", flat=True))
    task.taking_part.exclude(employee__in=wanted).delete()
    Participant.objects.bulk_create(
        Participant(account_id=task.account_id, task=task, employee_id=pk, added_by=by, added_at=now)
        for pk in sorted(wanted - before)
    )
    return wanted != before
