"""Letters by the hundred thousand, laid into SQLite in a few statements: as if received long ago, without their bytes.

Three letters in a row make a conversation; with `fates`, five in a row share what the end of their period does (R9):
deleted, in CRM only, held. Lists and counts are as `mailboxes.listing` keeps them.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models, transaction

from letterdesk.mailboxes.collect import holder_of
from letterdesk.mailboxes.models import (
    BlobReference,
    Conversation,
    Folder,
    Hold,
    Listing,
    Mailbox,
    Message,
    Placement,
    SearchText,
    ThreadKey,
)

WORDS = "offer invoice meeting budget delivery contract schedule answer please regards thanks report customer order"
LETTERS = """
    CREATE TEMP TABLE laid AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s)
    SELECT i, strftime('%%Y-%%m-%%d %%H:%%M:%%S', at, 'unixepoch') AS at, at << 31 | i AS position,
        (i + 2) / 3 AS conversation, printf('%%08x%%056x', (i * 2654435761) & 4294967295, i) AS blob,
        (i / 5) %% 3 = 1 AND %s AS in_crm, (i / 5) %% 3 = 2 AND %s AS is_held
    FROM (SELECT i, %s - i * %s / %s AS at FROM n)
    """
IN_CONVERSATIONS = """
    (SELECT conversation, MAX(at) AS at, COUNT(*) AS number, MAX(is_held) AS is_held FROM laid GROUP BY conversation)
    """
UNREAD = """
    UPDATE mailboxes_listing AS l SET unread_count = (
        SELECT COUNT(*) FROM mailboxes_placement AS p WHERE p.conversation_id = l.conversation_id AND NOT p.is_seen)
    """


@transaction.atomic
def lay(mailbox: Mailbox, count: int, *, newest: datetime, over: timedelta, fates: bool = False) -> Folder:
    """So many letters in the inbox of a mailbox, evenly received `over` the time before `newest`; returns the inbox."""
    inbox = Folder.objects.create(
        account=mailbox.account, mailbox=mailbox, name="INBOX", wire_name="INBOX", role="inbox", uidvalidity=1
    )
    with connection.cursor() as cursor:
        cursor.execute(LETTERS, [count, fates, fates, int(newest.timestamp()), int(over.total_seconds()), count])
    account = {"account_id": str(mailbox.account_id)}
    here = {**account, "mailbox_id": str(mailbox.pk)}
    place = {**account, "folder_id": str(inbox.pk), "conversation_id": "conversation"}
    _rows(Conversation, IN_CONVERSATIONS, id="conversation", public_id="printf('c%%015d', conversation)",
          subject="'Letters ' || conversation", senders="""'["Bo"]'""", snippet="'Please send the offer'",
          message_count="number", newest_at="at", **here)  # fmt: skip
    _rows(Message, id="i", public_id="printf('m%%015d', i)", conversation_id="conversation", blob="blob", size="3000",
          message_id="'<' || i || '@bench.example>'", subject="'Letters ' || conversation", from_name="'Bo'",
          from_address="'bo@bench.example'", received_at="at", snippet="'Please send the offer'", in_crm="in_crm",
          is_held="is_held", held_by_task="is_held", **here)  # fmt: skip
    _rows(Placement, message_id="i", uidvalidity="1", uid="i", received_at="at", is_seen="i %% 4 > 0", **place)
    _rows(ThreadKey, key="i * 40503", conversation_id="conversation", **here)
    _rows(Listing, IN_CONVERSATIONS, newest_at="at", is_held="is_held", **place)
    _rows(SearchText, position="position", message_id="i", scope=f"'mb{mailbox.pk}'", sender="'Bo bo@bench.example'",
          subject="'Letters ' || conversation", body=f"'{WORDS} number' || i", **account)  # fmt: skip
    _rows(BlobReference, blob="blob", holder=f"'{holder_of(mailbox.pk)}'", **account)
    _rows(BlobReference, "laid WHERE in_crm", blob="blob", holder="'activity:' || i", **account)
    _rows(Hold, "laid WHERE is_held", message_id="i", reason="'task'", reference="'task:' || i", **account)
    with connection.cursor() as cursor:
        cursor.execute(UNREAD)
        cursor.execute("DROP TABLE laid")
    return inbox


def _rows(model: type[models.Model], source: str = "laid", **columns: str) -> None:
    """Rows of this model from SQL expressions over a source; all other fields have their defaults."""
    fields = [field for field in model._meta.concrete_fields if not field.primary_key and field.column not in columns]
    defaults: list[Any] = [field.get_db_prep_save(field.get_default(), connection) for field in fields]
    named = ", ".join([*columns, *(connection.ops.quote_name(field.column) for field in fields)])
    values = ", ".join([*columns.values(), *["%s"] * len(fields)])
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {model._meta.db_table} ({named}) SELECT {values} FROM {source}", defaults)
