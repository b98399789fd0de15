"""Who may see and change what: the one place, as QuerySet methods (P9).

The owner may, and whom a grant names: the person, the department (its own people, not those of departments below),
or everyone of the account. No role reads mail: an administrator without a grant sees no letter. A dismissed employee
sees nothing; that and the department are read when the query runs, not from the object that was passed in. A mailbox
that is paused, suspended or disconnected is read as before, as far as its copies are here (R13).

Rights are sub-selects by key: no join, so no row comes twice. Foreign rows are absent, never refused (C18).
"""

from typing import Any, Self

from django.db import models
from django.db.models import Exists, Q, QuerySet

from letterdesk.accounts.models import Employee, Role


def _working(employee: Employee) -> QuerySet[Employee]:
    """The employee's row, unless dismissed since."""
    return Employee.objects.filter(pk=employee.pk, account=employee.account_id, is_active=True, dismissed_at=None)


class MailboxQuerySet(models.QuerySet[Any]):
    """Mailboxes, by right."""

    def visible_to(self, employee: Employee) -> Self:
        """Mailboxes whose letters this employee may read."""
        return self.filter(pk__in=self._granted(employee).values("pk"))

    def editable_by(self, employee: Employee) -> Self:
        """Mailboxes in which this employee may act on letters (flags, moves, replies)."""
        return self.filter(pk__in=self._granted(employee, may_reply=True).values("pk"))

    def manageable_by(self, employee: Employee) -> Self:
        """Mailboxes whose settings and grants this employee may change."""
        return self.filter(pk__in=self._granted(employee, may_manage=True).values("pk"))

    def deleting_on_server_by(self, employee: Employee) -> Self:
        """Mailboxes from whose server this employee's delete takes the letter too (R27)."""
        return self.filter(pk__in=self._granted(employee, may_delete_on_server=True).values("pk"))

    def administered_by(self, employee: Employee) -> Self:
        """Mailboxes that an administrator may pause, transfer or disconnect, without reading a letter of them."""
        return self.filter(Exists(_working(employee).filter(role=Role.ADMINISTRATOR)), account=employee.account_id)

    def overseen_by(self, employee: Employee) -> Self:
        """Mailboxes whose state is shown to this employee: all to an administrator, to a supervisor the department's.

        Health, counts and limits; never a letter.
        """
        supervisor = _working(employee).filter(role=Role.SUPERVISOR)
        of_department = Employee.objects.filter(
            account=employee.account_id, department__in=supervisor.values("department")
        )
        is_administrator = Exists(_working(employee).filter(role=Role.ADMINISTRATOR))
        return self.filter(Q(is_administrator) | Q(owner__in=of_department.values("pk")), account=employee.account_id)

    def _granted(self, employee: Employee, **rights: bool) -> "MailboxQuerySet":
        """All mailboxes that the employee owns, or was granted with these rights."""
        working = _working(employee)
        grant: Any = self.model._meta.get_field("grants").related_model
        named = Q(employee=employee.pk) | Q(department__in=working.values("department"))
        to_everyone = Q(employee=None, department=None)
        grants = grant.objects.filter(named | to_everyone, account=employee.account_id, **rights)
        owned_or_granted = Q(owner=employee.pk) | Q(pk__in=grants.values("mailbox"))
        mailboxes = MailboxQuerySet(self.model)
        return mailboxes.filter(Exists(working), owned_or_granted, account=employee.account_id)


class InMailboxQuerySet(models.QuerySet[Any]):
    """Rows that belong to a mailbox, by the rights on it. `way` is how a row finds its mailbox."""

    way = "mailbox"

    def visible_to(self, employee: Employee) -> Self:
        """Rows of mailboxes whose letters this employee may read."""
        return self._of(self._mailboxes().visible_to(employee), employee)

    def editable_by(self, employee: Employee) -> Self:
        """Rows of mailboxes in which this employee may act."""
        return self._of(self._mailboxes().editable_by(employee), employee)

    def manageable_by(self, employee: Employee) -> Self:
        """Rows of mailboxes whose settings this employee may change."""
        return self._of(self._mailboxes().manageable_by(employee), employee)

    def _of(self, mailboxes: MailboxQuerySet, employee: Employee) -> Self:
        return self.filter(account=employee.account_id, **{f"{self.way}__in": mailboxes.values("pk")})

    def _mailboxes(self) -> MailboxQuerySet:
        model: Any = self.model
        for step in self.way.split("__"):
            model = model._meta.get_field(step).related_model
        return MailboxQuerySet(model)


class InFolderQuerySet(InMailboxQuerySet):
    """Rows that belong to a folder: placements, listings, the quarantine."""

    way = "folder__mailbox"


class InMessageQuerySet(InMailboxQuerySet):
    """Rows that belong to a letter: attachments."""

    way = "message__mailbox"


class FolderQuerySet(InMailboxQuerySet):
    """Folders."""


class ConversationQuerySet(InMailboxQuerySet):
    """Conversations."""


class MessageQuerySet(InMailboxQuerySet):
    """Messages."""
