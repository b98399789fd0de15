"""Words that were removed name the full-text table that held them."""

from django.db import migrations, models

# Added in its place: triggers of other rooms write into the table, so that SQLite lets nobody make it anew.
ADD = "ALTER TABLE mailboxes_removedwords ADD COLUMN held_in varchar(40) DEFAULT 'mailboxes_search' NOT NULL"
DROP = "ALTER TABLE mailboxes_removedwords DROP COLUMN held_in"


class Migration(migrations.Migration):
    dependencies = [("mailboxes", "0030_shared_views")]

    operations = [
        migrations.RunSQL(
            ADD,
            DROP,
            state_operations=[
                migrations.AddField(
                    model_name="removedwords",
                    name="held_in",
                    field=models.CharField(db_default="mailboxes_search", max_length=40),
                )
            ],
        )
    ]
