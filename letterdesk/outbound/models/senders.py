"""Addresses from which an account writes without a mailbox: each with a server, proved by its owner (R24)."""

from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account, Department, Employee
from letterdesk.lib.crypto import EncryptedJSON
from letterdesk.lib.ids import new_public_id
from letterdesk.outbound.access import VerifiedSenderQuerySet


class VerifiedSender(models.Model):
    """An address of the account, and the server through which its letters leave.

    Nobody writes from it before `verified_at`: the owner of the address has opened the link that was sent there. Of
    that link only a hash is kept, until it is used or `link_expires_at` is over. `removed_at`: it is forgotten, its
    password too; the row stays for the letters that went through it.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    address = models.CharField(max_length=320)  # as it stands in From
    key = models.CharField(max_length=320)  # folded, as addresses are compared
    name = models.CharField(max_length=200, blank=True, default="")
    signature_html = models.TextField(blank=True, default="")  # below whatever is written from it
    signature_text = models.TextField(blank=True, default="")
    smtp_host = models.CharField(max_length=255)
    smtp_port = models.PositiveIntegerField()
    smtp_security = models.CharField(max_length=10)  # tls, starttls or none
    smtp_user = models.CharField(max_length=320)
    secret = EncryptedJSON(null=True)  # {"password": …}
    is_everyones = models.BooleanField(default=False)
    returns_here = models.BooleanField(default=False)  # reports come to the inbound port, where there is one
    daily_most = models.PositiveIntegerField(null=True)  # letters a day; None: as many as one likes
    added_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    added_at = models.DateTimeField(default=timezone.now)
    link_hash = models.CharField(max_length=64, blank=True, default="")
    link_expires_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    objects = VerifiedSenderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "key"], name="verified_sender_once", condition=models.Q(removed_at=None)
            )
        ]
        indexes = [
            models.Index(fields=["link_hash"], name="verified_sender_by_link", condition=~models.Q(link_hash=""))
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def reference(self) -> str:
        """What events call it."""
        return f"sender:{self.public_id}"


class SenderUser(models.Model):
    """One person, or one department, that may write from a verified sender."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    sender = models.ForeignKey(VerifiedSender, on_delete=models.CASCADE, related_name="users", db_index=False)
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    department = models.ForeignKey(Department, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sender", "employee"], name="sender_user_once"),
            models.UniqueConstraint(fields=["sender", "department"], name="sender_department_once"),
            models.CheckConstraint(
                condition=models.Q(employee__isnull=True) ^ models.Q(department__isnull=True), name="sender_user_is_one"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id or self.department_id} from {self.sender_id}"
