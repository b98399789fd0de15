"""Which plan an account is on, and what it has used. What the plan allows is catalogue data, not rows."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account


class Subscription(models.Model):
    """The account's plan by its key in the catalogue. Limits are checked under a lock on this row (R14, R16).

    Which plan is in force at a moment is not read from `plan` alone, but asked from `timeline.py` (R11).
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="subscription")
    plan = models.CharField(max_length=32)
    since = models.DateTimeField(default=timezone.now)
    trial_started_at = models.DateTimeField(null=True, blank=True)
    trial_extended_to = models.DateTimeField(null=True, blank=True)  # an operator lets the trial end then (R11)
    grace_until = models.DateTimeField(null=True, blank=True)  # an operator lets no letter go before (R12)
    next_plan = models.CharField(max_length=32, blank=True, default="")  # chosen to follow
    next_at = models.DateTimeField(null=True, blank=True)  # from when on; None with a next plan: when the trial ends
    webmail_ended_at = models.DateTimeField(null=True, blank=True)  # None: the plan has Webmail (R12)
    webmail_began_at = models.DateTimeField(null=True, blank=True)  # after a time without; None: always had it (R28)
    noticed_days = models.PositiveSmallIntegerField(null=True, blank=True)  # the last notice before the turn: 14, 7, 1
    noticed_for = models.DateTimeField(null=True, blank=True)  # … and which change that notice was about
    followed = models.CharField(max_length=32, blank=True, default="")  # the plan that mailboxes were fitted to (R13) …
    followed_version = models.IntegerField(null=True, blank=True)  # … as it stood in this edition of the catalogue

    def __str__(self) -> str:
        return f"{self.account}: {self.plan}"


class Channel(models.TextChoices):
    """Through which door a letter leaves (R23); system mail – to the account's own people – uses none of the quota."""

    WEBMAIL = "webmail", _("Webmail")
    CRM = "crm", _("CRM")
    MARKETING = "marketing", _("Marketing")
    WORKFLOW = "workflow", _("Workflows")
    RULE = "rule", _("Automation rules")
    TASK = "task", _("Task notices")


class Usage(models.Model):
    """What an account has sent in a calendar month of its time zone; `used` is changed by conditional updates alone."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="usages", db_index=False)
    month = models.DateField()  # its first day
    used = models.PositiveIntegerField(default=0)
    warned = models.PositiveSmallIntegerField(default=0)  # 80 or 95: the percentage that was told last

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "month"], name="usage_of_month_once")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.month:%Y-%m}: {self.used}"


class Reservation(models.Model):
    """Why a unit of the quota is used: the ledger from which `Usage.used` can be counted anew (F02)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    usage = models.ForeignKey(Usage, on_delete=models.CASCADE, related_name="reservations", db_index=False)
    channel = models.CharField(max_length=16, choices=Channel.choices)
    units = models.PositiveIntegerField(default=1)
    reserved_at = models.DateTimeField(default=timezone.now)
    refunded_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["usage", "channel"], name="reservation_of_month")]

    def __str__(self) -> str:
        return f"{self.units} {self.channel}"
