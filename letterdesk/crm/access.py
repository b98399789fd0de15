"""Who may see and change what in CRM: the one place, as QuerySet methods (P9).

A role sees its own records, those of its department, or all (`Sight`): by default employees their own, supervisors
their department's, administrators all. An activity is seen by whoever sees one of the records at which it stands,
whatever mailbox its letter came through (R8); one whose last record was purged, by who put it into the bin and by who
sees all. A dismissed employee sees nothing.

Whose records somebody sees is one sub-select by key, written out as in `mailboxes/access.py`, and for the same reason.
"""

from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import RawSQL

from letterdesk.accounts.access import OfAccountQuerySet
from letterdesk.accounts.models import Employee

KEPT = timedelta(days=30)  # R8: how long CRM's bin keeps records and activities

_SCOPE = """
    COALESCE((SELECT s.scope FROM crm_sight AS s WHERE s.account_id = e.account_id AND s.role = e.role),
        CASE e.role WHEN 'administrator' THEN 'all' WHEN 'supervisor' THEN 'department' ELSE 'own' END)"""
_WORKING = "e.id = %s AND e.account_id = %s AND e.is_active AND e.dismissed_at IS NULL"
_PEOPLE = f"""
    SELECT p.id FROM accounts_employee AS p JOIN accounts_employee AS e ON {_WORKING}
    WHERE p.account_id = e.account_id AND (p.id = e.id OR {_SCOPE} = 'all'
        OR ({_SCOPE} = 'department' AND p.department_id = e.department_id))"""  # noqa: S608  no value from outside
_SEES_ALL = f"""
    SELECT e.id FROM accounts_employee AS e WHERE {_WORKING} AND {_SCOPE} = 'all'"""  # noqa: S608  no value from outside


def people_in_sight(employee: Employee) -> RawSQL:
    """Keys of the people, dismissed ones too, whose records this employee sees."""
    return RawSQL(_PEOPLE, [employee.pk, employee.account_id])  # noqa: S611  constant SQL, parameters apart


def _working(employee: Employee) -> Any:
    found = Employee.objects.filter(pk=employee.pk, account=employee.account_id)
    return found.filter(is_active=True, dismissed_at=None)


class RecordQuerySet(models.QuerySet[Any]):
    """Records, by right."""

    def visible_to(self, employee: Employee) -> Self:
        """Records that this employee may see, in the bin or not."""
        return self.filter(responsible__in=people_in_sight(employee), account=employee.account_id)

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
        return self.filter(record__responsible__in=people_in_sight(employee), account=employee.account_id)

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
        bindings = self.model.bindings.field.model.objects.filter(activity=OuterRef("pk"))
        in_sight = Exists(bindings.filter(record__responsible__in=people_in_sight(employee)))
        sees_all = RawSQL(_SEES_ALL, [employee.pk, employee.account_id])  # noqa: S611  constant SQL, parameters apart
        ours = Q(Exists(Employee.objects.filter(pk__in=sees_all))) | Q(deleted_by=employee.pk)
        of_no_record = Q(~Exists(bindings), ours, Exists(_working(employee)), deleted_at__isnull=False)
        return self.filter(Q(in_sight) | of_no_record, account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """Activities that this employee may delete, restore and bind elsewhere: those they see."""
        return self.visible_to(employee)

    def present(self) -> Self:
        """Activities that are not in the bin."""
        return self.filter(deleted_at=None)

    def in_bin(self, now: datetime) -> Self:
        """Activities in the bin that can still be restored at `now`."""
        return self.filter(deleted_at__gt=now - KEPT)
