"""What we mean to change on the server, what must stay, and what must not come back."""

from datetime import datetime

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account, Employee
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.access import InMailboxQuerySet

from .folders import Folder
from .mailboxes import Mailbox
from .messages import Message, Placement


class PendingChange(models.Model):
    """An intention, written with our own row in one transaction; `sync.push` carries it out, pull waits for that."""

    class Kind(models.TextChoices):
        FLAGS = "flags", "Change flags"  # detail: {"add": […], "remove": […]}
        MOVE = "move", "Move"  # detail: {}, target set
        DELETE = "delete", "Delete for good"
        APPEND = "append", "Store a letter"  # detail: {"blob": …, "flags": […], "internal_date": iso}
        DRAFT = (
            "draft",
            "Keep a draft",
        )  # detail: as an append's, "draft", "copy", "old": [{"copy", "message_id", "blob"}]

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"  # a move whose new UID the server did not tell: the next pull of the target finds it
        FAILED = "failed", "Failed"  # the server refuses it for good; shown to the owner

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="pending_changes")
    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="+")
    placement = models.ForeignKey(Placement, on_delete=models.CASCADE, null=True, related_name="pending_changes")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    uidvalidity = models.BigIntegerField(null=True)
    uid = models.BigIntegerField(null=True)
    target = models.ForeignKey(Folder, on_delete=models.CASCADE, null=True, related_name="+")
    detail = models.JSONField(default=dict)
    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)  # R27: not sent while undo is possible
    token = models.CharField(max_length=16, default=new_public_id)  # the same for all that one action changed: undo
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True, default="")

    objects = InMailboxQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["mailbox", "state", "due_at"], name="pending_change_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.folder_id}/{self.uid}"


class Hold(models.Model):
    """Why a letter must stay, whatever its age: a task's link, a legal hold. Written by higher rooms (R4)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="holds")
    reason = models.CharField(max_length=16)  # "task", "legal"
    reference = models.CharField(max_length=40)  # "task:214"
    created_at = models.DateTimeField(default=timezone.now)
    told: tuple[str, datetime] | None = None  # who placed the legal hold, and when: `holds.tell_legal`

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "reason", "reference"], name="hold_once")]

    def __str__(self) -> str:
        return f"{self.message_id} held: {self.reference}"


class Tombstone(models.Model):
    """A letter that was deleted here and must not come back by sync. It knows the letter by its bytes (R10)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="tombstones")
    blob = models.CharField(max_length=64)
    rule = models.CharField(max_length=4)  # "R9", "own", "R12", "R27", "R29"
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "blob"], name="tombstone_once")]

    def __str__(self) -> str:
        return f"{self.rule} {self.blob[:12]}"
