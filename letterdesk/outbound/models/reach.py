"""Whom letters reach: addresses that do not exist, reports that were read, and how many may leave in a day."""

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.models import Mailbox
from letterdesk.outbound.access import SuppressedQuerySet

from .senders import VerifiedSender


class Suppressed(models.Model):
    """An address to which nothing is sent, because a report said that there is no such address. `address` is folded.

    `mailbox`: from which the letter had gone out; whoever may act there may take the address off, too.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.SET_NULL, null=True, related_name="+")
    address = models.CharField(max_length=320)
    reason = models.TextField(blank=True, default="")  # the reporting server's words
    at = models.DateTimeField(default=timezone.now)

    objects = SuppressedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "address"], name="suppressed_once")]

    def __str__(self) -> str:
        return self.address


class ReportsRead(models.Model):
    """How far the letters of a mailbox were looked through for reports: up to this key."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, primary_key=True, related_name="+")
    up_to = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.mailbox_id}: {self.up_to}"


class DailyLimit(models.Model):
    """How many letters may leave a mailbox in a day. No row: as many as one likes."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.OneToOneField(Mailbox, on_delete=models.CASCADE, primary_key=True, related_name="daily_limit")
    most = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.mailbox_id}: {self.most}"


class SentOnDay(models.Model):
    """How many letters have taken their place in a day, which is one of the account's time zone."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    verified_sender = models.ForeignKey(
        VerifiedSender, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "day"], name="sent_on_day_once"),
            models.UniqueConstraint(fields=["verified_sender", "day"], name="sent_on_day_of_sender_once"),
        ]

    def __str__(self) -> str:
        return f"{self.mailbox_id or self.verified_sender_id} on {self.day}: {self.count}"
