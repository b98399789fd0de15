"""Letters on their way, and what became of each recipient."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.models import Mailbox, Message
from letterdesk.outbound.access import DeliveryQuerySet, DeliveryRecipientQuerySet
from letterdesk.plans.models import Channel, Reservation

from .drafts import Draft


class State(models.TextChoices):
    """How far a letter has come."""

    QUEUED = "queued", _("Waiting")  # can be stopped
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    DEFERRED = "deferred", _("Will be tried again")  # the server asked for patience, or was not there
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Perhaps sent")  # the line was lost in the one moment in which nobody can know (P6)
    CANCELLED = "cancelled", _("Stopped")


OPEN = (State.QUEUED, State.SENDING, State.DEFERRED, State.FAILED, State.UNKNOWN)  # what an outbox shows


class Phase(models.TextChoices):
    """How far the conversation with the server has come; `DOT` is journalled before the final dot is sent (P6)."""

    NONE = "", "Not begun"
    CONNECTING = "connect", "Connecting"
    ENVELOPE = "envelope", "Envelope"
    DATA = "data", "Letter"
    DOT = "dot", "Final dot"
    ANSWERED = "answered", "Answered"


class Delivery(models.Model):
    """A letter on its way: composed once, the same bytes at each attempt.

    `due_at` is when it is to leave, `next_at` from when on a worker may take it: a little later, so that undo holds
    what it promised. A worker that takes it raises `fence`, and writes only while the fence is its own; until
    `leased_until` nobody else takes it.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    draft = models.ForeignKey(Draft, on_delete=models.SET_NULL, null=True, related_name="deliveries")
    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    channel = models.CharField(max_length=16, choices=Channel.choices)  # R23: it follows from the door
    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, null=True, related_name="+")
    answers = models.ForeignKey(Message, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    is_forward = models.BooleanField(default=False)
    blob = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    message_id = models.TextField()  # without brackets
    subject = models.TextField(blank=True, default="")
    sender = models.CharField(max_length=320)  # of the envelope
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    phase = models.CharField(max_length=12, choices=Phase.choices, blank=True, default=Phase.NONE)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    next_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    may_have_left = models.BooleanField(default=False)  # P6: an attempt has ended without an answer to the final dot
    error_code = models.CharField(max_length=40, blank=True, default="")
    error = models.TextField(blank=True, default="")  # in words for people, the server's own among them
    is_filed = models.BooleanField(default=False)  # its copy lies in Sent
    filed = models.ForeignKey(Message, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["mailbox", "state", "due_at"], name="delivery_in_outbox"),
            models.Index(
                fields=["next_at"], name="delivery_to_send", condition=models.Q(state__in=["queued", "deferred"])
            ),
            models.Index(
                fields=["leased_until"], name="delivery_to_recover", condition=models.Q(state__in=["sending"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state}: {self.subject}"

    @property
    def holder(self) -> str:
        """What blob references call this delivery."""
        return f"delivery:{self.pk}"

    @property
    def topic(self) -> str:
        """Whom its events concern live: all who read the mailbox."""
        return self.mailbox.topic


class RecipientState(models.TextChoices):
    """What became of one recipient."""

    WAITING = "waiting", _("Waiting")
    ACCEPTED = "accepted", _("Accepted by the server")
    DEFERRED = "deferred", _("Will be tried again")
    REFUSED = "refused", _("Refused")
    UNKNOWN = "unknown", _("Perhaps sent")


class DeliveryRecipient(models.Model):
    """One address of the envelope. Bcc stands here and nowhere in the letter (E16)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="recipients", db_index=False)
    field = models.CharField(max_length=3)  # "to", "cc", "bcc"
    name = models.TextField(blank=True, default="")
    address = models.CharField(max_length=320)
    state = models.CharField(max_length=12, choices=RecipientState.choices, default=RecipientState.WAITING)
    code = models.PositiveIntegerField(default=0)  # SMTP's answer
    text = models.TextField(blank=True, default="")

    objects = DeliveryRecipientQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "address"], name="delivery_recipient_once")]

    def __str__(self) -> str:
        return f"{self.address}: {self.state}"
