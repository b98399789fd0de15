"""The words of letters, for search."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from letterdesk.accounts.models import Account

from .messages import Message


class WordVector(models.Field):  # type: ignore[type-arg]  # Django fields are not generic when run
    """PostgreSQL's tsvector, written as its text form ("'word':3"). On SQLite it stays empty: FTS5 reads the texts."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"

    def get_placeholder(self, value: Any, compiler: Any, connection: BaseDatabaseWrapper) -> str:
        return "%s::tsvector" if connection.vendor == "postgresql" else "%s"


class SearchText(models.Model):
    """What can be searched of one letter, a row each; written by `search.index` alone.

    SQLite: the FTS5 table `mailboxes_search` indexes these columns, triggers keep it in step (migration 0003), so
    whatever deletes a row here takes its words out of the index. PostgreSQL: a GIN index on `vector`.
    A migration that remakes this table on SQLite must make the triggers again.
    """

    # Second of receipt << 31 | message: the index hands out rows in the order of this key, so newest first needs
    # neither a join nor a sort.
    position = models.BigIntegerField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    message = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="search_text")
    scope = models.CharField(max_length=24)  # "mb12": a query is confined to mailboxes inside the index (P9)
    sender = models.TextField()
    recipients = models.TextField()
    copies = models.TextField()
    subject = models.TextField()
    body = models.TextField()
    files = models.TextField()
    vector = WordVector(null=True)

    def __str__(self) -> str:
        return f"words of {self.message_id}"


class RemovedWords(models.Model):
    """Words left an index of SQLite: they are to leave its file, too (`search_sqlite.forget_removed`)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    removed_at = models.DateTimeField(auto_now_add=True)
    held_in = models.CharField(max_length=40, db_default="mailboxes_search")  # the full-text table that held them

    def __str__(self) -> str:
        return f"words removed {self.removed_at}"
