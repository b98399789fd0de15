"""Who reads a notification: its person alone, and only while they may see what it is about (P9).

Judged when it is read and when it is sent, not when it was made: whoever loses a mailbox or a task loses what was told
of it in the same moment.
"""

from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.access import OwnQuerySet
from letterdesk.mailboxes.models import Listing, Mailbox
from letterdesk.tasks.models import Task
from letterdesk.team.models import shared_with


def _its_lines() -> models.QuerySet[Listing]:
    found: models.QuerySet[Listing] = Listing.objects.filter(conversation=OuterRef("conversation"))
    return found


class NotificationQuerySet(models.QuerySet[Any]):
    """Notifications, by right."""

    def visible_to(self, employee: Employee) -> Self:
        """This employee's own: of a mailbox that they read, a conversation that is here, a task that they see.

        Where a single conversation is shared with them, what is about that one.
        """
        shares = shared_with(employee).filter(conversation=OuterRef("conversation"))
        mailboxes = Mailbox.objects.visible_to(employee).filter(pk=OuterRef("mailbox"))
        tasks = Task.objects.visible_to(employee).present().filter(pk=OuterRef("task"))
        working = Employee.objects.filter(pk=employee.pk, is_active=True, dismissed_at=None)
        about = (Q(mailbox=None) | Q(Exists(mailboxes)) | Q(Exists(shares))) & (Q(task=None) | Q(Exists(tasks)))
        here = Q(conversation=None) | Q(Exists(_its_lines()))
        if not employee.is_administrator:  # mailboxes for CRM alone are theirs to mend (R30)
            here &= ~Q(kind="polled")
        return self.filter(about, here, Exists(working), account=employee.account_id, employee=employee.pk)

    def editable_by(self, employee: Employee) -> Self:
        """The same: one's own."""
        return self.visible_to(employee)

    def orphaned(self) -> Self:
        """Those whose conversation is gone with its last letter, or in no list any more."""
        return self.exclude(conversation=None).exclude(Exists(_its_lines()))

    def unseen(self) -> Self:
        """Those that their person has not seen."""
        return self.filter(seen_at=None)


class OwnWishesQuerySet(OwnQuerySet):
    """How one employee wants to be told, and where."""

    def editable_by(self, employee: Employee) -> Self:
        """The same: one's own."""
        return self.visible_to(employee)
