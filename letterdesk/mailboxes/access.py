"""Who may see and change what: the one place, as QuerySet methods (P9).

The owner may, and whom a grant names: the person, the department, or everyone of the account.
No role reads mail.
"""

from typing import Any, Self

from django.db import models
from django.db.models import Q

from letterdesk.accounts.models import Employee


def _grants_to(employee: Employee, **rights: bool) -> Q:
    """Mailboxes that the employee owns, or was granted with these rights."""
    named = Q(grants__employee=employee) | Q(grants__employee=None, grants__department=None)
    if employee.department_id is not None:
        named |= Q(grants__department=employee.department_id)
    granted = Q(grants__isnull=False, **{f"grants__{right}": value for right, value in rights.items()})
    return Q(account=employee.account_id) & (Q(owner=employee) | (granted & named))


class MailboxQuerySet(models.QuerySet[Any]):
    """Mailboxes, by right."""

    def visible_to(self, employee: Employee) -> Self:
        """Mailboxes that this employee may read."""
        return self.filter(pk__in=self._reachable(employee).values("pk"))

    def editable_by(self, employee: Employee) -> Self:
        """Mailboxes in which this employee may act on letters (flags, moves, replies)."""
        return self.filter(pk__in=self._reachable(employee, may_reply=True).values("pk"))

    def manageable_by(self, employee: Employee) -> Self:
        """Mailboxes whose settings and grants this employee may change."""
        return self.filter(pk__in=self._reachable(employee, may_manage=True).values("pk"))

    def _reachable(self, employee: Employee, **rights: bool) -> "MailboxQuerySet":
        return MailboxQuerySet(self.model).filter(_grants_to(employee, **rights))


class InMailboxQuerySet(models.QuerySet[Any]):
    """Rows that belong to a mailbox, by the rights on it."""

    def visible_to(self, employee: Employee) -> Self:
        """Rows of mailboxes that this employee may read."""
        return self.filter(account=employee.account_id, mailbox__in=self._mailboxes().visible_to(employee))

    def editable_by(self, employee: Employee) -> Self:
        """Rows of mailboxes in which this employee may act."""
        return self.filter(account=employee.account_id, mailbox__in=self._mailboxes().editable_by(employee))

    def _mailboxes(self) -> MailboxQuerySet:
        mailbox = self.model._meta.get_field("mailbox").related_model
        return MailboxQuerySet(mailbox)


class FolderQuerySet(InMailboxQuerySet):
    """Folders."""


class ConversationQuerySet(InMailboxQuerySet):
    """Conversations."""


class MessageQuerySet(InMailboxQuerySet):
    """Messages."""
