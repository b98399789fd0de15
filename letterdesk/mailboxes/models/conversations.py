"""Conversations, how letters find theirs, and their lines in the lists of folders."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Department, Employee
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.access import ConversationQuerySet, InFolderQuerySet

from .folders import Folder
from .mailboxes import Mailbox


class Status(models.TextChoices):
    """How far a team is with a conversation. What is snoozed has a mark, what is spam lies in Spam: neither is here."""

    NONE = "", _("No status")  # nobody's work: in a personal mailbox, or from before the mailbox was shared
    OPEN = "open", _("Open")
    WAITING = "waiting", _("Waiting")  # for the customer's answer
    CLOSED = "closed", _("Closed")


class Conversation(models.Model):
    """Letters of one mailbox that answer each other, across its folders. Counts are kept by `listing.py`."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="conversations", db_index=False)
    subject = models.TextField(blank=True, default="")  # of its first letter, reply prefixes stripped
    subject_key = models.CharField(max_length=64, blank=True, default="")  # hash for joining by subject
    senders = models.JSONField(default=list)  # shown names, oldest first, each once, at most 8
    snippet = models.CharField(max_length=200, blank=True, default="")  # of its newest letter
    message_count = models.PositiveIntegerField(default=0)
    has_attachments = models.BooleanField(default=False)
    newest_at = models.DateTimeField(null=True)
    # Its letters went there; this row stays as a signpost for old addresses, without content.
    merged_into = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+")
    # A person split it off from that one: letters that name both never join them again.
    split_from = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    # Team work on shared mailboxes (letterdesk/team): lists filter by these.
    status = models.CharField(max_length=8, choices=Status.choices, blank=True, default=Status.NONE)
    assignee = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    department = models.ForeignKey(Department, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    waiting_since = models.DateTimeField(null=True)  # since when whoever wrote to us waits for an answer

    objects = ConversationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["mailbox", "subject_key", "-newest_at"], name="conversation_by_subject"),
            models.Index(
                fields=["mailbox", "status", "-newest_at", "-id"],
                name="conversation_by_status",
                condition=~models.Q(status=""),
            ),
            models.Index(
                fields=["mailbox", "-newest_at", "-id"],
                name="conversation_unassigned",
                condition=models.Q(status="open", assignee=None, department=None),
            ),
            models.Index(
                fields=["assignee", "status", "-newest_at", "-id"],
                name="conversation_of_assignee",
                condition=models.Q(assignee__isnull=False),
            ),
            models.Index(
                fields=["department", "status", "-newest_at", "-id"],
                name="conversation_of_department",
                condition=models.Q(department__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.subject


class ThreadKey(models.Model):
    """A Message-ID, own or referenced, and the conversation it belongs to: letters join in any order of arrival."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="+", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="thread_keys")
    key = models.BigIntegerField()  # first 8 bytes of SHA-256 of the Message-ID, signed

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "key"], name="thread_key_once")]

    def __str__(self) -> str:
        return f"{self.key} → {self.conversation_id}"


class Listing(models.Model):
    """A conversation's line in a folder's list: what the list orders and counts by, kept in the same transaction."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="listings", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="listings")
    newest_at = models.DateTimeField()
    unread_count = models.PositiveIntegerField(default=0)
    is_flagged = models.BooleanField(default=False)
    is_held = models.BooleanField(default=False)  # a letter of it is held: shown whatever its age (R4)
    has_attachments = models.BooleanField(default=False)

    objects = InFolderQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["folder", "conversation"], name="listing_once")]
        indexes = [
            models.Index(fields=["folder", "-newest_at", "-id"], name="listing_newest_first"),
            models.Index(
                fields=["folder", "-newest_at", "-id"], name="listing_unread", condition=models.Q(unread_count__gt=0)
            ),
            models.Index(
                fields=["folder", "-newest_at", "-id"], name="listing_flagged", condition=models.Q(is_flagged=True)
            ),
            models.Index(
                fields=["folder", "-newest_at", "-id"],
                name="listing_attachments",
                condition=models.Q(has_attachments=True),
            ),
            models.Index(fields=["folder", "newest_at"], name="listing_held", condition=models.Q(is_held=True)),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id} in {self.folder_id}"
