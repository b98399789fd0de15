"""Who reads a mailbox, and of what in it they want to hear."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Grant, Mailbox

from .models import Level, MailboxTelling


def readers_of(mailbox: Mailbox) -> QuerySet[Employee]:
    """Who reads this mailbox now: its owner, and whom a grant names."""
    grants = Grant.objects.filter(mailbox=mailbox).filter(
        Q(employee=OuterRef("pk")) | Q(department=OuterRef("department")) | Q(employee=None, department=None)
    )
    working = Employee.objects.filter(account=mailbox.account_id, is_active=True, dismissed_at=None)
    readers: QuerySet[Employee] = working.filter(Q(pk=mailbox.owner_id) | Exists(grants))
    return readers


def levels_in(mailbox: Mailbox, people: Collection[int]) -> dict[int, str]:
    """The level of those of these people, by key, who read the mailbox."""
    levels = MailboxTelling.objects.filter(mailbox=mailbox, employee__in=people)
    chosen = dict(levels.values_list("employee_id", "level"))
    readers = readers_of(mailbox).filter(pk__in=people).values_list("pk", flat=True)
    usual = {mailbox.owner_id: Level.ALL}
    return {pk: chosen.get(pk) or usual.get(pk, Level.MINE) for pk in readers}


def choosers(mailbox: Mailbox) -> set[int]:
    """The keys of those who have chosen a level for this mailbox."""
    return set(MailboxTelling.objects.filter(mailbox=mailbox).values_list("employee_id", flat=True))
