"""Keys with which letters of a domain are signed."""

from django.db import models

from letterdesk.accounts.models import Account
from letterdesk.lib.crypto import EncryptedJSON
from letterdesk.lib.ids import new_public_id


class SigningKey(models.Model):
    """A domain from which an account writes, and the key that signs its letters (RFC 6376).

    It signs from `published_at` on, when the record was seen in DNS: before, a signature would prove nothing.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="signing_keys", db_index=False)
    domain = models.CharField(max_length=253)  # as DNS has it
    selector = models.CharField(max_length=63)
    key = EncryptedJSON()  # PEM
    made_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "domain"], name="signing_key_once")]

    def __str__(self) -> str:
        return self.domain
