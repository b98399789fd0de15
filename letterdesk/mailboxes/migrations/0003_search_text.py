"""The words of letters, and the full-text index of each database over them."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import letterdesk.mailboxes.models.search

COLUMNS = ("scope", "sender", "recipients", "copies", "subject", "body", "files")
NEW = ", ".join(f"new.{column}" for column in COLUMNS)
OLD = ", ".join(f"old.{column}" for column in COLUMNS)
PUT = f"INSERT INTO mailboxes_search(rowid, {', '.join(COLUMNS)}) VALUES (new.position, {NEW});"
TAKE = (
    f"INSERT INTO mailboxes_search(mailboxes_search, rowid, {', '.join(COLUMNS)}) "
    f"VALUES ('delete', old.position, {OLD});"
)
SQLITE = (
    # Marks belong to words (Hindi vowels); Latin accents are dropped. The table holds no text of its own.
    f"""CREATE VIRTUAL TABLE mailboxes_search USING fts5({", ".join(COLUMNS)},
        content='mailboxes_searchtext', content_rowid='position',
        tokenize="unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'")""",
    f"CREATE TRIGGER mailboxes_search_put AFTER INSERT ON mailboxes_searchtext BEGIN {PUT} END",
    f"CREATE TRIGGER mailboxes_search_take AFTER DELETE ON mailboxes_searchtext BEGIN {TAKE} END",
    f"CREATE TRIGGER mailboxes_search_change AFTER UPDATE ON mailboxes_searchtext BEGIN {TAKE} {PUT} END",
)
POSTGRES = ("CREATE INDEX search_words ON mailboxes_searchtext USING gin (vector)",)


def make_index(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in SQLITE if editor.connection.vendor == "sqlite" else POSTGRES:
        editor.execute(statement)


def drop_index(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "sqlite":
        for trigger in ("put", "take", "change"):
            editor.execute(f"DROP TRIGGER mailboxes_search_{trigger}")
        editor.execute("DROP TABLE mailboxes_search")
    else:
        editor.execute("DROP INDEX search_words")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("mailboxes", "0002_loose_blobs_and_threads")]

    operations = [
        migrations.CreateModel(
            name="SearchText",
            fields=[
                ("position", models.BigIntegerField(primary_key=True, serialize=False)),
                ("scope", models.CharField(max_length=24)),
                ("sender", models.TextField()),
                ("recipients", models.TextField()),
                ("copies", models.TextField()),
                ("subject", models.TextField()),
                ("body", models.TextField()),
                ("files", models.TextField()),
                ("vector", letterdesk.mailboxes.models.search.WordVector(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="search_text",
                        to="mailboxes.message",
                    ),
                ),
            ],
        ),
        migrations.RunPython(make_index, drop_index),
    ]
