"""How many letters there are, kept by the database itself (docs/decisions/0018-letters-counted.md)."""

from django.db import models

from letterdesk.accounts.models import Account

from .mailboxes import Mailbox


class Tally(models.Model):
    """Letters of a mailbox that were received in one hour and share what their end will be: a number, or a part of it.

    Triggers on the table of letters write it in the statement that changes them; nothing else does (`tally.py`). On
    PostgreSQL each transaction has rows of its own, so that none waits for another; a job adds them up into slot 0.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="+", db_index=False)
    hour = models.DateTimeField()  # its first moment
    is_held = models.BooleanField()
    held_by_task = models.BooleanField()
    held_by_law = models.BooleanField()
    in_crm = models.BooleanField()
    is_binned = models.BooleanField()
    slot = models.BigIntegerField()  # the number of the transaction; 0: added up
    number = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["mailbox", "hour", "is_held", "held_by_task", "held_by_law", "in_crm", "is_binned", "slot"],
                name="tally_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.mailbox_id} {self.hour}: {self.number}"
