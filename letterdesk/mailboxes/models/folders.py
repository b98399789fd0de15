"""The folders of a mailbox."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account
from letterdesk.lib.ids import new_public_id
from letterdesk.mailboxes.access import FolderQuerySet

from .mailboxes import Mailbox


class FolderRole(models.TextChoices):
    """What a folder is for (RFC 6154); empty: an ordinary folder."""

    INBOX = "inbox", _("Inbox")
    SENT = "sent", _("Sent")
    DRAFTS = "drafts", _("Drafts")
    TRASH = "trash", _("Trash")
    SPAM = "spam", _("Spam")
    ARCHIVE = "archive", _("Archive")
    ALL = "all", _("All mail")
    NONE = "", _("Folder")


class Folder(models.Model):
    """A folder. `name` is shown; `wire_name` is what the server calls it (modified UTF-7 or UTF-8, as received)."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="folders")
    name = models.TextField()
    wire_name = models.TextField()
    delimiter = models.CharField(max_length=4, blank=True, default="")
    role = models.CharField(max_length=8, choices=FolderRole.choices, blank=True, default=FolderRole.NONE)
    role_is_chosen = models.BooleanField(default=False)  # a person chose it: discovery leaves it alone
    is_selectable = models.BooleanField(default=True)
    is_wanted = models.BooleanField(default=False)  # not on the server yet: the first move into it makes it (R27)
    is_on = models.BooleanField(default=True)  # off: nothing is fetched, the ledger says "folder off"
    uidvalidity = models.BigIntegerField(null=True, blank=True)
    object_id = models.CharField(max_length=255, blank=True, default="")  # MAILBOXID, RFC 8474
    gone_at = models.DateTimeField(null=True, blank=True)  # no longer on the server

    objects = FolderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "wire_name"], name="folder_name_once", condition=models.Q(gone_at=None)
            )
        ]

    def __str__(self) -> str:
        return self.name
