"""How many letters there are, kept by triggers: no statement can change letters without it (docs/decisions/0018).

A later migration that makes SQLite write `mailboxes_message` anew drops them unseen, and must run `begin` of
0027 again after that; tests/test_tally.py asks whether they are there.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

KEY = "mailbox_id, hour, is_held, in_crm, is_binned, slot"
INTO = f"INSERT INTO mailboxes_tally (account_id, {KEY}, number)"
ADDING = f"ON CONFLICT ({KEY}) DO UPDATE SET number = mailboxes_tally.number + excluded.number"
JUDGED = ("mailbox_id", "received_at", "is_held", "in_crm", "binned_at")
SQLITE_HOUR = "substr({row}received_at, 1, 13) || ':00:00'"  # as Django writes dates
SQLITE_ADD = f"""{INTO} VALUES (new.account_id, new.mailbox_id, {SQLITE_HOUR.format(row="new.")},
    new.is_held, new.in_crm, new.binned_at IS NOT NULL, 0, 1) {ADDING};"""
SQLITE_TAKE = f"""UPDATE mailboxes_tally SET number = number - 1 WHERE mailbox_id = old.mailbox_id
    AND hour = {SQLITE_HOUR.format(row="old.")} AND is_held = old.is_held AND in_crm = old.in_crm
    AND is_binned = (old.binned_at IS NOT NULL) AND slot = 0;"""
DIFFERS = " OR ".join(f"old.{column} IS NOT new.{column}" for column in JUDGED)
SQLITE = (
    f"CREATE TRIGGER mailboxes_tally_put AFTER INSERT ON mailboxes_message BEGIN {SQLITE_ADD} END",
    f"CREATE TRIGGER mailboxes_tally_take AFTER DELETE ON mailboxes_message BEGIN {SQLITE_TAKE} END",
    f"""CREATE TRIGGER mailboxes_tally_change AFTER UPDATE OF {', '.join(JUDGED)} ON mailboxes_message
        WHEN {DIFFERS} BEGIN {SQLITE_TAKE} {SQLITE_ADD} END""",
)
ROWS = """SELECT account_id, mailbox_id, date_trunc('hour', received_at, 'UTC') AS hour, is_held, in_crm,
    binned_at IS NOT NULL AS is_binned, {number} AS number FROM {table}"""
CHANGES = {
    "put": ("INSERT", "NEW TABLE AS fresh", ROWS.format(number="1", table="fresh")),
    "take": ("DELETE", "OLD TABLE AS gone", ROWS.format(number="-1", table="gone")),
    "change": (
        "UPDATE",
        "OLD TABLE AS gone NEW TABLE AS fresh",
        f"{ROWS.format(number='1', table='fresh')} UNION ALL {ROWS.format(number='-1', table='gone')}",
    ),
}
FUNCTION = """
    CREATE FUNCTION mailboxes_tally_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    {into} SELECT account_id, mailbox_id, hour, is_held, in_crm, is_binned, txid_current(), SUM(number)
        FROM ({rows}) AS changed GROUP BY 1, 2, 3, 4, 5, 6 HAVING SUM(number) <> 0 {adding};
    RETURN NULL; END $$"""
TRIGGER = """
    CREATE TRIGGER mailboxes_tally_{name} AFTER {event} ON mailboxes_message REFERENCING {tables}
    FOR EACH STATEMENT EXECUTE FUNCTION mailboxes_tally_{name}()"""


def begin(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    """The triggers first, then what is there already: on PostgreSQL nobody writes letters until the commit."""
    is_sqlite = editor.connection.vendor == "sqlite"
    if is_sqlite:
        for statement in SQLITE:
            editor.execute(statement)
        hour = SQLITE_HOUR.format(row="")
    else:
        for name, (event, tables, rows) in CHANGES.items():
            editor.execute(FUNCTION.format(name=name, into=INTO, rows=rows, adding=ADDING))
            editor.execute(TRIGGER.format(name=name, event=event, tables=tables))
        hour = "date_trunc('hour', received_at, 'UTC')"
    editor.execute("DELETE FROM mailboxes_tally")
    editor.execute(f"""{INTO} SELECT account_id, mailbox_id, {hour}, is_held, in_crm, binned_at IS NOT NULL, 0, COUNT(*)
        FROM mailboxes_message GROUP BY 1, 2, 3, 4, 5, 6""")


def end(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    for name in CHANGES:
        if editor.connection.vendor == "sqlite":
            editor.execute(f"DROP TRIGGER mailboxes_tally_{name}")
        else:
            editor.execute(f"DROP TRIGGER mailboxes_tally_{name} ON mailboxes_message")
            editor.execute(f"DROP FUNCTION mailboxes_tally_{name}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_life"), ("mailboxes", "0023_keep_drafts")]

    operations = [
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("is_held", models.BooleanField()),
                ("in_crm", models.BooleanField()),
                ("is_binned", models.BooleanField()),
                ("slot", models.BigIntegerField()),
                ("number", models.BigIntegerField()),
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
                    "mailbox",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="mailboxes.mailbox",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="tally",
            constraint=models.UniqueConstraint(
                fields=("mailbox", "hour", "is_held", "in_crm", "is_binned", "slot"), name="tally_once"
            ),
        ),
        migrations.AddIndex(
            model_name="placement",
            index=models.Index(condition=models.Q(("uid__lte", 0)), fields=["folder", "message"], name="placement_provisional"),
        ),
        migrations.RunPython(begin, end),
    ]
