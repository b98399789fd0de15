"""What happened with a record: letters above all, with body and attachments of their own (R5, R6)."""

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.crm.access import KEPT, ActivityQuerySet, BindingQuerySet, OfRecordQuerySet
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.models import Mailbox

from .records import Record


class Direction(models.TextChoices):
    """Who wrote to whom."""

    INCOMING = "in", _("Incoming")
    OUTGOING = "out", _("Outgoing")


class Reason(models.TextChoices):
    """Why a letter stands at a record: every binding says it."""

    ADDRESS = "address", _("The address is known")
    REPLY = "reply", _("It belongs to a conversation that stands here")
    DEAL = "deal", _("The client's open deal that was active last")
    MADE = "made", _("It was made from this letter")  # R28
    SAID = "said", _("A colleague said that letters of this address belong here")
    HISTORY = "history", _("An earlier letter of a conversation that was linked")  # R6
    PERSON = "person", _("A colleague linked it")
    WRITTEN = "written", _("It was written here")  # R24


class Thread(models.Model):
    """Letters that answer each other, in whatever mailboxes they lie: activities are shown grouped by it (R6)."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    subject = models.TextField(blank=True, default="")

    def __str__(self) -> str:
        return self.subject


class ActivityKey(models.Model):
    """A Message-ID, own or referenced, hashed as `mailboxes.ThreadKey`, and the thread it leads to."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="keys")
    key = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="activity_key_once")]

    def __str__(self) -> str:
        return f"{self.key} → {self.thread_id}"


class Activity(models.Model):
    """A letter at CRM: its own copy, which nothing that happens to the Webmail letter changes (R6, R8).

    The bytes are held by a BlobReference, "activity:<key>". One letter in three mailboxes is one activity.
    In CRM's bin from `deleted_at` on, for 30 days.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="activities", db_index=False)
    identity = models.CharField(max_length=64)  # one letter, whichever mailbox it came through (`identity.py`)
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="activities", db_index=False)
    direction = models.CharField(max_length=3, choices=Direction.choices)
    blob = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    message_id = models.TextField(blank=True, default="")
    subject = models.TextField(blank=True, default="")
    from_name = models.TextField(blank=True, default="")
    from_address = models.TextField(blank=True, default="")
    recipients = models.JSONField(default=dict)
    sent_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    snippet = models.CharField(max_length=200, blank=True, default="")
    has_attachments = models.BooleanField(default=False)
    through = models.CharField(max_length=320, blank=True, default="")  # the address of the mailbox it came through
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    deleted_at = models.DateTimeField(null=True)
    deleted_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    is_unverified = models.BooleanField(default=False)  # nothing proves its sender: until somebody confirms it (R30)
    forwarded_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    went_along = models.BooleanField(default=False)  # into the bin with its last record: comes back with any of them

    objects = ActivityQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "identity"], name="activity_once")]
        indexes = [
            models.Index(fields=["account", "-received_at", "-id"], name="activity_latest_first"),
            models.Index(fields=["thread", "-received_at"], name="activity_of_thread"),
            models.Index(fields=["deleted_at"], name="activity_in_bin", condition=models.Q(deleted_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def who(self) -> str:
        """Who wrote it: the name, else the address; empty where neither is known."""
        return self.from_name or self.from_address

    @property
    def reference(self) -> str:
        """What events call this activity."""
        return f"activity:{self.public_id}"

    @property
    def holder(self) -> str:
        """Its name among the holders of bytes."""
        return f"activity:{self.pk}"

    @property
    def purges_at(self) -> datetime | None:
        """When the bin lets it go; None: it is in no bin."""
        return None if self.deleted_at is None else self.deleted_at + KEPT


class Binding(models.Model):
    """An activity stands at a record, and why."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    activity = models.ForeignKey(Activity, on_delete=models.CASCADE, related_name="bindings", db_index=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="bindings", db_index=False)
    reason = models.CharField(max_length=8, choices=Reason.choices)
    matched = models.CharField(max_length=320, blank=True, default="")  # the address that matched
    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(default=timezone.now)
    received_at = models.DateTimeField()  # of the activity: a timeline's order without a join

    objects = BindingQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["activity", "record"], name="binding_once")]
        indexes = [models.Index(fields=["record", "-received_at", "-id"], name="binding_timeline")]

    def __str__(self) -> str:
        return f"{self.activity_id} at {self.record_id}"


class LetterCopy(models.Model):
    """A letter of a mailbox that is this activity: it joins them again after a suspension, a restore (R13)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    activity = models.ForeignKey(Activity, on_delete=models.CASCADE, related_name="copies")
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="+", db_index=False)
    blob = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "blob"], name="letter_copy_once")]

    def __str__(self) -> str:
        return f"{self.blob[:12]} is {self.activity_id}"


class Correction(models.Model):
    """What a person said about letters of an address: they belong at this record from now on, or do not.

    A conversation that stands somewhere weighs more: replies follow it.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=320)  # the address, folded
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="corrections")
    belongs = models.BooleanField()
    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(default=timezone.now)

    objects = OfRecordQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "key", "record"], name="correction_once")]

    def __str__(self) -> str:
        return f"{self.key} {'at' if self.belongs else 'not at'} {self.record_id}"


class CardsToRead(models.Model):
    """An activity with visiting cards (vCard) among its files, of which contacts are still to be made.

    It came through one of these, whose settings hold: a mailbox of Webmail, a polled one, or a secret address.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    activity = models.OneToOneField(Activity, on_delete=models.CASCADE, related_name="+")
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    polled = models.ForeignKey(
        "crm.PolledMailbox", on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    secret_address = models.ForeignKey(
        "crm.SendSaveAddress", on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(mailbox__isnull=False, polled=None, secret_address=None)
                | models.Q(mailbox=None, polled__isnull=False, secret_address=None)
                | models.Q(mailbox=None, polled=None, secret_address__isnull=False),
                name="cards_through_one",
            )
        ]

    def __str__(self) -> str:
        return f"cards of {self.activity_id}"


class Unlinked(models.Model):
    """A person took a letter or a conversation away from a record, or a letter from CRM altogether (no record).

    Nothing links it there by itself again.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    identity = models.CharField(max_length=64, blank=True, default="")  # of a letter
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, null=True, related_name="unlinked")  # or a thread
    record = models.ForeignKey(Record, on_delete=models.CASCADE, null=True, related_name="+")
    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "identity", "record"], name="unlinked_once", condition=models.Q(thread=None)
            ),
            models.UniqueConstraint(
                fields=["account", "identity"],
                name="unlinked_for_good_once",
                condition=models.Q(record=None, thread=None),
            ),
            models.UniqueConstraint(
                fields=["thread", "record"], name="thread_unlinked_once", condition=models.Q(thread__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.identity[:12] or self.thread_id} not at {self.record_id}"
