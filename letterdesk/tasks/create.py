"""A person makes a task, from nothing or from letters."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record
from letterdesk.mailboxes.models import Message

from .link import link, lock_letters
from .models import Numbering, Participant, Task

LONGEST_TITLE = 300


class BadTask(ValueError):
    """This cannot be a task; the text says why, in words for people."""


@transaction.atomic
def create(
    title: str,
    *,
    by: Employee,
    now: datetime,
    responsible: Employee | None = None,
    participants: Collection[Employee] = (),
    description: str = "",
    deadline: datetime | None = None,
    letters: Collection[Message] = (),
) -> Task:
    """Make a task; without a responsible person it is the maker's own. The letters are locked from now on (R4).

    The caller has found people and letters among what `by` may use. Raises BadTask, and MessageGone where a letter
    was removed meanwhile.
    """
    responsible = responsible or by
    task = Task(
        account=by.account,
        number=_next_number(by.account_id),
        title=checked_title(title),
        description=description.strip(),
        creator=by,
        responsible=responsible,
        deadline=deadline,
        created_at=now,
    )
    task.save(force_insert=True)
    others = {person.pk for person in participants} - {by.pk, responsible.pk}
    Participant.objects.bulk_create(
        Participant(account_id=by.account_id, task=task, employee_id=pk, added_by=by, added_at=now)
        for pk in sorted(others)
    )
    record("task.created", account=by.account, by=by, topic=task.topic, subject=task.reference, letters=len(letters))
    lock_letters([letter.pk for letter in letters])  # of several mailboxes: in the order in which all others lock
    for letter in letters:
        link(task, letter, by=by, now=now)
    return task


def checked_title(title: str) -> str:
    """The title in one line. Raises BadTask where there is none."""
    line = " ".join(title.split())[:LONGEST_TITLE]
    if not line:
        raise BadTask(_("A task needs a title."))
    return line


def _next_number(account_id: int) -> int:
    """The update is the lock: of two tasks at once, the second waits for its number."""
    Numbering.objects.get_or_create(account_id=account_id)
    Numbering.objects.filter(account=account_id).update(last=F("last") + 1)
    return Numbering.objects.get(account=account_id).last
