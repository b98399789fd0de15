"""Who may see, write and send drafts, and who may stop a letter on its way: the one place, as QuerySet methods (P9).

A draft that answers a letter belongs to the conversation: whoever may act in its mailbox sees it and may go on writing.
Sent from another mailbox than the one in which that letter lies, it is its author's alone, for it quotes the letter.
What was begun in another program and taken up from the server's Drafts is as open as that folder.
A draft of a new letter is its author's alone until it is sent. Whoever loses the mailbox loses its drafts from sight,
for they quote its letters. What is on its way is shown to all who read the mailbox, as its copy in Sent will be, and
stopped by whoever may act there. Nobody writes or sends in a suspended mailbox (R13).

What goes through a verified sender of the account lies in no mailbox: its draft and its line in the outbox are its
writer's alone. Once the writer has left, administrators see that line, so that somebody can decide about it.
"""

from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from letterdesk.accounts.models import Employee, Role
from letterdesk.mailboxes.access import InMailboxQuerySet, granted_mailboxes
from letterdesk.mailboxes.models import Message


def _working(employee: Employee) -> models.QuerySet[Employee]:
    """The employee's row, unless dismissed since."""
    found: models.QuerySet[Employee] = Employee.objects.filter(pk=employee.pk, account=employee.account_id)
    return found.filter(is_active=True, dismissed_at=None)


def _administrates(employee: Employee) -> Exists:
    return Exists(_working(employee).filter(role=Role.ADMINISTRATOR))


def _shared(employee: Employee, way: str = "") -> Q:
    """The author's own, what answers a letter of its mailbox, what lay in Drafts there; `way` leads to the draft."""
    answered = Message.objects.filter(pk=OuterRef(f"{way}answers"), mailbox=OuterRef(f"{way}mailbox"))
    return Q(**{f"{way}author": employee.pk}) | Q(**{f"{way}is_teams": True}) | Q(Exists(answered))


class DraftQuerySet(models.QuerySet[Any]):
    """Drafts, by right."""

    def visible_to(self, employee: Employee) -> Self:
        """Drafts that this employee may read."""
        return self._of(employee, "")

    def editable_by(self, employee: Employee) -> Self:
        """Drafts that this employee may write, send and discard."""
        return self._of(employee, "reply")

    def restorable_by(self, employee: Employee) -> Self:
        """Discarded drafts that this employee may bring back."""
        return self._mine(employee, "reply").filter(discarded_at__isnull=False)

    def _of(self, employee: Employee, right: str) -> Self:
        return self._mine(employee, right).filter(discarded_at=None)

    def _mine(self, employee: Employee, right: str) -> Self:
        mailboxes = Q(mailbox__in=granted_mailboxes(employee, right)) & _shared(employee)
        own = Q(mailbox=None, author__in=_working(employee))
        return self.filter(mailboxes | own, account=employee.account_id)

    def open(self) -> Self:
        """Those that are neither on their way nor discarded: what a list of drafts shows."""
        return self.filter(sent_at=None, discarded_at=None)


class DraftFileQuerySet(models.QuerySet[Any]):
    """Files of drafts, by the right on their draft."""

    def visible_to(self, employee: Employee) -> Self:
        """Files of drafts that this employee may read."""
        return self._of(employee, "")

    def editable_by(self, employee: Employee) -> Self:
        """Files of drafts that this employee may write."""
        return self._of(employee, "reply")

    def _of(self, employee: Employee, right: str) -> Self:
        mailboxes = Q(draft__mailbox__in=granted_mailboxes(employee, right)) & _shared(employee, "draft__")
        own = Q(draft__mailbox=None, draft__author__in=_working(employee))
        return self.filter(mailboxes | own, account=employee.account_id, draft__discarded_at=None)


class SignatureQuerySet(models.QuerySet[Any]):
    """Signatures: everybody has their own in each mailbox."""

    def visible_to(self, employee: Employee) -> Self:
        """The employee's own, in mailboxes where they may write."""
        mailboxes = granted_mailboxes(employee, "reply")
        return self.filter(employee=employee.pk, account=employee.account_id, mailbox__in=mailboxes)

    def editable_by(self, employee: Employee) -> Self:
        """The same."""
        return self.visible_to(employee)


def _of_writer(employee: Employee, way: str = "") -> Q:
    """What went through a verified sender: who wrote it, or administrators where they are gone; `way` leads there."""
    own = Q(**{f"{way}by__in": _working(employee)})
    gone = Q(**{f"{way}by": None}) | Q(**{f"{way}by__dismissed_at__isnull": False})
    return Q(**{f"{way}mailbox": None}) & (own | (gone & Q(_administrates(employee))))


class DeliveryQuerySet(InMailboxQuerySet):
    """Letters on their way, by the rights on their mailbox; without one by who wrote them."""

    def _of(self, employee: Employee, right: str) -> Self:
        mailboxes = Q(mailbox__in=granted_mailboxes(employee, right))
        return self.filter(mailboxes | _of_writer(employee), account=employee.account_id)

    def in_trouble(self) -> Self:
        """Those of which somebody has yet to hear that they did not arrive, or perhaps not."""
        return self.filter(trouble_at__isnull=False)


class DeliveryRecipientQuerySet(InMailboxQuerySet):
    """Recipients of letters on their way."""

    def _of(self, employee: Employee, right: str) -> Self:
        mailboxes = Q(delivery__mailbox__in=granted_mailboxes(employee, right))
        return self.filter(mailboxes | _of_writer(employee, "delivery__"), account=employee.account_id)


class VerifiedSenderQuerySet(models.QuerySet[Any]):
    """Addresses from which the account writes without a mailbox."""

    def visible_to(self, employee: Employee) -> Self:
        """Administrators see all that are here, others those from which they may write."""
        mine = Q(verified_at__isnull=False) & self._used_by(employee)
        return self.present().filter(Q(_administrates(employee)) | mine, account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """Administrators add, prove and remove them, and say who may write from them."""
        return self.present().filter(Q(_administrates(employee)), account=employee.account_id)

    def usable_by(self, employee: Employee) -> Self:
        """Those from which this employee may write now: proved, and theirs, their department's, or everyone's."""
        proved = self.present().filter(verified_at__isnull=False, account=employee.account_id)
        return proved.filter(self._used_by(employee))

    def present(self) -> Self:
        """Those that were not removed."""
        return self.filter(removed_at=None)

    def _used_by(self, employee: Employee) -> Q:
        me = _working(employee)
        named = self.model.users.field.model.objects.filter(sender=OuterRef("pk"))
        mine = named.filter(Q(employee__in=me) | Q(department__in=me.values("department")))
        return Q(is_everyones=True) & Q(Exists(me)) | Q(Exists(mine))


class TemplateQuerySet(models.QuerySet[Any]):
    """Templates, by whom they are shared with."""

    def visible_to(self, employee: Employee) -> Self:
        """The employee's own, their department's, and everyone's."""
        shared = Q(owner=employee.pk) | Q(is_everyones=True)
        if employee.department_id is not None:
            shared |= Q(department=employee.department_id)
        return self.filter(shared, account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """The employee's own."""
        return self.filter(owner=employee.pk, account=employee.account_id)


class TemplateFileQuerySet(models.QuerySet[Any]):
    """Files of templates, by the right on their template."""

    def visible_to(self, employee: Employee) -> Self:
        """Files of templates that this employee may use."""
        return self._of(employee, "visible_to")

    def editable_by(self, employee: Employee) -> Self:
        """Files of the employee's own templates."""
        return self._of(employee, "editable_by")

    def _of(self, employee: Employee, right: str) -> Self:
        templates = self.model.template.field.related_model.objects
        return self.filter(template__in=getattr(templates, right)(employee), account=employee.account_id)


class SuppressedQuerySet(models.QuerySet[Any]):
    """Addresses that nothing is sent to: administrators see all of the account, others those of their mailboxes."""

    def visible_to(self, employee: Employee) -> Self:
        """Addresses that this employee may see listed."""
        return self._of(employee, "")

    def editable_by(self, employee: Employee) -> Self:
        """Addresses that this employee may take off the list."""
        return self._of(employee, "reply")

    def _of(self, employee: Employee, right: str) -> Self:
        rows = self.filter(account=employee.account_id)
        if employee.is_administrator:
            return rows
        return rows.filter(mailbox__in=granted_mailboxes(employee, right))
