"""What the team knows of its mailboxes, and what colleagues say and show each other at conversations."""

from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from letterdesk.accounts.models import Account, Employee
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.access import InMailboxQuerySet, granted_mailboxes
from letterdesk.mailboxes.models import Conversation, Mailbox


class TeamMailbox(models.Model):
    """A mailbox that was shared at some time, and how far its letters were looked at (`follow.py`)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, related_name="+")
    considered = models.BigIntegerField(default=0)  # letters of the mailbox up to this key have been looked at

    objects = InMailboxQuerySet.as_manager()

    def __str__(self) -> str:
        return f"team of {self.mailbox_id}"


def shared_with(employee: Employee) -> "QuerySet[Share]":
    """The shares of single conversations that hold for this employee now, unless dismissed since."""
    found = Share.objects.filter(employee=employee.pk, account=employee.account_id)
    return found.filter(employee__is_active=True, employee__dismissed_at=None, conversation__mailbox__forgotten_at=None)


class ReadableQuerySet(models.QuerySet[Any]):
    """Rows of conversations, for who may read these: by a right on the mailbox, or because they were shared."""

    def visible_to(self, employee: Employee) -> Self:
        """Rows of conversations that this employee may read."""
        by_right = Q(conversation__mailbox__in=granted_mailboxes(employee))
        by_share = Q(conversation__in=shared_with(employee).values("conversation"))
        return self.filter(by_right | by_share, account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """Those of them that are the employee's own."""
        return self.visible_to(employee).filter(employee=employee.pk)


class CommentQuerySet(ReadableQuerySet):
    """Comments. To whom a conversation is shared, what was said before is not told, unless it calls them."""

    def visible_to(self, employee: Employee) -> Self:
        """Those that this employee may read."""
        by_right = Q(conversation__mailbox__in=granted_mailboxes(employee))
        shares = shared_with(employee).filter(conversation=OuterRef("conversation"))
        since = Q(Exists(shares.filter(at__lte=OuterRef("at"))))
        theirs = Q(called__contains=f'"{employee.public_id}"') | Q(employee=employee.pk)
        found = self.alias(called=Cast("mentions", TextField()))
        return found.filter(by_right | since | (theirs & Exists(shares)), account=employee.account_id)


class OwnersQuerySet(models.QuerySet[Any]):
    """Rows about a conversation that concern who manages its mailbox alone: to whom it is shared, who read it."""

    def visible_to(self, employee: Employee) -> Self:
        """Rows of mailboxes that this employee owns or manages."""
        return self.filter(conversation__mailbox__in=granted_mailboxes(employee, "manage"), account=employee.account_id)

    def editable_by(self, employee: Employee) -> Self:
        """The same."""
        return self.visible_to(employee)


class OfConversation(models.Model):
    """Something of one employee at a conversation: it follows merges, and goes with the last letter (apps.py)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.employee_id} at {self.conversation_id}"


class Comment(OfConversation):
    """A word of one colleague to the others. It is in no letter, and never leaves the house (E16)."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    text = models.TextField()
    words = models.TextField(default="")  # as it is searched for (mailboxes/search/text.py)
    mentions = models.JSONField(default=list)  # public ids of the people whom it calls
    at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)

    objects = CommentQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["conversation", "at"], name="comment_of_conversation")]


class Presence(OfConversation):
    """Somebody has the conversation before them until then; it lapses by itself. No more rows than people at work."""

    is_writing = models.BooleanField(default=False)
    until = models.DateTimeField(db_index=True)

    objects = ReadableQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "employee"], name="presence_once")]


class Follower(OfConversation):
    """Somebody wants to hear of what happens in a conversation."""

    objects = ReadableQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "employee"], name="follower_once")]


class Share(OfConversation):
    """A conversation is shown to a person who does not read its mailbox: that one alone (R16 does not count it)."""

    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    objects = OwnersQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "employee"], name="share_once")]


class Opening(OfConversation):
    """Somebody to whom a conversation is shared opened it: once for each hour, kept for 90 days (openings.py)."""

    hour = models.DateTimeField(db_index=True)

    objects = OwnersQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "employee", "hour"], name="opening_once")]
