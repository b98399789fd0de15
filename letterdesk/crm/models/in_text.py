"""Activities of which CRM has no bytes but those of a forward that holds them as text (R30)."""

from django.db import models

from letterdesk.accounts.models import Account

from .activities import Activity


class InText(models.Model):
    """What a forward's text says of the letter in it, until the letter itself comes: then they are one."""

    activity = models.OneToOneField(Activity, on_delete=models.CASCADE, primary_key=True, related_name="in_text")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    sender = models.CharField(max_length=320)  # folded
    subject = models.TextField(blank=True, default="")  # without prefixes
    sent_at = models.DateTimeField(null=True)
    refers_to = models.TextField(blank=True, default="")  # the Message-ID that the forward names first; empty: none

    class Meta:
        indexes = [models.Index(fields=["account", "sender"], name="in_text_of_sender")]

    def __str__(self) -> str:
        return f"text of {self.activity_id}"
