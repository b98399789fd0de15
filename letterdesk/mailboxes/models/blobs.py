"""Who holds which bytes. The bytes themselves lie behind `lib/blobs.py`; `collect.py` tells how they come and go."""

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account


class BlobReference(models.Model):
    """A holder of raw bytes: "mailbox:12" for its letters and its quarantine, later "activity:7"."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    blob = models.CharField(max_length=64)
    holder = models.CharField(max_length=40)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "blob", "holder"], name="blob_reference_once")]

    def __str__(self) -> str:
        return f"{self.holder} holds {self.blob[:12]}"


class LooseBlob(models.Model):
    """Bytes that may be stored while nobody refers to them: about to be, or no longer. Collected after half an hour."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    blob = models.CharField(max_length=64)
    since = models.DateTimeField()
    removing_at = models.DateTimeField(null=True)  # a collector is at it: wait until this row is gone

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "blob"], name="loose_blob_once")]
        indexes = [models.Index(fields=["since"], name="loose_blob_since")]

    def __str__(self) -> str:
        return f"{self.blob[:12]} loose since {self.since}"
