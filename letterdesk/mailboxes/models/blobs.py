"""Who holds which bytes. The bytes themselves lie behind `lib/blobs.py`."""

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account


class BlobReference(models.Model):
    """A holder of raw bytes: "message:12", later "activity:7". Bytes that nobody has held for an hour are collected."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    blob = models.CharField(max_length=64)
    holder = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "blob", "holder"], name="blob_reference_once")]

    def __str__(self) -> str:
        return f"{self.holder} holds {self.blob[:12]}"
