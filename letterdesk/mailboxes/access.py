"""Who may see and change what: the one place, as QuerySet methods (P9).

The owner may, and whom a grant names: the person, the department (its own people, not those of departments below),
or everyone of the account. No role reads mail: an administrator without a grant sees no letter. A dismissed employee
sees nothing; that and the department are read when the query runs, not from the object that was passed in. A mailbox
that is paused, suspended or disconnected is read as before, as far as its copies are here (R13), but nobody acts in a
suspended one; one whose copies are to go is shown to nobody.

Rights are one sub-select by key: no join, so no row comes twice. It is written out, because every page asks for it
several times and composing it anew took longer than running it. Foreign rows are absent, never refused (C18).
"""

from typing import Any, Self

from django.db import models
from django.db.models import Exists, Q, QuerySet
from django.db.models.expressions import RawSQL

from letterdesk.accounts.models import Employee, Role

_WORKING = """
    accounts_employee AS e ON e.id = %s AND e.account_id = %s AND e.is_active AND e.dismissed_at IS NULL"""
_OWNED = f"""
    SELECT m.id FROM mailboxes_mailbox AS m JOIN {_WORKING} WHERE m.owner_id = e.id AND m.forgotten_at IS NULL"""  # noqa: S608  no value from outside
_GRANTED = f"""
    UNION ALL
    SELECT g.mailbox_id FROM mailboxes_grant AS g JOIN {_WORKING} WHERE g.account_id = e.account_id
    AND (g.employee_id = e.id OR g.department_id = e.department_id
        OR (g.employee_id IS NULL AND g.department_id IS NULL))"""  # noqa: S608  no value from outside
_RIGHTS = {"": "", "reply": " AND g.may_reply", "manage": " AND g.may_manage", "delete": " AND g.may_delete_on_server"}
_ACTING = {"reply", "delete"}
_AWAKE = " AND m.state <> 'suspended'"  # R13
_AWAKE_ONE = """
    AND NOT EXISTS (SELECT 1 FROM mailboxes_mailbox AS s WHERE s.id = g.mailbox_id AND s.state = 'suspended')"""


def granted_mailboxes(employee: Employee, right: str = "") -> RawSQL:
    """Keys of the mailboxes that the employee owns, or was granted with a right: "", "reply", "manage", "delete"."""
    me = [employee.pk, employee.account_id]
    awake, awake_one = (_AWAKE, _AWAKE_ONE) if right in _ACTING else ("", "")
    sql = f"{_OWNED}{awake}{_GRANTED}{_RIGHTS[right]}{awake_one}"
    return RawSQL(sql, [*me, *me])  # noqa: S611  constant SQL, parameters apart


def _working(employee: Employee) -> QuerySet[Employee]:
    """The employee's row, unless dismissed since."""
    found: QuerySet[Employee] = Employee.objects.filter(pk=employee.pk, account=employee.account_id)
    return found.filter(is_active=True, dismissed_at=None)


def _overseen(employee: Employee) -> Q:
    """All of the account for an administrator, those of the department's people for a supervisor."""
    supervisor = _working(employee).filter(role=Role.SUPERVISOR)
    of_department = Employee.objects.filter(account=employee.account_id, department__in=supervisor.values("department"))
    return Q(Exists(_working(employee).filter(role=Role.ADMINISTRATOR))) | Q(owner__in=of_department.values("pk"))


class MailboxQuerySet(models.QuerySet[Any]):
    """Mailboxes, by right."""

    def visible_to(self, employee: Employee) -> Self:
        """Mailboxes whose letters this employee may read."""
        return self.filter(pk__in=granted_mailboxes(employee), account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """Mailboxes in which this employee may act on letters (flags, moves, replies)."""
        return self.filter(pk__in=granted_mailboxes(employee, "reply"), account=employee.account_id)

    def manageable_by(self, employee: Employee) -> Self:
        """Mailboxes whose settings and grants this employee may change."""
        return self.filter(pk__in=granted_mailboxes(employee, "manage"), account=employee.account_id)

    def deleting_on_server_by(self, employee: Employee) -> Self:
        """Mailboxes from whose server this employee's delete takes the letter too (R27)."""
        return self.filter(pk__in=granted_mailboxes(employee, "delete"), account=employee.account_id)

    def administered_by(self, employee: Employee) -> Self:
        """Mailboxes that an administrator may pause, transfer or disconnect, without reading a letter of them."""
        administrator = _working(employee).filter(role=Role.ADMINISTRATOR)
        return self.filter(Exists(administrator), account=employee.account_id, forgotten_at=None)

    def asked_for_by(self, employee: Employee) -> Self:
        """Mailboxes to which this employee may ask for access: connected ones of the account that they cannot see."""
        connected = self.filter(account=employee.account_id, forgotten_at=None).exclude(state="disconnected")
        return connected.exclude(pk__in=granted_mailboxes(employee)).filter(Exists(_working(employee)))

    def overseen_by(self, employee: Employee) -> Self:
        """Mailboxes whose state is shown to this employee: all to an administrator, to a supervisor the department's.

        Health, counts and limits; never a letter.
        """
        return self.filter(_overseen(employee), account=employee.account_id, forgotten_at=None)

    def known_to(self, employee: Employee) -> Self:
        """Mailboxes of which this employee may know how they are: those that they read, and those that they oversee."""
        readable = Q(pk__in=granted_mailboxes(employee))
        return self.filter(readable | _overseen(employee), account=employee.account_id, forgotten_at=None)

    def steered_by(self, employee: Employee) -> Self:
        """Mailboxes that this employee may pause, resume, transfer or disconnect: by a right on it, or by office."""
        managed = Q(pk__in=granted_mailboxes(employee, "manage"))
        by_office = Q(Exists(_working(employee).filter(role=Role.ADMINISTRATOR)))
        return self.filter(managed | by_office, account=employee.account_id, forgotten_at=None)


class InMailboxQuerySet(models.QuerySet[Any]):
    """Rows that belong to a mailbox, by the rights on it. `way` is how a row finds its mailbox."""

    way = "mailbox"

    def visible_to(self, employee: Employee) -> Self:
        """Rows of mailboxes whose letters this employee may read."""
        return self._of(employee, "")

    def editable_by(self, employee: Employee) -> Self:
        """Rows of mailboxes in which this employee may act."""
        return self._of(employee, "reply")

    def manageable_by(self, employee: Employee) -> Self:
        """Rows of mailboxes whose settings this employee may change."""
        return self._of(employee, "manage")

    def _of(self, employee: Employee, right: str) -> Self:
        mailboxes = granted_mailboxes(employee, right)
        return self.filter(account=employee.account_id, **{f"{self.way}__in": mailboxes})


class InFolderQuerySet(InMailboxQuerySet):
    """Rows that belong to a folder: placements, listings, the quarantine."""

    way = "folder__mailbox"


class InMessageQuerySet(InMailboxQuerySet):
    """Rows that belong to a letter: attachments."""

    way = "message__mailbox"


class LabelledQuerySet(InMailboxQuerySet):
    """Which conversations have which label."""

    way = "label__mailbox"


class OwnQuerySet(models.QuerySet[Any]):
    """Rows that belong to one employee and concern nobody else: what they did."""

    def visible_to(self, employee: Employee) -> Self:
        """The employee's own rows."""
        return self.filter(employee=employee.pk, account=employee.account_id)


class SavedSearchQuerySet(models.QuerySet[Any]):
    """Saved searches, by whom they are shared with. Who opens one finds with their own rights, whoever made it."""

    def of(self, employee: Employee) -> Self:
        """The employee's own."""
        return self.filter(employee=employee.pk, account=employee.account_id)

    def visible_to(self, employee: Employee) -> Self:
        """The employee's own, everyone's, and those of the people of a mailbox that they read."""
        shared = Q(is_everyones=True) | Q(mailbox__in=granted_mailboxes(employee))
        return self.filter(Q(employee=employee.pk) | shared, account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """The employee's own; of those that are shared with an administrator, all."""
        if employee.is_administrator:
            return self.visible_to(employee)
        return self.of(employee)


class FolderQuerySet(InMailboxQuerySet):
    """Folders."""


class ConversationQuerySet(InMailboxQuerySet):
    """Conversations."""


class MessageQuerySet(InMailboxQuerySet):
    """Messages."""
