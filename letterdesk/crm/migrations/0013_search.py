"""What can be found of records, notes and letters in CRM, and the full-text index of each database over it.

Letters that are here already are found by their heads at once, and by their texts when a job has read them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from types import SimpleNamespace
from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import letterdesk.mailboxes.models.search

COLUMNS = ("scope", "sender", "recipients", "copies", "subject", "body", "files")
NEW = ", ".join(f"new.{column}" for column in COLUMNS)
OLD = ", ".join(f"old.{column}" for column in COLUMNS)
PUT = f"INSERT INTO crm_found(rowid, {', '.join(COLUMNS)}) VALUES (new.position, {NEW});"
TAKE = f"INSERT INTO crm_found(crm_found, rowid, {', '.join(COLUMNS)}) VALUES ('delete', old.position, {OLD});"
FORGET = "INSERT INTO mailboxes_removedwords(account_id, removed_at) VALUES (old.account_id, CURRENT_TIMESTAMP);"  # F13
SQLITE = (
    f"""CREATE VIRTUAL TABLE crm_found USING fts5({", ".join(COLUMNS)},
        content='crm_foundtext', content_rowid='position',
        tokenize="unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'")""",
    "INSERT INTO crm_found(crm_found) VALUES ('rebuild')",  # what stands in the rows already
    f"CREATE TRIGGER crm_found_put AFTER INSERT ON crm_foundtext BEGIN {PUT} END",
    f"CREATE TRIGGER crm_found_take AFTER DELETE ON crm_foundtext BEGIN {TAKE} {FORGET} END",
    f"CREATE TRIGGER crm_found_change AFTER UPDATE ON crm_foundtext BEGIN {TAKE} {PUT} {FORGET} END",
)
POSTGRES = ("CREATE INDEX crm_found_words ON crm_foundtext USING gin (vector)",)
AT_ONCE = 1000
SAID = ("name", "position", "came_from", "note", "amount", "currency")


def make_index(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in SQLITE if editor.connection.vendor == "sqlite" else POSTGRES:
        editor.execute(statement)


def drop_index(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "sqlite":
        for trigger in ("put", "take", "change"):
            editor.execute(f"DROP TRIGGER crm_found_{trigger}")
        editor.execute("DROP TABLE crm_found")
    else:
        editor.execute("DROP INDEX crm_found_words")


def fill(apps: Any, _editor: object) -> None:
    from letterdesk.crm.search import index as search_index  # noqa: PLC0415  as rows are written from here on

    row = apps.get_model("crm", "FoundText")
    for batch in _batches(_made(apps, search_index)):
        names = [field.attname for field in row._meta.concrete_fields]
        row.objects.bulk_create(row(**{name: getattr(each, name) for name in names}) for each in batch)


def _made(apps: Any, index: Any) -> Iterator[Any]:
    for batch in _batches(apps.get_model("crm", "Record").objects.order_by("pk").iterator(AT_ONCE)):
        emails = _by_record(apps, "EmailAddress", "email", batch)
        phones = _by_record(apps, "Phone", "number", batch)
        for record in batch:
            own = {name: getattr(record, name) for name in SAID}
            reach = {"addresses": emails[record.pk], "phones": phones[record.pk]}
            yield index.row_of_record(record, SimpleNamespace(**own, **reach))
    for note in apps.get_model("crm", "Note").objects.filter(deleted_at=None).order_by("pk").iterator(AT_ONCE):
        yield index.row_of_note(note)
    for activity in apps.get_model("crm", "Activity").objects.order_by("pk").iterator(AT_ONCE):
        yield index.row_of_letter(activity, None)


def _by_record(apps: Any, model: str, column: str, records: list[Any]) -> defaultdict[int, list[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    rows = apps.get_model("crm", model).objects.filter(record__in=[each.pk for each in records])
    for record, text in rows.order_by("position", "pk").values_list("record", column):
        found[record].append(text)
    return found


def _batches(rows: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(rows)
    while batch := list(islice(left, AT_ONCE)):
        yield batch


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_squashed_0005"),
        ("crm", "0012_pipelines"),
        ("mailboxes", "0030_shared_views"),
    ]

    operations = [
        migrations.CreateModel(
            name="FoundText",
            fields=[
                ("position", models.BigIntegerField(primary_key=True, serialize=False)),
                ("is_whole", models.BooleanField(default=True)),
                ("scope", models.CharField(max_length=24)),
                ("sender", models.TextField(default="")),
                ("recipients", models.TextField(default="")),
                ("copies", models.TextField(default="")),
                ("subject", models.TextField(default="")),
                ("body", models.TextField(default="")),
                ("files", models.TextField(default="")),
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
                    "activity",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.activity"
                    ),
                ),
                (
                    "note",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.note"
                    ),
                ),
                (
                    "record",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="crm.record"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_whole", False)), fields=["account"], name="found_in_part"
                    )
                ]
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(make_index, drop_index),  # once over all rows, not row by row
    ]
