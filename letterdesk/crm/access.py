"""Who may see and change what in CRM: the one place, as QuerySet methods (P9).

A role sees its own records, those of its department, or all (`Sight`): by default employees their own, supervisors
their department's, administrators all. An activity is seen by whoever sees one of the records at which it stands,
whatever mailbox its letter came through (R8); one whose last record was purged, by who put it into the bin and by who
sees all. A dismissed employee sees nothing.

On top of that a pipeline may be closed: to those who are not chosen for it, or for changing alone. Then its leads and
deals are not seen, or not changed, whoever is responsible for them (`PipelineGrant`).

Whose records somebody sees is one sub-select by key, written out as in `mailboxes/access.py`, and for the same reason.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Exists, ExpressionWrapper, OuterRef, Q
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
_ALL_SEEING = f"""
    SELECT e.id FROM accounts_employee AS e WHERE e.account_id = %s AND e.is_active AND e.dismissed_at IS NULL
        AND {_SCOPE} = 'all'"""  # noqa: S608  no value from outside


_CLOSED = """
    SELECT p.id FROM crm_pipeline AS p JOIN accounts_employee AS e ON e.id = %s AND e.account_id = p.account_id
    WHERE {closed} AND NOT EXISTS (SELECT 1 FROM crm_pipelinegrant AS g WHERE g.pipeline_id = p.id AND {grant}
        AND (g.employee_id = e.id OR g.department_id = e.department_id))"""
_CLOSED_TO_SEE = _CLOSED.format(closed="p.everyone = ''", grant="1 = 1")
_CLOSED_TO_CHANGE = _CLOSED.format(closed="p.everyone <> 'change'", grant="g.may_change")


def people_in_sight(employee: Employee) -> RawSQL:
    """Keys of the people, dismissed ones too, whose records this employee sees."""
    return RawSQL(_PEOPLE, [employee.pk, employee.account_id])  # noqa: S611  constant SQL, parameters apart


def people_seen(employee: Employee) -> list[int]:
    """The same, asked now. A list that is walked by an index names them: of a sub-select databases guess that it
    leaves next to nothing, and read all records instead to put them in order."""
    return list(Employee.objects.filter(pk__in=people_in_sight(employee)).order_by("pk").values_list("pk", flat=True))


def closed_pipelines(employee: Employee, *, to_change: bool = False) -> RawSQL:
    """Keys of the pipelines whose leads and deals this employee may not see, or not change."""
    return RawSQL(_CLOSED_TO_CHANGE if to_change else _CLOSED_TO_SEE, [employee.pk])  # noqa: S611  constant SQL


def in_sight(
    employee: Employee, record: str = "", *, to_change: bool = False, people: Collection[int] | None = None
) -> Q:
    """Records that the employee may see, or change: of people in sight, in no pipeline that is closed to them.

    `record`: how one comes from the row to its record: "", "record__". `people`: `people_seen`, where that is known.
    """
    closed = {f"{record}stage__pipeline__in": closed_pipelines(employee, to_change=to_change)}
    seen = people_in_sight(employee) if people is None else people
    return Q(**{f"{record}responsible__in": seen}) & (Q(**{f"{record}stage": None}) | ~Q(**closed))


def seeing_all(account_id: int) -> Any:
    """The people of an account who see all of CRM."""
    found = RawSQL(_ALL_SEEING, [account_id])  # noqa: S611  constant SQL, parameters apart
    return Employee.objects.filter(account=account_id, pk__in=found)


def _working(employee: Employee) -> Any:
    found = Employee.objects.filter(pk=employee.pk, account=employee.account_id)
    return found.filter(is_active=True, dismissed_at=None)


class RecordQuerySet(models.QuerySet[Any]):
    """Records, by right."""

    def visible_to(self, employee: Employee, *, people: Collection[int] | None = None) -> Self:
        """Records that this employee may see, in the bin or not. `people`: `people_seen`, where that is known."""
        return self.filter(in_sight(employee, people=people), account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """Records that this employee may change, delete and restore: those they see, as far as their pipeline says."""
        return self.filter(in_sight(employee, to_change=True), account=employee.account_id)

    def present(self) -> Self:
        """Records that are not in the bin."""
        return self.filter(deleted_at=None)

    def in_bin(self, now: datetime) -> Self:
        """Records in the bin that can still be restored at `now`."""
        return self.filter(deleted_at__gt=now - KEPT)


class PipelineQuerySet(OfAccountQuerySet):
    """Pipelines of leads and deals."""

    def visible_to(self, employee: Employee) -> Self:
        """Those whose leads and deals are not closed to the employee."""
        return self.filter(~Q(pk__in=closed_pipelines(employee)), account=employee.account_id)

    def usable_by(self, employee: Employee) -> Self:
        """Those whose leads and deals the employee may change, as far as they see them."""
        return self.filter(~Q(pk__in=closed_pipelines(employee, to_change=True)), account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """Those that the employee may rename, open and close: an administrator all of the account, others none."""
        return self.filter(account=employee.account_id) if employee.is_administrator else self.none()


class StageQuerySet(OfAccountQuerySet):
    """Stages of leads and deals."""

    def of_kind(self, kind: str) -> Self:
        """The stages of the pipelines of one kind of record, in their order."""
        return self.filter(pipeline__kind=kind).order_by("pipeline__position", "pipeline", "position", "pk")


class OfOnePersonQuerySet(models.QuerySet[Any]):
    """Files of records that somebody takes in, changes of many records: each person's own."""

    def visible_to(self, employee: Employee) -> Self:
        """Those of this employee."""
        return self.filter(account=employee.account_id, by__in=_working(employee), by=employee.pk)

    def editable_by(self, employee: Employee) -> Self:
        """The same."""
        return self.visible_to(employee)


class OfRecordQuerySet(models.QuerySet[Any]):
    """What belongs to a record: addresses, telephone numbers."""

    def visible_to(self, employee: Employee) -> Self:
        """Rows of records that this employee may see."""
        return self.filter(in_sight(employee, "record__"), account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """Rows of records that this employee may change."""
        return self.filter(in_sight(employee, "record__", to_change=True), account=employee.account_id)


class ListViewQuerySet(models.QuerySet[Any]):
    """Views of lists: what they show is judged by the rights of whoever opens them."""

    def of(self, employee: Employee) -> Self:
        """The employee's own."""
        return self.filter(employee=employee.pk, account=employee.account_id)

    def visible_to(self, employee: Employee) -> Self:
        """The employee's own, and those that are everyone's."""
        return self.filter(Q(employee=employee.pk) | Q(is_everyones=True), account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """The employee's own; an administrator changes everyone's, too."""
        return self.visible_to(employee) if employee.is_administrator else self.of(employee)


class NoteQuerySet(OfRecordQuerySet):
    """Notes and calls: seen by whoever sees the record, their author's to change."""

    def editable_by(self, employee: Employee) -> Self:
        """The employee's own, as long as they may change the record."""
        return super().editable_by(employee).filter(by=employee.pk)

    def present(self) -> Self:
        """Those that are not in the bin."""
        return self.filter(deleted_at=None)

    def in_bin(self, now: datetime) -> Self:
        """Those in the bin that can still be restored at `now`."""
        return self.filter(deleted_at__gt=now - KEPT)

    def over(self, now: datetime) -> Self:
        """Those whose time in the bin is over at `now`."""
        return self.filter(deleted_at__lte=now - KEPT)


class SendSaveQuerySet(models.QuerySet[Any]):
    """Secret addresses of Send & Save (R30)."""

    def visible_to(self, employee: Employee) -> Self:
        """The employee's own address, and the account's; nobody sees a colleague's."""
        mine = Q(employee=employee.pk) | Q(employee=None)
        return self.filter(mine, Exists(_working(employee)), account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """Addresses that this employee may replace and set: their own; the account's for administrators."""
        found = self.visible_to(employee)
        return found if employee.is_administrator else found.filter(employee=employee.pk)

    def asking(self, employee: Employee) -> Self:
        """Addresses whose letters ask this employee: their own. Those of the account, and of people who left, ask
        whoever sees all of CRM."""
        sees_all = RawSQL(_SEES_ALL, [employee.pk, employee.account_id])  # noqa: S611  constant SQL, parameters apart
        of_nobody = Q(employee=None) | Q(employee__is_active=False)
        everyones = of_nobody & Q(Exists(Employee.objects.filter(pk__in=sees_all)))
        mine = Q(employee=employee.pk) & Q(Exists(_working(employee)))
        return self.filter(mine | everyones, account=employee.account_id)


class PolledQuerySet(models.QuerySet[Any]):
    """Mailboxes polled for CRM alone (R30): an administrator's to see and to change."""

    def visible_to(self, employee: Employee) -> Self:
        """Those of the account, for an administrator; others see none."""
        found = self.filter(Exists(_working(employee)), account=employee.account_id)
        return found if employee.is_administrator else found.none()

    def editable_by(self, employee: Employee) -> Self:
        """The same."""
        return self.visible_to(employee)

    def asking(self, employee: Employee) -> Self:
        """Those whose letters ask this employee: who connected the mailbox, and administrators; nobody by sight."""
        found = self.filter(Exists(_working(employee)), account=employee.account_id)
        return found if employee.is_administrator else found.filter(made_by=employee.pk)


class PolledManager(models.Manager.from_queryset(PolledQuerySet)):  # type: ignore[misc]
    """Without the secrets, which are read where somebody signs in alone: one that no key opens stops nothing else."""

    def get_queryset(self) -> PolledQuerySet:
        """All of them."""
        found: PolledQuerySet = super().get_queryset().defer("secret")
        return found


class OfPolledQuerySet(models.QuerySet[Any]):
    """What belongs to a polled mailbox: its folders, its letters."""

    def visible_to(self, employee: Employee) -> Self:
        """Those of mailboxes that this employee may see."""
        mailboxes = self.model.mailbox.field.related_model.objects.visible_to(employee)
        return self.filter(mailbox__in=mailboxes, account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """The same."""
        return self.visible_to(employee)


class PutAsideQuerySet(OfPolledQuerySet):
    """Letters of polled mailboxes, and those that are put aside."""

    def put_aside(self) -> Self:
        """Those that the server has and that are not here."""
        return self.filter(trouble__gt="")  # a range of the index, which "not empty" is not


class BindingQuerySet(OfRecordQuerySet):
    """Which activities stand at which records."""

    def with_may_change(self, employee: Employee) -> Self:
        """Each with `may_change`: whether the employee, who sees its record, may change that."""
        at_closed = Q(record__stage__pipeline__in=closed_pipelines(employee, to_change=True))
        may = Q(record__stage=None) | ~at_closed
        return self.annotate(may_change=ExpressionWrapper(may, output_field=models.BooleanField()))

    def present(self) -> Self:
        """Those of which neither side lies in the bin."""
        return self.filter(record__deleted_at=None, activity__deleted_at=None)


class ActivityQuerySet(models.QuerySet[Any]):
    """Activities, by right."""

    def visible_to(self, employee: Employee) -> Self:
        """Activities at a record that this employee may see, in the bin or not (R8)."""
        return self._standing(employee, in_sight(employee, "record__"))

    def editable_by(self, employee: Employee) -> Self:
        """Activities that this employee may delete, restore and bind elsewhere: those at a record they may change."""
        return self._standing(employee, in_sight(employee, "record__", to_change=True))

    def _standing(self, employee: Employee, at: Q) -> Self:
        bindings = self.model.bindings.field.model.objects.filter(activity=OuterRef("pk"))
        stands_there = Exists(bindings.filter(at))
        sees_all = RawSQL(_SEES_ALL, [employee.pk, employee.account_id])  # noqa: S611  constant SQL, parameters apart
        ours = Q(Exists(Employee.objects.filter(pk__in=sees_all))) | Q(deleted_by=employee.pk)
        of_no_record = Q(~Exists(bindings), ours, Exists(_working(employee)), deleted_at__isnull=False)
        return self.filter(Q(stands_there) | of_no_record, account=employee.account_id)

    def present(self) -> Self:
        """Activities that are not in the bin."""
        return self.filter(deleted_at=None)

    def in_bin(self, now: datetime) -> Self:
        """Activities in the bin that can still be restored at `now`."""
        return self.filter(deleted_at__gt=now - KEPT)
