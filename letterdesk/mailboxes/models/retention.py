"""What the sweep leaves behind: a receipt for every deletion, and what it knows of the clock."""

from django.db import models

from letterdesk.accounts.models import Account


class Receipt(models.Model):
    """What a rule deleted: how many, where, when, never what they said. Each is sealed with the one before (F19)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="receipts", db_index=False)
    number = models.PositiveIntegerField()  # 1, 2, 3 … of the account: a missing one shows
    at = models.DateTimeField()
    rule = models.CharField(max_length=16)  # "R9", "disconnected" (forget.py), "account" (its deletion)
    mailbox = models.CharField(max_length=16)  # its public id: the receipt outlives it
    address = models.CharField(max_length=320)
    count = models.PositiveIntegerField()
    listed = models.CharField(max_length=64)  # SHA-256 of the deleted letters' own hashes, sorted
    previous = models.CharField(max_length=64, blank=True)
    seal = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "number"], name="receipt_once")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.count} of {self.address}"


class SweepClock(models.Model):
    """One row: when the sweep last ran, and until when a jump of the clock holds it back (F11, R20)."""

    seen_at = models.DateTimeField()
    held_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"seen {self.seen_at}"
