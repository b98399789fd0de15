"""Mailboxes polled for CRM alone (R30): never in Webmail, counted in no limit, left unchanged on their server."""

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.crm.access import OfPolledQuerySet, PolledManager, PutAsideQuerySet
from letterdesk.intake.models import Arrived
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.models import SignsIn

from .settings import Making, Returning

LATE = timedelta(minutes=30)
RENUMBERED_MOST = 5  # changes of UIDVALIDITY in a day after which a folder is left alone


class PolledState(models.TextChoices):
    """How it stands with a polled mailbox."""

    CONNECTED = "connected", _("Connected")
    FAILING = "failing", _("Needs you")  # only a person mends it: it is not tried by itself
    PAUSED = "paused", _("Paused")
    DISCONNECTED = "disconnected", _("Disconnected")


class PolledMailbox(SignsIn, Making):
    """A mailbox of the account whose new letters become activities, and whose server hears nothing but reading.

    A letter is taken if it came after `made_at`, or after `older_since` where somebody chose that. `due_at`: when it
    is looked at next. `leased_until`: while somebody looks, when that one is taken for dead. `fence`: raised by each
    look and by whatever a look goes by; a look that holds an older one writes nothing any more.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=12, choices=PolledState.choices, default=PolledState.CONNECTED)
    error_code = models.CharField(max_length=40, blank=True, default="")
    error_text = models.TextField(blank=True, default="")
    error_since = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)  # in a row
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    older_since = models.DateTimeField(null=True)
    older_makes = models.BooleanField(default=False)  # older letters make records of unknown people as new ones do
    looked_at = models.DateTimeField(null=True)  # the last look that went well
    due_at = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    returning = models.CharField(max_length=8, choices=Returning.choices, default=Returning.NOTHING)

    objects = PolledManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "imap_host", "imap_user"],
                name="polled_once",
                condition=~models.Q(state="disconnected"),
            )
        ]
        indexes = [  # whole ones: SQLite takes no part of one for what is given as parameters
            models.Index(fields=["state", "due_at", "id"], name="polled_due"),
            models.Index(fields=["state", "failures", "account"], name="polled_failing"),
        ]

    def __str__(self) -> str:
        return self.address

    def is_late(self, now: datetime) -> bool:
        """Whether it has been due for long, and nobody looks: no process does, or too few."""
        is_looked_at = self.leased_until is not None and self.leased_until > now
        return self.state == PolledState.CONNECTED and self.due_at < now - LATE and not is_looked_at

    @property
    def reference(self) -> str:
        """What events call it."""
        return f"polled:{self.public_id}"


class PolledFolder(models.Model):
    """A folder of a polled mailbox, and how far it was read.

    `begins_after`: the highest UID when the mailbox was connected; what has a higher one came later, whatever clock
    the server has. None: nobody knows that. `read_to`: up to this UID everything was decided about.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(PolledMailbox, on_delete=models.CASCADE, related_name="folders", db_index=False)
    name = models.TextField()
    wire_name = models.TextField()
    role = models.CharField(max_length=10, blank=True, default="")
    is_on = models.BooleanField(default=False)
    is_there = models.BooleanField(default=True)  # on the server
    object_id = models.CharField(max_length=255, blank=True, default="")  # MAILBOXID, RFC 8474
    uidvalidity = models.BigIntegerField(null=True)
    begins_after = models.BigIntegerField(null=True)
    read_to = models.BigIntegerField(default=0)
    compared_at = models.DateTimeField(null=True)  # when what the server names was compared with what is known
    renumbered = models.PositiveIntegerField(default=0)  # how often UIDVALIDITY changed within a day,
    renumbered_since = models.DateTimeField(null=True)  # which began then
    broke_at = models.BigIntegerField(default=0)  # the UID of the letter in which the server broke off last,
    broken = models.PositiveIntegerField(default=0)  # so often in a row
    refused = models.PositiveIntegerField(default=0)  # how often in a row the server said NO to reading it,
    refused_text = models.TextField(blank=True, default="")  # in these words

    objects = OfPolledQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "wire_name"], name="polled_folder_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_unsteady(self) -> bool:
        """Whether it was switched off because its letters got other numbers again and again (A04)."""
        return not self.is_on and self.renumbered > RENUMBERED_MOST


class PolledLetter(models.Model):
    """A letter that was decided about: it is taken once, whatever folder, UID or UIDVALIDITY it has later.

    `key` tells it by Message-ID and content (`polled/key.py`); of one that the server did not hand over, and of a copy
    of one that is known, by its place. `uid`: under the folder's UIDVALIDITY; 0: it had another one.
    """

    class Trouble(models.TextChoices):
        """Why the server's letter is not here."""

        NONE = "", ""
        TOO_LARGE = "too_large", _("Larger than what is taken")
        EMPTY = "empty", _("The server handed out nothing")
        REFUSED = "refused", _("The server refused to hand it out")
        BROKE_OFF = "broke_off", _("The server broke off, or was too slow")

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(PolledMailbox, on_delete=models.CASCADE, related_name="letters", db_index=False)
    folder = models.ForeignKey(PolledFolder, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=64)
    uid = models.BigIntegerField()
    arrived = models.OneToOneField(Arrived, on_delete=models.SET_NULL, null=True, related_name="+")
    received_at = models.DateTimeField()
    is_older = models.BooleanField(default=False)  # it lay there before the mailbox was connected
    trouble = models.CharField(max_length=10, choices=Trouble.choices, blank=True, default="")
    size = models.PositiveBigIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)  # how often the server did not hand it over
    again_at = models.DateTimeField(null=True)  # when it is asked for, by itself or for a person; None: no more

    objects = PutAsideQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "key"], name="polled_letter_once")]
        indexes = [
            models.Index(fields=["folder", "uid"], name="polled_letter_place"),
            models.Index(
                fields=["folder", "again_at"], name="polled_again", condition=models.Q(again_at__isnull=False)
            ),
            models.Index(fields=["mailbox", "trouble", "-received_at"], name="polled_trouble"),
        ]

    def __str__(self) -> str:
        return self.public_id
