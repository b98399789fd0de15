"""Letters of Webmail at which CRM could not look."""

from django.db import models

from letterdesk.accounts.models import Account
from letterdesk.mailboxes.access import InMailboxQuerySet
from letterdesk.mailboxes.models import Mailbox


class SetAside(models.Model):
    """A letter at which looking failed: it is tried again, less and less often, and holds up no other."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="+")
    letter = models.BigIntegerField(unique=True)  # its key: what removes letters knows no CRM
    is_history = models.BooleanField(default=False)  # is looked at as if it lay there before: makes nothing (R28)
    error = models.CharField(max_length=100, blank=True, default="")  # its kind: its text may quote a letter
    tries = models.PositiveIntegerField(default=1)
    at = models.DateTimeField()  # since when
    due_at = models.DateTimeField(db_index=True)  # when it is tried again

    objects = InMailboxQuerySet.as_manager()

    def __str__(self) -> str:
        return f"letter {self.letter}: {self.error}"
