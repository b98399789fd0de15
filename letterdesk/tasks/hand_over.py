"""Tasks of somebody who left go to a colleague: who answers for a task is always somebody who is here.

A task whose people all left can be opened by nobody, and nobody may put others into it; its responsible person is one
of them, so handing that one's tasks over solves it. Whom a task names reads its letters, so this is for
administrators, for people who left, and on record: as handing over a mailbox is (docs/decisions/0009-who-leaves.md).
Creator and participants stay as they are: they are history, and come back with the person.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.accounts.roles import must_administrate
from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach

from .models import Participant, Status, Task

AT_ONCE = 500


class NotHandedOver(ValueError):
    """These tasks go to nobody so; the text says why."""


def left_behind(account: Account) -> dict[int, int]:
    """How many tasks wait for somebody: by key of the dismissed person who is responsible for them."""
    orphaned = Task.objects.filter(account=account, responsible__dismissed_at__isnull=False).order_by()
    return dict(orphaned.values_list("responsible").annotate(number=Count("pk")))


def open_tasks(person: Employee) -> int:
    """How many tasks this person answers for that are neither done nor in the bin."""
    return Task.objects.filter(responsible=person, deleted_at=None).exclude(status=Status.DONE).count()


def hand_over(person: Employee, *, to: Employee, by: Employee, now: datetime) -> int:
    """Make `to` responsible for all tasks of a dismissed person, done and in the bin as well; returns how many.

    In pieces, each on record; a crash leaves whole pieces. Raises NotAllowed, NotHandedOver.
    """
    must_administrate(by, person.account_id)
    done = 0
    while piece := _piece(person, to, by, now):
        done += piece
    return done


@transaction.atomic
def _piece(person: Employee, to: Employee, by: Employee, now: datetime) -> int:
    _check(person, to)
    tasks = Task.objects.select_for_update().filter(account=person.account_id, responsible=person).order_by("pk")
    numbers = dict(tasks.values_list("pk", "number")[:AT_ONCE])
    if not numbers:
        return 0
    Task.objects.filter(pk__in=numbers, responsible=person).update(responsible=to)
    Participant.objects.filter(task__in=list(numbers), employee=to).delete()  # named once
    record("task.handed_over", account=person.account, by=by, subject=f"employee:{to.public_id}",
           tasks=list(numbers.values()), count=len(numbers), **{"from": person.public_id})  # fmt: skip
    reach("hand_over.before_commit")
    return len(numbers)


def _check(person: Employee, to: Employee) -> None:
    rows = Employee.objects.select_for_update(no_key=True).filter(pk__in=(person.pk, to.pk), account=person.account_id)
    here = {row.pk: row for row in rows.order_by("pk")}
    if person.pk not in here or here[person.pk].dismissed_at is None:
        raise NotHandedOver(_("Only tasks of somebody who left are handed over as a whole."))
    heir = here.get(to.pk)
    if heir is None or not heir.is_active or heir.dismissed_at is not None:
        raise NotHandedOver(_("Tasks can go to an active employee of the same company only."))
