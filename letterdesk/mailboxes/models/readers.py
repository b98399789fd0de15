"""What one employee's reading leaves behind for themselves alone: whose images they show, when they last looked."""

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account, Employee
from letterdesk.mailboxes.access import OwnQuerySet

from .conversations import Conversation


class ImageConsent(models.Model):
    """An employee shows the remote images of a sender ("amara@okafor.example") or a domain ("@okafor.example")."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+", db_index=False)
    sender = models.CharField(max_length=320)
    given_at = models.DateTimeField(default=timezone.now)

    objects = OwnQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["employee", "sender"], name="image_consent_once")]

    def __str__(self) -> str:
        return self.sender


class Look(models.Model):
    """When an employee last looked at a conversation: what came since is marked."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="looks", db_index=False)
    at = models.DateTimeField()

    objects = OwnQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "employee"], name="look_once")]

    def __str__(self) -> str:
        return f"{self.employee_id} at {self.conversation_id}"
