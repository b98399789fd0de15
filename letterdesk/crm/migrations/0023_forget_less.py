"""Words that stay, or stand elsewhere, order no merge of the index; those that go name theirs, the only one merged."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

COLUMNS = ("scope", "sender", "recipients", "copies", "subject", "body", "files")
NEW = ", ".join(f"new.{column}" for column in COLUMNS)
OLD = ", ".join(f"old.{column}" for column in COLUMNS)
PUT = f"INSERT INTO crm_found(rowid, {', '.join(COLUMNS)}) VALUES (new.position, {NEW});"
TAKE = f"INSERT INTO crm_found(crm_found, rowid, {', '.join(COLUMNS)}) VALUES ('delete', old.position, {OLD});"
FORGET = (  # F13
    "INSERT INTO mailboxes_removedwords(account_id, removed_at, held_in) "
    "VALUES (old.account_id, CURRENT_TIMESTAMP, 'crm_found');"
)
# A letter of which only the head was read keeps its words when the rest comes.
LOST = " OR ".join(f"substr(new.{each}, 1, length(old.{each})) <> old.{each}" for each in COLUMNS)
TRIGGERS = (
    f"CREATE TRIGGER crm_found_take AFTER DELETE ON crm_foundtext BEGIN {TAKE} {FORGET} END",
    f"CREATE TRIGGER crm_found_change AFTER UPDATE ON crm_foundtext BEGIN {TAKE} {PUT} END",
    f"CREATE TRIGGER crm_found_forget AFTER UPDATE ON crm_foundtext WHEN old.is_whole AND ({LOST}) BEGIN {FORGET} END",
)
OPEN = (  # what is to be merged already did not say of which index it is
    "INSERT INTO mailboxes_removedwords(account_id, removed_at, held_in) "
    "SELECT account_id, max(removed_at), 'crm_found' FROM mailboxes_removedwords GROUP BY account_id"
)


def forget_less(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "sqlite":
        for statement in ("DROP TRIGGER crm_found_take", "DROP TRIGGER crm_found_change", *TRIGGERS, OPEN):
            editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0022_polled_again"),
        ("mailboxes", "0031_removed_from"),
    ]

    operations = [migrations.RunPython(forget_less, migrations.RunPython.noop)]
