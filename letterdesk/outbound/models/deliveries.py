"""Letters on their way, and what became of each recipient."""

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.models import Mailbox, Message
from letterdesk.outbound.access import DeliveryQuerySet, DeliveryRecipientQuerySet
from letterdesk.plans.models import Channel, Reservation

from .drafts import Draft
from .senders import VerifiedSender


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
    """A letter on its way: composed once, the same bytes at each attempt; from a mailbox, or from a verified sender.

    `due_at` is when it is to leave, `next_at` from when on a worker may take it: a little later, so that undo holds
    what it promised. A worker that takes it raises `fence`, and writes only while the fence is its own; until
    `leased_until` nobody else takes it.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, null=True, related_name="deliveries", db_index=False)
    verified_sender = models.ForeignKey(
        VerifiedSender, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    about = models.CharField(max_length=40, blank=True, default="")  # where it was written, as events name it: "deal:…"
    draft = models.ForeignKey(Draft, on_delete=models.SET_NULL, null=True, related_name="deliveries")
    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    channel = models.CharField(max_length=16, choices=Channel.choices)  # R23: it follows from the door
    reservation = models.ForeignKey(Reservation, on_delete=models.PROTECT, null=True, related_name="+")
    answers = models.ForeignKey(Message, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    is_forward = models.BooleanField(default=False)
    blob = models.CharField(max_length=64)  # what travels
    plain_blob = models.CharField(max_length=64, blank=True, default="")  # of a tracked one: as it was written
    size = models.PositiveBigIntegerField()
    message_id = models.TextField()  # without brackets
    subject = models.TextField(blank=True, default="")
    sender = models.CharField(max_length=320)  # of the envelope
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    phase = models.CharField(max_length=12, choices=Phase.choices, blank=True, default=Phase.NONE)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    tried_since = models.DateTimeField(null=True)  # when a server was asked first: it is asked for five days from then
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    next_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    remind_days = models.PositiveSmallIntegerField(null=True)  # so long after it has left, unless somebody answers …
    remind_at = models.DateTimeField(null=True)  # … or then; both empty: its sender wants no reminder
    seen = models.JSONField(null=True)  # held back at `due_at` if the conversation has more by then; None: is not
    may_have_left = models.BooleanField(default=False)  # P6: an attempt has ended without an answer to the final dot
    error_code = models.CharField(max_length=40, blank=True, default="")
    error = models.TextField(blank=True, default="")  # in words for people, the server's own among them
    trouble_at = models.DateTimeField(null=True)  # somebody did not get it, perhaps; None: no, or its people know
    counted_on = models.DateField(null=True)  # the day on which it took its place in the mailbox's daily limit
    is_filed = models.BooleanField(default=False)  # its copy lies in Sent
    filed = models.ForeignKey(Message, on_delete=models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    is_kept = models.BooleanField(
        default=False
    )  # where it was written its copy is kept (R6); until then its bytes stay

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["mailbox", "state", "due_at"], name="delivery_in_outbox"),
            models.Index(
                fields=["next_at", "id"], name="delivery_in_turn", condition=models.Q(state__in=["queued", "deferred"])
            ),
            models.Index(
                fields=["leased_until"], name="delivery_to_recover", condition=models.Q(state__in=["sending"])
            ),
            models.Index(fields=["mailbox"], name="delivery_in_trouble", condition=models.Q(trouble_at__isnull=False)),
            models.Index(fields=["mailbox", "message_id"], name="delivery_by_message_id"),
            models.Index(
                fields=["verified_sender", "message_id"], name="delivery_of_sender",
                condition=models.Q(verified_sender__isnull=False),
            ),
            models.Index(fields=["account", "about"], name="delivery_about", condition=~models.Q(about="")),
            models.Index(
                fields=["sent_at"], name="delivery_to_keep",
                condition=models.Q(is_kept=False, sent_at__isnull=False) & ~models.Q(about=""),
            ),
        ]  # fmt: skip
        constraints = [
            models.CheckConstraint(
                condition=models.Q(mailbox=None) ^ models.Q(verified_sender=None), name="delivery_has_one_sender"
            )
        ]

    def __str__(self) -> str:
        return f"{self.state}: {self.subject}"

    @property
    def holder(self) -> str:
        """What blob references call this delivery."""
        return f"delivery:{self.pk}"

    def reminds_at(self, left_at: datetime) -> datetime | None:
        """When its sender wants to be reminded if nobody answers, as it left at that time; None: never."""
        return self.remind_at if self.remind_days is None else left_at + timedelta(days=self.remind_days)

    @property
    def topic(self) -> str:
        """Whom its events concern live: all who read the mailbox; without one who sent it."""
        if self.mailbox is not None:
            return self.mailbox.topic
        return self.by.topic if self.by else ""


class RecipientState(models.TextChoices):
    """What became of one recipient."""

    WAITING = "waiting", _("Waiting")
    ACCEPTED = "accepted", _("Accepted by the server")
    DEFERRED = "deferred", _("Will be tried again")
    REFUSED = "refused", _("Refused")
    UNKNOWN = "unknown", _("Perhaps sent")


class Bounce(models.TextChoices):
    """What a report said of a recipient whom the server had accepted (RFC 3464)."""

    NONE = "", "None"
    HARD = "hard", _("No such address")
    SOFT = "soft", _("Came back")
    DELAYED = "delayed", _("Delayed on its way")


class DeliveryRecipient(models.Model):
    """One address of the envelope. Bcc stands here and nowhere in the letter (E16).

    `state` is what our server said when it took the letter, `bounce` what came back later: a report never changes who
    is asked again.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="recipients", db_index=False)
    field = models.CharField(max_length=3)  # "to", "cc", "bcc"
    name = models.TextField(blank=True, default="")
    address = models.CharField(max_length=320)
    state = models.CharField(max_length=12, choices=RecipientState.choices, default=RecipientState.WAITING)
    code = models.PositiveIntegerField(default=0)  # SMTP's answer
    text = models.TextField(blank=True, default="")
    bounce = models.CharField(max_length=8, choices=Bounce.choices, blank=True, default=Bounce.NONE)
    bounce_text = models.TextField(blank=True, default="")  # the reporting server's words
    bounced_at = models.DateTimeField(null=True)

    objects = DeliveryRecipientQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "address"], name="delivery_recipient_once")]

    def __str__(self) -> str:
        return f"{self.address}: {self.state}"
