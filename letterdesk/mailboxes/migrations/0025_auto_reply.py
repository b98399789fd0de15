"""A mark for automatic replies. SQLite writes the table of letters anew for it, which drops its triggers (0024)."""

from importlib import import_module

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def begin_again(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "sqlite":
        import_module("letterdesk.mailboxes.migrations.0024_tallies").begin(apps, editor)


class Migration(migrations.Migration):
    dependencies = [
        ("mailboxes", "0024_tallies"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="is_auto_reply",
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(begin_again, migrations.RunPython.noop),
    ]
