"""Mailboxes and who may use them."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Department, Employee
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.access import MailboxQuerySet

from .signing_in import Security, SignsIn


class MailboxState(models.TextChoices):
    """Whether a mailbox is kept in step, and if not, why."""

    CONNECTED = "connected", _("Connected")
    FAILING = "failing", _("Failing")  # sign-in refused: only a person mends it (A40)
    PAUSED = "paused", _("Paused")
    SUSPENDED = "suspended", _("Suspended by plan")  # R13
    DISCONNECTED = "disconnected", _("Disconnected")


class Mailbox(SignsIn):
    """A mailbox on a mail server, or an imported one without a server (`imap_host` empty)."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="mailboxes")
    owner = models.ForeignKey(Employee, on_delete=models.PROTECT, related_name="own_mailboxes")
    name = models.CharField(max_length=200)

    smtp_host = models.CharField(max_length=255, blank=True, default="")
    smtp_port = models.PositiveIntegerField(default=465)
    smtp_security = models.CharField(max_length=8, choices=Security.choices, default=Security.TLS)
    smtp_user = models.CharField(max_length=320, blank=True, default="")
    capabilities = models.JSONField(default=list)

    state = models.CharField(max_length=16, choices=MailboxState.choices, default=MailboxState.CONNECTED)
    state_before = models.CharField(max_length=16, blank=True, default="")  # while suspended: "paused" returns to it
    gives_way = models.BooleanField(default=False)  # R13: its owner has chosen it to be suspended before others
    times_resumed = models.PositiveIntegerField(default=0)  # each time, what was left out is judged anew (R10)
    history_from = models.PositiveIntegerField(default=0)  # `times_resumed` when it last was out of a suspension (R13)
    error_code = models.CharField(max_length=40, blank=True, default="")  # ux.md 1.8a
    error_text = models.TextField(blank=True, default="")
    error_since = models.DateTimeField(null=True, blank=True)
    connected_at = models.DateTimeField(default=timezone.now)
    forgotten_at = models.DateTimeField(null=True, blank=True)  # its copies go: shown to nobody from then on
    fetch_days = models.PositiveIntegerField(null=True, blank=True)  # R21; None: everything
    first_sync_done_at = models.DateTimeField(null=True, blank=True)
    last_synced_at = models.DateTimeField(null=True, blank=True)

    objects = MailboxQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "imap_host", "imap_user"],
                name="mailbox_connected_once",
                condition=~models.Q(state="disconnected") & ~models.Q(imap_host=""),
            )
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def topic(self) -> str:
        """The topic of this mailbox's live events."""
        return f"mailbox:{self.public_id}"


class AccessRequest(models.Model):
    """Somebody asks the owner for access to a mailbox that is connected already; gone when it is answered."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="access_requests")
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mailbox", "employee"], name="access_request_once")]

    def __str__(self) -> str:
        return f"{self.employee} asks for {self.mailbox}"


class Grant(models.Model):
    """Access for someone other than the owner: one employee, one department, or everyone (both null). R16."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="grants")
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, null=True, blank=True, related_name="grants")
    department = models.ForeignKey(Department, on_delete=models.CASCADE, null=True, blank=True, related_name="grants")
    may_reply = models.BooleanField(default=True)
    may_manage = models.BooleanField(default=False)
    may_delete_on_server = models.BooleanField(default=False)  # R27

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "employee"],
                name="grant_to_employee_once",
                condition=models.Q(employee__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["mailbox", "department"],
                name="grant_to_department_once",
                condition=models.Q(department__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["mailbox"],
                name="grant_to_everyone_once",
                condition=models.Q(employee=None, department=None),
            ),
            models.CheckConstraint(
                condition=models.Q(employee=None) | models.Q(department=None), name="grant_to_one_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mailbox} → {self.employee or self.department or 'everyone'}"

    @property
    def recipient_name(self) -> str:
        """The person or the department; empty for everyone."""
        recipient = self.employee or self.department
        return recipient.name if recipient else ""
