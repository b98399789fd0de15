"""What people put on conversations: labels, pins, snoozes, reminders, "not for me", mute. No server learns of it."""

from datetime import datetime
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.access import InMailboxQuerySet, LabelledQuerySet, OwnQuerySet

from .conversations import Conversation
from .mailboxes import Mailbox
from .messages import Message


class Colour(models.TextChoices):
    """The colours of a label, as the style sheet's tokens call them; the name is always beside it."""

    NEUTRAL = "", _("Grey")
    ACCENT = "accent", _("Spruce")
    INFO = "info", _("Blue")
    OK = "ok", _("Green")
    WARN = "warn", _("Amber")
    DANGER = "danger", _("Red")
    NOTE = "note", _("Straw")


class Label(models.Model):
    """A label of a mailbox. All who read the mailbox see it."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="labels", db_index=False)
    name = models.CharField(max_length=60)
    key = models.CharField(max_length=60)  # the name, folded: no two that differ in case alone
    colour = models.CharField(max_length=8, choices=Colour.choices, blank=True, default=Colour.NEUTRAL)

    objects = InMailboxQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "key"], name="label_name_once")]

    def __str__(self) -> str:
        return self.name


class Labelled(models.Model):
    """A conversation has a label."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="labelled", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="labelled")

    objects = LabelledQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["label", "conversation"], name="labelled_once")]

    def __str__(self) -> str:
        return f"{self.conversation_id} is {self.label_id}"


class MarkQuerySet(InMailboxQuerySet):
    """Marks."""

    def asleep(self, now: datetime) -> Self:
        """Those of conversations that are out of their lists: not yet time, and no newer letter."""
        answered = models.Q(conversation__newest_at__gt=models.F("newest_then"))
        return self.filter(snoozed_until__gt=now).exclude(answered)

    def awaiting(self) -> Self:
        """Those of conversations whose answer is waited for, and whose reminder has not come back yet."""
        return self.filter(remind_at__isnull=False, reminded_at=None)

    def reminded(self) -> Self:
        """Those of conversations that are back because nobody has answered."""
        return self.filter(reminded_at__isnull=False)


class Mark(models.Model):
    """What changes a conversation's place in its lists: a pin, a snooze, a reminder. For all who read the mailbox.

    There is a row as long as one of them holds, so a list leaves all of them out and lays the few in by hand.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="marks", db_index=False)
    conversation = models.OneToOneField(Conversation, on_delete=models.CASCADE, related_name="mark")
    pinned_at = models.DateTimeField(null=True)
    snoozed_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    newest_then = models.DateTimeField(null=True)  # the newest letter when it was snoozed: a newer one brings it back
    awaited_since = models.DateTimeField(null=True)  # whoever answers after that ends the reminder (reminders.py)
    remind_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)  # when it came back, as nobody had answered; None: it waits
    remind_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    is_looked_at = models.BooleanField(default=False)  # since it came back
    told_at = models.DateTimeField(null=True)  # when open pages heard that it is back
    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)

    objects = MarkQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["mailbox", "snoozed_until"], name="mark_of_mailbox"),
            models.Index(
                fields=["snoozed_until"],
                name="mark_to_tell",
                condition=models.Q(told_at=None, snoozed_until__isnull=False),
            ),
            models.Index(
                fields=["remind_at"],
                name="mark_to_remind",
                condition=models.Q(reminded_at=None, remind_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"mark of {self.conversation_id}"

    def was_answered(self, newest_at: datetime | None) -> bool:
        """Whether a letter came since it was snoozed: `newest_at` is that of the conversation."""
        return self.newest_then is not None and newest_at is not None and newest_at > self.newest_then

    def sleeps(self, newest_at: datetime | None, now: datetime) -> bool:
        """Whether it is out of its lists at `now`."""
        return self.snoozed_until is not None and now < self.snoozed_until and not self.was_answered(newest_at)

    def is_back(self, newest_at: datetime | None, now: datetime) -> bool:
        """Whether a snooze is over, by the clock or by an answer."""
        return self.snoozed_until is not None and not self.sleeps(newest_at, now)


class HiddenLetter(models.Model):
    """A letter that one employee has put away for themselves alone, without the right to delete it (R27)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+", db_index=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="hidden_from")
    hidden_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["employee", "message"], name="hidden_once")]

    def __str__(self) -> str:
        return f"{self.message_id} hidden by {self.employee_id}"


class Muted(models.Model):
    """An employee wants to hear nothing of a conversation, unless they are called or it is given to them."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)

    objects = OwnQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "employee"], name="muted_once")]

    def __str__(self) -> str:
        return f"{self.conversation_id} muted by {self.employee_id}"


class Action(models.Model):
    """Something an employee did with conversations, as "Recent actions" shows it and undo takes it back.

    `before` holds keys and earlier values alone, by kind (`undoing.py`); never what a letter says.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=16)
    count = models.PositiveIntegerField(default=0)  # conversations
    detail = models.JSONField(default=dict)  # what the sentence says: folder, label, moment
    before = models.JSONField(default=list)
    at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True)

    objects = OwnQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["employee", "-at"], name="action_of_employee")]

    def __str__(self) -> str:
        return f"{self.kind} {self.count}"
