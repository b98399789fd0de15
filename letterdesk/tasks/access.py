"""Who may see and change tasks, and read the letters in them: the one place, as QuerySet methods (P9).

Named in a task are its creator, the responsible person and the participants. They see it, change it, and read its
letters, whether or not they may read the mailbox. Administrators oversee all tasks of the account, supervisors those
whose creator or responsible person is of their department: they see, change and delete them, but nobody reads a
letter by office. Participants do not delete. A dismissed employee sees nothing.
"""

from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Exists, Q

from letterdesk.accounts.models import Employee, Role

KEPT = timedelta(days=30)  # R29: how long the bin keeps a task


def _working(employee: Employee) -> Any:
    """The employee's row, unless dismissed since."""
    found = Employee.objects.filter(pk=employee.pk, account=employee.account_id)
    return found.filter(is_active=True, dismissed_at=None)


def _named(employee: Employee, way: str = "") -> Q:
    """Creator, responsible or participant; `way` leads from a row to its task, such as "task__"."""
    people = Employee.tasks_taken_part_in.through.objects.filter(employee=employee.pk)
    taking_part = Q(**{f"{way}pk__in": people.values("task")})
    return Q(**{f"{way}creator": employee.pk}) | Q(**{f"{way}responsible": employee.pk}) | taking_part


def _overseen(employee: Employee, way: str = "") -> Q:
    """All of the account for an administrator, those of the department's people for a supervisor."""
    supervisor = _working(employee).filter(role=Role.SUPERVISOR)
    theirs = Employee.objects.filter(account=employee.account_id, department__in=supervisor.values("department"))
    people = theirs.values("pk")
    of_department = Q(**{f"{way}creator__in": people}) | Q(**{f"{way}responsible__in": people})
    return Q(Exists(_working(employee).filter(role=Role.ADMINISTRATOR))) | of_department


class TaskQuerySet(models.QuerySet[Any]):
    """Tasks, by right."""

    def visible_to(self, employee: Employee) -> Self:
        """Tasks that this employee may see, in the bin or not."""
        return self._of(employee).filter(_named(employee) | _overseen(employee))

    def editable_by(self, employee: Employee) -> Self:
        """Tasks that this employee may change: those they see, while they are not in the bin."""
        return self.visible_to(employee).filter(deleted_at=None)

    def deletable_by(self, employee: Employee) -> Self:
        """Tasks that this employee may delete, restore and purge, with the letters that go along (R29)."""
        answering = Q(creator=employee.pk) | Q(responsible=employee.pk)
        return self._of(employee).filter(answering | _overseen(employee))

    def naming(self, employee: Employee) -> Self:
        """Tasks in which this employee is named."""
        return self._of(employee).filter(_named(employee))

    def _of(self, employee: Employee) -> Self:
        return self.filter(Exists(_working(employee)), account=employee.account_id)

    def present(self) -> Self:
        """Tasks that are not in the bin."""
        return self.filter(deleted_at=None)

    def in_bin(self, now: datetime) -> Self:
        """Tasks in the bin that can still be restored at `now` (R29)."""
        return self.filter(deleted_at__gt=now - KEPT)


class OfTaskQuerySet(models.QuerySet[Any]):
    """What belongs to a task: checklist, comments, files."""

    def visible_to(self, employee: Employee) -> Self:
        """Rows of tasks that this employee may see, and that are not in the bin."""
        return self._of(employee, _named(employee, "task__") | _overseen(employee, "task__"))

    def editable_by(self, employee: Employee) -> Self:
        """The same: who sees a task may change it."""
        return self.visible_to(employee)

    def _of(self, employee: Employee, right: Q) -> Self:
        return self.filter(right, Exists(_working(employee)), account=employee.account_id, task__deleted_at=None)


class PersonalQuerySet(OfTaskQuerySet):
    """What belongs to one person at a task: their reminders, and what they were told."""

    def visible_to(self, employee: Employee) -> Self:
        """This employee's own, of no single task, or of one that they still see and that is not in the bin."""
        seen = Q(task=None) | ((_named(employee, "task__") | _overseen(employee, "task__")) & Q(task__deleted_at=None))
        return self.filter(seen, Exists(_working(employee)), account=employee.account_id, employee=employee.pk)

    def editable_by(self, employee: Employee) -> Self:
        """The same: one's own."""
        return self.visible_to(employee)


class TaskLetterQuerySet(OfTaskQuerySet):
    """Letters in tasks."""

    def readable_by(self, employee: Employee) -> Self:
        """Links whose letter this employee may read because they are named in the task; not while it is in the bin."""
        return self._of(employee, _named(employee, "task__"))

    def removable_by(self, employee: Employee) -> Self:
        """Links that this employee may end: who may change the task, and the owner of the letter's mailbox (R4)."""
        named = _named(employee, "task__") | _overseen(employee, "task__")
        return self._of(employee, named | Q(message__mailbox__owner=employee.pk))
