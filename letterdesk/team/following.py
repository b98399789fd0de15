"""Who wants to hear of what happens in a conversation; asked by what tells people things."""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Conversation, Mailbox

from .models import Follower, Share
from .people import people_of
from .sharing import who_can_read


def follow(conversation: Conversation, *, employee: Employee) -> None:
    """From now on; again changes nothing."""
    row = Follower(account_id=conversation.account_id, conversation=conversation, employee=employee)
    Follower.objects.bulk_create([row], ignore_conflicts=True)


def unfollow(conversation: Conversation, *, employee: Employee) -> None:
    """No more."""
    Follower.objects.filter(conversation=conversation, employee=employee).delete()


def follows(conversation: Conversation, employee: Employee) -> bool:
    """Whether this employee does."""
    return Follower.objects.editable_by(employee).filter(conversation=conversation).exists()


def followers_of(conversation: Conversation) -> list[Employee]:
    """Those who do, work here, and may read the conversation at this moment."""
    people: QuerySet[Employee] = Employee.objects.filter(
        Q(pk__in=Follower.objects.filter(conversation=conversation).values("employee")),
        is_active=True, dismissed_at=None,
    )  # fmt: skip
    found = list(people.order_by("name", "pk"))
    readers = who_can_read(conversation, found)
    return [each for each in found if each.pk in readers]


def followers_in(mailbox: Mailbox, conversations: Collection[int]) -> set[tuple[int, int]]:
    """Who follows which of these conversations of the mailbox and may read it at this moment: keys of both."""
    readers = people_of([mailbox.pk]).order_by().values("pk")
    shares = Share.objects.filter(conversation=OuterRef("conversation"), employee=OuterRef("employee"))
    rows = Follower.objects.filter(
        Q(employee__in=readers) | Q(Exists(shares)),
        conversation__in=conversations, employee__is_active=True, employee__dismissed_at=None,
    )  # fmt: skip
    return set(rows.values_list("conversation_id", "employee_id"))


def caretakers_of(conversations: Collection[int]) -> set[tuple[int, int]]:
    """Whose these conversations are, keys of both: a person's, or that of all in a department until one takes it."""
    given = Conversation.objects.filter(pk__in=conversations)
    persons = given.filter(assignee__isnull=False).values_list("pk", "assignee")
    members = given.filter(assignee=None, department__employees__isnull=False)
    return {*persons, *members.values_list("pk", "department__employees")}


def readers_among(people: Collection[int], conversation: Conversation) -> set[int]:
    """Those of these employees, by key, who work here and may read the conversation at this moment."""
    readers = people_of([conversation.mailbox_id]).order_by().values("pk")
    shares = Share.objects.filter(conversation=conversation).values("employee")
    working = Employee.objects.filter(pk__in=people, account=conversation.account_id, dismissed_at=None, is_active=True)
    return set(working.filter(Q(pk__in=readers) | Q(pk__in=shares)).values_list("pk", flat=True))
