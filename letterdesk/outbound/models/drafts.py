"""What people write: drafts, their files, and what stands below them."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.models import Folder, Mailbox, Message
from letterdesk.outbound.access import DraftFileQuerySet, DraftQuerySet, SignatureQuerySet
from letterdesk.plans.models import Channel

from .senders import VerifiedSender


class Kind(models.TextChoices):
    """What a draft is with regard to the letter that it answers."""

    NEW = "new", _("New letter")
    REPLY = "reply", _("Reply")
    FORWARD = "forward", _("Forward")


class Draft(models.Model):
    """A letter that is being written, sent from `mailbox` or, where that is None, from `verified_sender`.

    `version` counts the changes: who saves says what they saw. `channel` is the door at which it was begun, and `about`
    what it stands at there, as events name it ("deal:…"); the letter takes both along (R23, R24).

    From `sent_at` on it is on its way: kept, so that undo and a failure bring it back, and removed once it is out.
    From `discarded_at` on nobody sees it, and a little later it is removed, with its copies on the server.
    `answers` leads nowhere when that letter is gone from here; what the answer needs of it stands in the draft.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, null=True, related_name="drafts")
    verified_sender = models.ForeignKey(
        VerifiedSender, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    channel = models.CharField(max_length=16, choices=Channel.choices, default=Channel.WEBMAIL)
    about = models.CharField(max_length=40, blank=True, default="")
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
    remind = models.CharField(max_length=32, blank=True, default="")  # if nobody answers: days, or a time as typed
    is_tracked = models.BooleanField(default=False)  # its writer wants opens and clicks counted, if the account allows
    seen = models.JSONField(default=list)  # what its writer had read of the conversation (moved_on.py)
    version = models.PositiveIntegerField(default=1)
    writer = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    writing_until = models.DateTimeField(null=True)  # one writer at a time; a lock that lapses by itself
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    discarded_at = models.DateTimeField(null=True)
    discarded_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    held_back_at = models.DateTimeField(null=True)  # it was to leave then, and the conversation had moved on
    is_teams = models.BooleanField(default=False)  # lay in the server's Drafts: whoever acts in its mailbox sees it
    copied_at = models.DateTimeField(null=True)  # what was written until then is in its newest DraftCopy

    objects = DraftQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["account", "author", "-updated_at"], name="draft_of_author"),
            models.Index(fields=["updated_at"], name="draft_to_copy", condition=models.Q(sent_at=None)),
            models.Index(
                fields=["discarded_at"], name="draft_to_remove", condition=models.Q(discarded_at__isnull=False)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(mailbox=None) ^ models.Q(verified_sender=None), name="draft_has_one_sender"
            )
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def holder(self) -> str:
        """What blob references call this draft."""
        return f"draft:{self.pk}"

    @property
    def outlet(self) -> Mailbox | VerifiedSender:
        """From what it is sent: the one of the two."""
        outlet = self.mailbox or self.verified_sender
        assert outlet is not None  # noqa: S101  the database holds it
        return outlet

    @property
    def topic(self) -> str:
        """Whom its events concern live: all who read the mailbox; without one its author alone."""
        return self.mailbox.topic if self.mailbox else self.author.topic


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


class DraftCopy(models.Model):
    """A copy of a draft that lies in the server's folder of drafts, or may lie there (`server_copies.py`).

    Its Message-ID is its own, and nobody learns it who cannot read that folder. A row lives until the server is known
    not to have the letter any more; `draft` is null when it only waits for that. `is_foreign`: another program wrote
    the letter, and the draft was read from it; such a one is never removed for good (R26), and its Message-ID may be
    anything, or empty.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="draft_copies")
    folder = models.ForeignKey(Folder, on_delete=models.SET_NULL, null=True, related_name="+")  # where it was put
    draft = models.ForeignKey(Draft, on_delete=models.SET_NULL, null=True, related_name="copies")
    is_foreign = models.BooleanField(default=False)
    message_id = models.TextField()  # without brackets
    blob = models.CharField(max_length=64)
    said = models.CharField(max_length=64)  # a hash of what the draft said
    created_at = models.DateTimeField(default=timezone.now)
    stored_at = models.DateTimeField(null=True)  # the server has taken it
    gone_at = models.DateTimeField(null=True)  # another program has removed it

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "message_id", "blob"], name="draft_copy_once"),
        ]

    def __str__(self) -> str:
        return self.message_id

    @property
    def holder(self) -> str:
        """What blob references call this copy."""
        return f"draft-copy:{self.pk}"


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
