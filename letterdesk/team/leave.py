"""Somebody left or lost access: what was assigned to them is nobody's again; each conversation says so."""

from dataclasses import replace

from django.db import transaction
from django.db.models import Q, QuerySet

from letterdesk.accounts.models import Department, Employee
from letterdesk.mailboxes.models import Conversation, Mailbox

from .people import readable_by
from .standing import locked, standing_of, write

AT_ONCE = 500


@transaction.atomic
def let_go(account_id: int, public_id: str) -> int:
    """Take all conversations from a dismissed person; returns how many. Nothing for somebody who works here."""
    people = Employee.objects.filter(account=account_id, public_id=public_id, dismissed_at__isnull=False)
    return sum(_take(Conversation.objects.filter(assignee=person), why="left") for person in people)


@transaction.atomic
def let_go_unreadable(mailbox_id: int) -> int:
    """Take the conversations of a mailbox from the people and departments that cannot read it (any more)."""
    # Who assigns in it now has done so, or waits.
    Mailbox.objects.select_for_update(no_key=True).filter(pk=mailbox_id).first()
    of_mailbox = Conversation.objects.filter(
        Q(assignee__isnull=False) | Q(department__isnull=False), mailbox=mailbox_id
    )
    done = 0
    for person in Employee.objects.filter(pk__in=of_mailbox.values("assignee")):
        if not readable_by(person, {mailbox_id}):
            done += _take(of_mailbox.filter(assignee=person), why="unshared")
    for group in Department.objects.filter(pk__in=of_mailbox.values("department")):
        if not readable_by(group, {mailbox_id}):
            done += _take(of_mailbox.filter(department=group), why="unshared")
    return done


def _take(theirs: QuerySet[Conversation], *, why: str) -> int:
    done = 0
    keys = theirs.order_by("pk").values_list("pk", flat=True)
    while ids := list(keys[:AT_ONCE]):
        found = locked(ids)
        nobodys = {each.pk: replace(standing_of(each), assignee=None, department=None) for each in found}
        done += write(found, nobodys, by=None, why=why)
        theirs.filter(pk__in=ids).update(assignee=None, department=None)  # of mailboxes no longer shared
    return done
