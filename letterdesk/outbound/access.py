"""Who may see, write and send drafts, and who may stop a letter on its way: the one place, as QuerySet methods (P9).

A draft that answers a letter belongs to the conversation: whoever may act in its mailbox sees it and may go on writing.
Sent from another mailbox than the one in which that letter lies, it is its author's alone, for it quotes the letter.
A draft of a new letter is its author's alone until it is sent. Whoever loses the mailbox loses its drafts from sight,
for they quote its letters. What is on its way is shown to all who read the mailbox, as its copy in Sent will be, and
stopped by whoever may act there. Nobody writes or sends in a suspended mailbox (R13).
"""

from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.access import InMailboxQuerySet, granted_mailboxes
from letterdesk.mailboxes.models import Message


def _shared(employee: Employee, way: str = "") -> Q:
    """The author's own, and what answers a letter of its mailbox; `way` leads from a row to its draft."""
    answered = Message.objects.filter(pk=OuterRef(f"{way}answers"), mailbox=OuterRef(f"{way}mailbox"))
    return Q(**{f"{way}author": employee.pk}) | Q(Exists(answered))


class DraftQuerySet(models.QuerySet[Any]):
    """Drafts, by right."""

    def visible_to(self, employee: Employee) -> Self:
        """Drafts that this employee may read."""
        return self._of(employee, "")

    def editable_by(self, employee: Employee) -> Self:
        """Drafts that this employee may write, send and discard."""
        return self._of(employee, "reply")

    def _of(self, employee: Employee, right: str) -> Self:
        mailboxes = granted_mailboxes(employee, right)
        return self.filter(_shared(employee), account=employee.account_id, mailbox__in=mailboxes)

    def open(self) -> Self:
        """Those that are not on their way: what a list of drafts shows."""
        return self.filter(sent_at=None)


class DraftFileQuerySet(models.QuerySet[Any]):
    """Files of drafts, by the right on their draft."""

    def visible_to(self, employee: Employee) -> Self:
        """Files of drafts that this employee may read."""
        return self._of(employee, "")

    def editable_by(self, employee: Employee) -> Self:
        """Files of drafts that this employee may write."""
        return self._of(employee, "reply")

    def _of(self, employee: Employee, right: str) -> Self:
        mailboxes = granted_mailboxes(employee, right)
        return self.filter(_shared(employee, "draft__"), account=employee.account_id, draft__mailbox__in=mailboxes)


class SignatureQuerySet(models.QuerySet[Any]):
    """Signatures: everybody has their own in each mailbox."""

    def visible_to(self, employee: Employee) -> Self:
        """The employee's own, in mailboxes where they may write."""
        mailboxes = granted_mailboxes(employee, "reply")
        return self.filter(employee=employee.pk, account=employee.account_id, mailbox__in=mailboxes)

    def editable_by(self, employee: Employee) -> Self:
        """The same."""
        return self.visible_to(employee)


class DeliveryQuerySet(InMailboxQuerySet):
    """Letters on their way, by the rights on their mailbox."""


class DeliveryRecipientQuerySet(InMailboxQuerySet):
    """Recipients of letters on their way."""

    way = "delivery__mailbox"
