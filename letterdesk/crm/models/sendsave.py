"""Secret addresses: what is sent there, as a copy or a forward from any mail program, becomes an activity (R30)."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone

from letterdesk.accounts.models import Account, Employee
from letterdesk.crm.access import SendSaveQuerySet
from letterdesk.lib.crypto import EncryptedJSON
from letterdesk.lib.ids import new_public_id

from .settings import Making


class SendSaveAddress(Making):
    """A secret address of one employee, or of the account. Who knows it may put letters into CRM.

    Found by the hash of its token; the token itself is kept encrypted, to be shown to whom it belongs. A rotated one
    is refused from `ends_at` on.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    employee = models.ForeignKey(Employee, on_delete=models.CASCADE, null=True, related_name="+")  # None: the account's
    token_hash = models.CharField(max_length=64, unique=True)
    token = EncryptedJSON()  # rule 14
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    ends_at = models.DateTimeField(null=True)
    responsible = models.ForeignKey(Employee, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)

    objects = SendSaveQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["employee"],
                name="sendsave_one_of_employee",
                condition=models.Q(ends_at=None, employee__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["account"], name="sendsave_one_of_account", condition=models.Q(ends_at=None, employee=None)
            ),
        ]

    def __str__(self) -> str:
        return f"address {self.public_id}"  # never the token

    @property
    def address(self) -> str:
        """The whole address: for whom it belongs to, and never for a log."""
        return f"{PREFIX}{self.token}@{settings.INBOUND.domain}"

    def takes_at(self, now: datetime) -> bool:
        """Whether letters are taken at it."""
        return self.ends_at is None or now < self.ends_at


PREFIX = "save-"
