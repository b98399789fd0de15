"""Who may see and change what in CRM: the one place, as QuerySet methods (P9).

A role sees its own records, those of its department, or all (`Sight`): by default employees their own, supervisors
their department's, administrators all. An activity is seen by whoever sees one of the records at which it stands,
whatever mailbox its letter came through (R8). A dismissed employee sees nothing.
"""

from datetime import datetime, timedelta
from typing import Any, Self

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q

from letterdesk.accounts.access import OfAccountQuerySet
from letterdesk.accounts.models import Employee, Role

KEPT = timedelta(days=30)  # R8: how long CRM's bin keeps records and activities
_DEFAULT = {"own": Role.EMPLOYEE, "department": Role.SUPERVISOR, "all": Role.ADMINISTRATOR}


def _working(employee: Employee) -> Any:
    """The employee's row, unless dismissed since."""
    found = Employee.objects.filter(pk=employee.pk, account=employee.account_id)
    return found.filter(is_active=True, dismissed_at=None)


def _seeing(employee: Employee, scope: str) -> Any:
    """The employee's row, if people of their role see that much."""
    sights = apps.get_model("crm", "Sight").objects.filter(account=employee.account_id, role=OuterRef("role"))
    unsaid = Q(~Exists(sights), role=_DEFAULT[scope])
    return _working(employee).filter(Q(Exists(sights.filter(scope=scope))) | unsaid)


def _within_sight(employee: Employee, way: str = "") -> Q:
    """Records within the employee's sight; `way` leads from a row to its record, such as "record__"."""
    of_department = Employee.objects.filter(
        account=employee.account_id, department__in=_seeing(employee, "department").values("department")
    )
    mine = Q(**{f"{way}responsible": employee.pk}) & Q(Exists(_working(employee)))
    return mine | Q(**{f"{way}responsible__in": of_department.values("pk")}) | Q(Exists(_seeing(employee, "all")))


class RecordQuerySet(models.QuerySet[Any]):
    """Records, by right."""

    def visible_to(self, employee: Employee) -> Self:
        """Records that this employee may see, in the bin or not."""
        return self.filter(_within_sight(employee), account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """Records that this employee may change, delete and restore: those they see."""
        return self.visible_to(employee)

    def present(self) -> Self:
        """Records that are not in the bin."""
        return self.filter(deleted_at=None)

    def in_bin(self, now: datetime) -> Self:
        """Records in the bin that can still be restored at `now`."""
        return self.filter(deleted_at__gt=now - KEPT)


class StageQuerySet(OfAccountQuerySet):
    """Stages of leads and deals."""

    def of_kind(self, kind: str) -> Self:
        """The stages of the pipelines of one kind of record, in their order."""
        return self.filter(pipeline__kind=kind).order_by("pipeline__position", "pipeline", "position", "pk")


class OfRecordQuerySet(models.QuerySet[Any]):
    """What belongs to a record: addresses, telephone numbers."""

    def visible_to(self, employee: Employee) -> Self:
        """Rows of records that this employee may see."""
        return self.filter(_within_sight(employee, "record__"), account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """The same: who sees a record may change it."""
        return self.visible_to(employee)


class BindingQuerySet(OfRecordQuerySet):
    """Which activities stand at which records."""

    def present(self) -> Self:
        """Those of which neither side lies in the bin."""
        return self.filter(record__deleted_at=None, activity__deleted_at=None)


class ActivityQuerySet(models.QuerySet[Any]):
    """Activities, by right."""

    def visible_to(self, employee: Employee) -> Self:
        """Activities at a record that this employee may see, in the bin or not (R8)."""
        bindings = apps.get_model("crm", "Binding").objects.filter(activity=OuterRef("pk"))
        return self.filter(Exists(bindings.filter(_within_sight(employee, "record__"))), account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """Activities that this employee may delete, restore and bind elsewhere: those they see."""
        return self.visible_to(employee)

    def present(self) -> Self:
        """Activities that are not in the bin."""
        return self.filter(deleted_at=None)

    def in_bin(self, now: datetime) -> Self:
        """Activities in the bin that can still be restored at `now`."""
        return self.filter(deleted_at__gt=now - KEPT)
