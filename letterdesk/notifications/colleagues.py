"""What happens at a conversation, told to whom it concerns: it was given, shown, talked about, or nobody answered.

Who may read it is asked when it is told, and again when the line is read (access.py).
"""

from collections.abc import Collection

from django.db.models import QuerySet
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.events.models import Event
from letterdesk.mailboxes.models import Conversation
from letterdesk.team.following import caretakers_of, followers_in, readers_among
from letterdesk.team.models import Comment

from .models import Kind, Notification
from .tell import About, tell, unsay
from .wishes import wanting


def after_assigned(event: Event) -> None:
    """A reaction to `conversation.assigned`: whom it was given to, by somebody else: a person, or all of a department.

    To whom it was before, no more: also the others of the department once one of them takes it.
    """
    for conversation in _conversations(event):
        people = {person for _key, person in caretakers_of([conversation.pk])}
        kind = Kind.ASSIGNED if conversation.assignee_id is not None else Kind.DEPARTMENT
        given = Notification.objects.filter(
            kind__in=(Kind.ASSIGNED, Kind.DEPARTMENT), conversation=conversation, seen_at=None
        )
        given.exclude(kind=kind, employee__in=people).update(seen_at=timezone.now())
        _tell(event, kind, conversation, people)


def after_shown(event: Event) -> None:
    """A reaction to `conversation.shared`: to whom it is shown, unless that was taken back meanwhile."""
    people = _named(event, [event.facts["to"].removeprefix("employee:")])
    for conversation in _conversations(event):
        _tell(event, Kind.SHOWN, conversation, people)


def after_comment(event: Event) -> None:
    """A reaction to `comment.added`: whom it calls; and who follows the conversation, or takes care of it."""
    public_id = event.subject.removeprefix("comment:")
    found = Comment.objects.filter(account=event.account_id, public_id=public_id)
    for comment in found.select_related("conversation__mailbox"):
        conversation = comment.conversation
        called = _named(event, comment.mentions)
        others = {person for _key, person in followers_in(conversation.mailbox, [conversation.pk])}
        others |= {person for _key, person in caretakers_of([conversation.pk])}
        _tell(event, Kind.MENTION, conversation, called)
        _tell(event, Kind.COMMENT, conversation, others - called)


def after_reminded(event: Event) -> None:
    """A reaction to `conversation.reminded`: who wanted to know, else the mailbox's owner; unless it is over."""
    for conversation in _conversations(event).filter(mark__reminded_at__isnull=False):
        wanted = readers_among(_named(event, [event.facts["to"].removeprefix("employee:")]), conversation)
        people = wanted or {conversation.mailbox.owner_id}
        about = About(event.subject, conversation.mailbox, conversation=conversation)
        tell(people, Kind.UNANSWERED, about, account=event.account, now=event.at)


def after_reminder_ended(event: Event) -> None:
    """A reaction to `conversation.reminder_ended` and `conversation.reminder_set`: nobody need look any more."""
    unsay(Kind.UNANSWERED, event.subject, now=timezone.now())


def _tell(event: Event, kind: str, conversation: Conversation, people: Collection[int]) -> None:
    """Tell those who may read the conversation and want to hear of it, but who did it."""
    readers = readers_among(set(people) - {event.by_id}, conversation)
    wanted = wanting(readers, kind, conversation)
    about = About(f"conversation:{conversation.public_id}", conversation.mailbox, conversation=conversation)
    tell(wanted, kind, about, account=event.account, now=event.at, by=event.by)


def _conversations(event: Event) -> QuerySet[Conversation]:
    public_id = event.subject.removeprefix("conversation:")
    return Conversation.objects.filter(account=event.account_id, public_id=public_id).select_related("mailbox")


def _named(event: Event, public_ids: Collection[str]) -> set[int]:
    people = Employee.objects.filter(account=event.account_id, public_id__in=public_ids)
    return set(people.values_list("pk", flat=True))
