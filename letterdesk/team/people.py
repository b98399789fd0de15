"""To whom a conversation can be given: people and departments that can read its mailbox."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from letterdesk.accounts.models import Department, Employee
from letterdesk.mailboxes.models import Conversation, Grant, Mailbox

from .decide import Standing


def people_of(mailboxes: Collection[int] | QuerySet[Mailbox, Any]) -> QuerySet[Employee]:
    """Who works here and reads at least one of these mailboxes, by name."""
    grants = Grant.objects.filter(mailbox__in=mailboxes, account=OuterRef("account"))
    named = Q(employee=OuterRef("pk")) | Q(department=OuterRef("department")) | Q(employee=None, department=None)
    owners = Mailbox.objects.filter(pk__in=mailboxes).values("owner")
    readers: QuerySet[Employee] = Employee.objects.filter(is_active=True, dismissed_at=None)
    return readers.filter(Q(pk__in=owners) | Exists(grants.filter(named))).order_by("name", "pk")


def departments_of(mailboxes: Collection[int]) -> QuerySet[Department]:
    """Departments all of whose people read at least one of these mailboxes, by name."""
    grants = Grant.objects.filter(mailbox__in=mailboxes, account=OuterRef("account"))
    named = Q(department=OuterRef("pk")) | Q(employee=None, department=None)
    found: QuerySet[Department] = Department.objects.filter(Exists(grants.filter(named)))
    return found.order_by("name", "pk")


def readable_by(to: Employee | Department, mailboxes: Collection[int]) -> set[int]:
    """Which of these mailboxes the person, or each of the department's people, reads."""
    if isinstance(to, Employee):
        readable = Mailbox.objects.visible_to(to).filter(pk__in=mailboxes)
        return set(readable.values_list("pk", flat=True))
    grants = Grant.objects.filter(mailbox__in=mailboxes, account=to.account_id)
    return set(grants.filter(Q(department=to) | Q(employee=None, department=None)).values_list("mailbox", flat=True))


def of_readers(standings: Mapping[int, Standing], conversations: Collection[Conversation]) -> dict[int, Standing]:
    """These standings by conversation; nobody's where whose it was has left, is deleted, or cannot read it any more."""
    mailboxes = {each.mailbox_id for each in conversations}
    people = Employee.objects.filter(pk__in=[each.assignee for each in standings.values() if each.assignee])
    groups = Department.objects.filter(pk__in=[each.department for each in standings.values() if each.department])
    persons = {each.pk: readable_by(each, mailboxes) for each in people}
    departments = {each.pk: readable_by(each, mailboxes) for each in groups}

    def kept(of: Conversation) -> Standing:
        was = standings[of.pk]
        person = was.assignee if of.mailbox_id in persons.get(was.assignee or 0, ()) else None
        department = was.department if of.mailbox_id in departments.get(was.department or 0, ()) else None
        return replace(was, assignee=person, department=department)

    return {each.pk: kept(each) for each in conversations}
