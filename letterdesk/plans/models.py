"""Which plan an account is on. What the plan allows is catalogue data, not rows."""

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account


class Subscription(models.Model):
    """The account's plan by its key in the catalogue. Limits are checked under a lock on this row (R14, R16).

    Which plan is in force at a moment is not read from `plan` alone, but asked from `timeline.py` (R11).
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="subscription")
    plan = models.CharField(max_length=32)
    since = models.DateTimeField(default=timezone.now)
    trial_started_at = models.DateTimeField(null=True, blank=True)
    next_plan = models.CharField(max_length=32, blank=True, default="")  # chosen to follow
    next_at = models.DateTimeField(null=True, blank=True)  # from when on; None with a next plan: when the trial ends
    webmail_ended_at = models.DateTimeField(null=True, blank=True)  # None: the plan has Webmail (R12)
    webmail_began_at = models.DateTimeField(null=True, blank=True)  # after a time without; None: always had it (R28)
    noticed_days = models.PositiveSmallIntegerField(null=True, blank=True)  # the last notice before the turn: 14, 7, 1
    followed = models.CharField(max_length=32, blank=True, default="")  # the plan that mailboxes were fitted to (R13)

    def __str__(self) -> str:
        return f"{self.account}: {self.plan}"
