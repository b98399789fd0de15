"""Letters, where they lie on the server, their attachments, and what could not be read.

`db_index=False`: another index begins with the same column, or only the end of an account asks for it; each index
that is not there makes the first sync faster.
"""

from typing import Self

from django.db import models
from django.db.models.expressions import RawSQL
from django.utils import timezone

from letterdesk.accounts.models import Account
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.access import InFolderQuerySet, InMessageQuerySet, MessageQuerySet

from .conversations import Conversation
from .folders import Folder
from .mailboxes import Mailbox


class Message(models.Model):
    """A letter of one mailbox. All columns but the dates of receipt can be rebuilt from its raw bytes."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="messages", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="messages", db_index=False)
    blob = models.CharField(max_length=64)  # SHA-256 of the raw bytes, hex
    size = models.PositiveBigIntegerField()
    message_id = models.TextField(blank=True, default="")
    subject = models.TextField(blank=True, default="")
    from_name = models.TextField(blank=True, default="")
    from_address = models.TextField(blank=True, default="")
    recipients = models.JSONField(default=dict)  # {"to": [[name, address], …], "cc": …, "bcc": …, "reply_to": …}
    sent_at = models.DateTimeField(null=True)  # the Date header, as far as it can be believed
    received_at = models.DateTimeField()  # R19: fixed when first seen, the earliest of its placements
    first_seen_at = models.DateTimeField(default=timezone.now)
    snippet = models.CharField(max_length=200, blank=True, default="")
    has_attachments = models.BooleanField(default=False)
    list_id = models.TextField(blank=True, default="")
    is_automatic = models.BooleanField(default=False)
    is_auto_reply = models.BooleanField(default=False)  # RFC 3834: nobody has read what it answers
    is_held = models.BooleanField(default=False)  # at least one Hold row, kept in the same transaction
    held_by_task = models.BooleanField(default=False)  # why: at least one Hold row of that reason (holds.py)
    held_by_law = models.BooleanField(default=False)
    in_crm = models.BooleanField(default=False)  # an activity has a copy of its own (R6)
    is_history = models.BooleanField(default=False)  # lay there before we looked: acts on nothing (R13, R28)
    joins_by_subject = models.BooleanField(default=False)  # a reply that names no other letter (threading.py)
    binned_at = models.DateTimeField(null=True)  # all its tasks lie in the bin (R29): shown nowhere (bin.py)
    unplaced_at = models.DateTimeField(null=True)  # lost its last placement then: a move elsewhere may still show up

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "blob"], name="message_bytes_once")]
        indexes = [
            models.Index(fields=["conversation", "received_at"], name="message_in_conversation"),
            models.Index(  # what leaves when is counted without reading a row (retention/)
                fields=[
                    "mailbox",
                    "-received_at",
                    "is_held",
                    "in_crm",
                    "binned_at",
                    "held_by_task",
                    "held_by_law",
                ],
                name="message_newest_first",
            ),
            models.Index(
                fields=["mailbox", "received_at"],
                name="message_joins_by_subject",
                condition=models.Q(joins_by_subject=True),
            ),
            models.Index(
                fields=["mailbox", "unplaced_at"],
                name="message_unplaced",
                condition=models.Q(unplaced_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.subject


class PlacementQuerySet(InFolderQuerySet):
    """Placements."""

    def on_server(self) -> Self:
        """Those that have a UID: without letters that a move from here is still bringing (`move.py`)."""
        return self.filter(uid__gt=0)

    def provisional(self) -> Self:
        """The others: few, and found by an index of their own; SQLite takes it where the number is written out."""
        return self.filter(uid__lte=RawSQL("0", ()))

    def shown(self) -> Self:
        """Those that lists and counters know: not softly removed, not marked \\Deleted on the server, not in a bin."""
        return self.filter(hidden_at=None, is_deleted=False, binned_at=None)


class Placement(models.Model):
    """One place of a letter on the server: (folder, UIDVALIDITY, UID) with its flags. P2: one row each, ever.

    A negative UID is a place that a move from here is about to fill: minus the key of its PendingChange (`move.py`).
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="placements", db_index=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="placements")
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="placements", db_index=False)
    uidvalidity = models.BigIntegerField()
    uid = models.BigIntegerField()
    is_seen = models.BooleanField(default=False)
    is_flagged = models.BooleanField(default=False)
    is_answered = models.BooleanField(default=False)
    is_draft = models.BooleanField(default=False)
    is_deleted = models.BooleanField(default=False)  # \Deleted on the server, not expunged yet
    keywords = models.JSONField(default=list)  # all other flags, sorted
    modseq = models.BigIntegerField(null=True)
    received_at = models.DateTimeField()  # of the message, for ordering and R20 without a join
    hidden_at = models.DateTimeField(null=True)  # softly removed: mass-vanish brake, folder gone, move on its way
    binned_at = models.DateTimeField(null=True)  # of the message, so that no list needs a join

    objects = PlacementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["folder", "uidvalidity", "uid"], name="placement_once"),
        ]
        indexes = [
            models.Index(fields=["conversation", "folder"], name="placement_of_conversation"),
            models.Index(
                fields=["folder", "received_at"],  # counted without reading a row (sidebar.py)
                name="placement_unread",
                condition=models.Q(is_seen=False, hidden_at=None, is_deleted=False, binned_at=None),
            ),
            models.Index(
                fields=["folder", "message"],  # few: a search for stars begins with them (search/find.py)
                name="placement_flagged",
                condition=models.Q(is_flagged=True),
            ),
            models.Index(  # few: places that the server does not know yet keep their letters here (foresee.py)
                fields=["folder", "message"], name="placement_provisional", condition=models.Q(uid__lte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.folder_id}/{self.uidvalidity}/{self.uid}"


class Attachment(models.Model):
    """A file of a letter: where it is in the raw bytes, never its own copy."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments", db_index=False)
    index = models.PositiveIntegerField()
    filename = models.TextField()
    content_type = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    content_id = models.TextField(blank=True, default="")
    is_inline = models.BooleanField(default=False)

    objects = InMessageQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "index"], name="attachment_once")]

    def __str__(self) -> str:
        return self.filename


class Quarantined(models.Model):
    """A letter on the server that is not among the messages: unreadable, or not to be had. Counted and shown."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="quarantined")
    uidvalidity = models.BigIntegerField()
    uid = models.BigIntegerField()  # below 0: gone from the server, and kept by a legal hold
    reason = models.TextField()
    blob = models.CharField(max_length=64, blank=True, default="")  # empty: the server did not hand it out
    size = models.PositiveBigIntegerField(default=0)
    internal_date = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=1)
    first_seen_at = models.DateTimeField(default=timezone.now)

    objects = InFolderQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["folder", "uidvalidity", "uid"], name="quarantined_once")]

    def __str__(self) -> str:
        return f"{self.folder_id}/{self.uid}: {self.reason}"
