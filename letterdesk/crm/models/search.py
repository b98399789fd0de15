"""The words of records, notes and letters in CRM, for search."""

from django.db import models

from letterdesk.accounts.models import Account
from letterdesk.mailboxes.models import WordVector

from .activities import Activity
from .notes import Note
from .records import Record


class FoundText(models.Model):
    """What can be found of one record, one note or call, or one letter in CRM; written by `search/index.py` alone.

    As `mailboxes.SearchText`: the FTS5 table `crm_found` of SQLite is kept in step by triggers (migrations
    0013_search, 0023_forget_less), PostgreSQL has a GIN index on `vector`. The words of removed rows leave as those
    of letters do.
    """

    # A letter: its second of receipt << 31 | its key, as letters in Webmail have it, so that newest come first.
    # A record: -(its key << 31); a note of it: -(the record's key << 31 | the note's key).
    position = models.BigIntegerField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    record = models.ForeignKey(Record, on_delete=models.CASCADE, null=True, related_name="+")
    note = models.OneToOneField(Note, on_delete=models.CASCADE, null=True, related_name="+")
    activity = models.OneToOneField(Activity, on_delete=models.CASCADE, null=True, related_name="+")
    is_whole = models.BooleanField(default=True)  # False: a letter of which only the head was read so far
    scope = models.CharField(max_length=24)  # "r12": records and notes of account 12, "l12": its letters (P9)
    sender = models.TextField(default="")  # of a record: its name and addresses
    recipients = models.TextField(default="")
    copies = models.TextField(default="")
    subject = models.TextField(default="")  # of a record: its name
    body = models.TextField(default="")
    files = models.TextField(default="")  # of a record: numbers and days in other forms, as people may type them
    vector = WordVector(null=True)

    class Meta:
        indexes = [models.Index(fields=["account"], name="found_in_part", condition=models.Q(is_whole=False))]

    def __str__(self) -> str:
        return f"words at {self.position}"
