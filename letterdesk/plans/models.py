"""Which plan an account is on. What the plan allows is catalogue data, not rows."""

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account


class Subscription(models.Model):
    """The account's plan by its key in the catalogue. Limits are checked under a lock on this row (R14, R16)."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="subscription")
    plan = models.CharField(max_length=32)
    since = models.DateTimeField(default=timezone.now)
    trial_started_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.account}: {self.plan}"
