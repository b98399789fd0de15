"""What Letterdesk keeps of a mailbox on a server to sign in to it: where, as whom, and the secret."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from letterdesk.lib.crypto import EncryptedJSON


class Security(models.TextChoices):
    """How the connection is secured."""

    TLS = "tls", "TLS"
    STARTTLS = "starttls", "STARTTLS"
    NONE = "none", _("None")


class SignsIn(models.Model):
    """A mailbox of Webmail, or one that is polled for CRM: signed in to by password, or by tokens (`tokens.py`)."""

    address = models.EmailField(max_length=320)
    imap_host = models.CharField(max_length=255, blank=True, default="")
    imap_port = models.PositiveIntegerField(default=993)
    imap_security = models.CharField(max_length=8, choices=Security.choices, default=Security.TLS)
    imap_user = models.CharField(max_length=320, blank=True, default="")
    secret = EncryptedJSON(null=True)  # {"password": …} or {"oauth": …}, see tokens.Consent (rule 14)
    signs_in_by = models.CharField(max_length=40, blank=True, default="")  # key of an OAuth provider; "": by password
    renewing_until = models.DateTimeField(null=True, blank=True)  # a process is asking for another token until then
    renewing_fence = models.PositiveIntegerField(default=0)  # refuses who was overtaken, as a lease's does

    class Meta:
        abstract = True
