"""Letters say why they are held, and are counted by it, so that a page tells the reasons without a look at the holds.

The triggers of 0024 begin anew with the longer key (docs/decisions/0018). A later migration that makes SQLite write
`mailboxes_message` anew drops them unseen, and must run `begin` again after that; tests/test_tally.py asks for them.
The columns are added by statements, for Django would write the table of letters anew on SQLite.
"""

from importlib import import_module

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

WHY = ("held_by_task", "held_by_law")
LETTER = "is_held, held_by_task, held_by_law, in_crm"
KEY = f"mailbox_id, hour, {LETTER}, is_binned, slot"
INTO = f"INSERT INTO mailboxes_tally (account_id, {KEY}, number)"
ADDING = f"ON CONFLICT ({KEY}) DO UPDATE SET number = mailboxes_tally.number + excluded.number"
JUDGED = ("mailbox_id", "received_at", *LETTER.split(", "), "binned_at")
SQLITE_HOUR = "substr({row}received_at, 1, 13) || ':00:00'"  # as Django writes dates
SQLITE_ADD = f"""{INTO} VALUES (new.account_id, new.mailbox_id, {SQLITE_HOUR.format(row="new.")}, new.is_held,
    new.held_by_task, new.held_by_law, new.in_crm, new.binned_at IS NOT NULL, 0, 1) {ADDING};"""
SQLITE_TAKE = f"""UPDATE mailboxes_tally SET number = number - 1 WHERE mailbox_id = old.mailbox_id
    AND hour = {SQLITE_HOUR.format(row="old.")} AND is_held = old.is_held AND held_by_task = old.held_by_task
    AND held_by_law = old.held_by_law AND in_crm = old.in_crm AND is_binned = (old.binned_at IS NOT NULL)
    AND slot = 0;"""
DIFFERS = " OR ".join(f"old.{column} IS NOT new.{column}" for column in JUDGED)
SQLITE = (
    f"CREATE TRIGGER mailboxes_tally_put AFTER INSERT ON mailboxes_message BEGIN {SQLITE_ADD} END",
    f"CREATE TRIGGER mailboxes_tally_take AFTER DELETE ON mailboxes_message BEGIN {SQLITE_TAKE} END",
    f"""CREATE TRIGGER mailboxes_tally_change AFTER UPDATE OF {", ".join(JUDGED)} ON mailboxes_message
        WHEN {DIFFERS} BEGIN {SQLITE_TAKE} {SQLITE_ADD} END""",
)
ROWS = f"""SELECT account_id, mailbox_id, date_trunc('hour', received_at, 'UTC') AS hour, {LETTER},
    binned_at IS NOT NULL AS is_binned, {{number}} AS number FROM {{table}}"""
CHANGES = {
    "put": ("INSERT", "NEW TABLE AS fresh", ROWS.format(number="1", table="fresh")),
    "take": ("DELETE", "OLD TABLE AS gone", ROWS.format(number="-1", table="gone")),
    "change": (
        "UPDATE",
        "OLD TABLE AS gone NEW TABLE AS fresh",
        f"{ROWS.format(number='1', table='fresh')} UNION ALL {ROWS.format(number='-1', table='gone')}",
    ),
}
FUNCTION = f"""
    CREATE FUNCTION mailboxes_tally_{{name}}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    {INTO} SELECT account_id, mailbox_id, hour, {LETTER}, is_binned, txid_current(), SUM(number)
        FROM ({{rows}}) AS changed GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 HAVING SUM(number) <> 0 {ADDING};
    RETURN NULL; END $$"""
TRIGGER = """
    CREATE TRIGGER mailboxes_tally_{name} AFTER {event} ON mailboxes_message REFERENCING {tables}
    FOR EACH STATEMENT EXECUTE FUNCTION mailboxes_tally_{name}()"""
HELD = """
    UPDATE mailboxes_message SET
        held_by_task = EXISTS (SELECT 1 FROM mailboxes_hold AS h WHERE h.message_id = mailboxes_message.id
            AND h.reason = 'task'),
        held_by_law = EXISTS (SELECT 1 FROM mailboxes_hold AS h WHERE h.message_id = mailboxes_message.id
            AND h.reason = 'legal')
    WHERE is_held
    """


def add_columns(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    for column in WHY:
        editor.execute(f"ALTER TABLE mailboxes_message ADD COLUMN {column} BOOL NOT NULL DEFAULT FALSE")


def say_why(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    editor.execute(HELD)


def begin(_apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    """The triggers first, then what is there already: on PostgreSQL nobody writes letters until the commit."""
    hour = "date_trunc('hour', received_at, 'UTC')"
    if editor.connection.vendor == "sqlite":
        hour = SQLITE_HOUR.format(row="")
        for statement in SQLITE:
            editor.execute(statement)
    else:
        for name, (event, tables, rows) in CHANGES.items():
            editor.execute(FUNCTION.format(name=name, rows=rows))
            editor.execute(TRIGGER.format(name=name, event=event, tables=tables))
    editor.execute("DELETE FROM mailboxes_tally")
    editor.execute(f"""{INTO} SELECT account_id, mailbox_id, {hour}, {LETTER}, binned_at IS NOT NULL, 0, COUNT(*)
        FROM mailboxes_message GROUP BY 1, 2, 3, 4, 5, 6, 7, 8""")


def end(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    import_module("letterdesk.mailboxes.migrations.0024_tallies").end(apps, editor)


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0026_reminders")]

    operations = [
        migrations.RunPython(end),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(add_columns)],
            state_operations=[
                migrations.AddField("message", name, models.BooleanField(default=False)) for name in WHY
            ],
        ),
        migrations.RemoveConstraint("tally", "tally_once"),
        *(migrations.AddField("tally", name, models.BooleanField(default=False), preserve_default=False) for name in WHY),
        migrations.AddConstraint(
            "tally",
            models.UniqueConstraint(
                fields=["mailbox", "hour", "is_held", "held_by_task", "held_by_law", "in_crm", "is_binned", "slot"],
                name="tally_once",
            ),
        ),
        migrations.RemoveIndex("message", "message_newest_first"),
        migrations.AddIndex(
            "message",
            models.Index(
                fields=[
                    "mailbox", "-received_at", "is_held", "in_crm", "binned_at", "held_by_task", "held_by_law",
                ],
                name="message_newest_first",
            ),
        ),
        migrations.RunPython(say_why),
        migrations.RunPython(begin),
    ]
