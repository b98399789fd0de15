"""The one table of what happened: audit trail, source of reactions and of live updates."""

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account, Employee


class Event(models.Model):
    """Something that happened, in the past tense ("message.received"), written in the transaction that did it.

    `topic` says whom it concerns live ("mailbox:<public id>"); `subject` what it was about;
    `facts` holds ids and counts, never the content of a letter.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=64)
    topic = models.CharField(max_length=64, blank=True, default="")
    subject = models.CharField(max_length=96, blank=True, default="")
    by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+")
    facts = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)
    dispatched_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["account", "-at"], name="event_of_account"),
            models.Index(fields=["id"], name="event_to_dispatch", condition=models.Q(dispatched_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
