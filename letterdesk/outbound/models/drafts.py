"""What people write: drafts, their files, and what stands below them."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.models import Mailbox, Message
from letterdesk.outbound.access import DraftFileQuerySet, DraftQuerySet, SignatureQuerySet


class Kind(models.TextChoices):
    """What a draft is with regard to the letter that it answers."""

    NEW = "new", _("New letter")
    REPLY = "reply", _("Reply")
    FORWARD = "forward", _("Forward")


class Draft(models.Model):
    """A letter that is being written, sent from `mailbox`. `version` counts the changes: who saves says what they saw.

    From `sent_at` on it is on its way: kept, so that undo and a failure bring it back, and removed once it is out.
    `answers` leads nowhere when that letter is gone from here; what the answer needs of it stands in the draft.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="drafts")
    author = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.NEW)
    answers = models.ForeignKey(
        Message, on_delete=models.DO_NOTHING, null=True, related_name="drafts", db_constraint=False
    )
    in_reply_to = models.TextField(blank=True, default="")  # a Message-ID without brackets
    references = models.JSONField(default=list)
    to = models.JSONField(default=list)  # [[name, address], …]
    cc = models.JSONField(default=list)
    bcc = models.JSONField(default=list)
    subject = models.TextField(blank=True, default="")
    body_html = models.TextField(blank=True, default="")  # empty: a letter of plain text
    body_text = models.TextField(blank=True, default="")
    version = models.PositiveIntegerField(default=1)
    writer = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    writing_until = models.DateTimeField(null=True)  # one writer at a time; a lock that lapses by itself
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    objects = DraftQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account", "author", "-updated_at"], name="draft_of_author")]

    def __str__(self) -> str:
        return self.subject

    @property
    def holder(self) -> str:
        """What blob references call this draft."""
        return f"draft:{self.pk}"


class DraftFile(models.Model):
    """A file of a draft. With a `content_id` it stands in the text: `<img src="cid:…">`."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="files")
    blob = models.CharField(max_length=64)
    filename = models.CharField(max_length=300)
    content_type = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField()
    content_id = models.CharField(max_length=255, blank=True, default="")
    at = models.DateTimeField(default=timezone.now)

    objects = DraftFileQuerySet.as_manager()

    def __str__(self) -> str:
        return self.filename


class Signature(models.Model):
    """How an employee signs in a mailbox. An empty `from_name`: the usual one (`identities.py`)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="signatures")
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+")
    from_name = models.CharField(max_length=200, blank=True, default="")
    html = models.TextField(blank=True, default="")
    text = models.TextField(blank=True, default="")

    objects = SignatureQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "employee"], name="signature_once")]

    def __str__(self) -> str:
        return f"{self.employee_id} in {self.mailbox_id}"
