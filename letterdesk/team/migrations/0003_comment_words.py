from django.db import migrations, models

from letterdesk.mailboxes.search.text import prepare, words

AT_ONCE = 500


def fill(apps, schema_editor):
    """The words of comments that were written before."""
    comments = apps.get_model("team", "Comment").objects
    rows = []
    for row in comments.only("pk", "text").order_by("pk").iterator(AT_ONCE):
        row.words = f" {' '.join(words(prepare(row.text)))} "
        rows.append(row)
        if len(rows) == AT_ONCE:
            comments.bulk_update(rows, ["words"])
            rows = []
    comments.bulk_update(rows, ["words"])


class Migration(migrations.Migration):

    dependencies = [
        ('team', '0001_squashed_0002'),
    ]

    operations = [
        migrations.AddField(
            model_name='comment',
            name='words',
            field=models.TextField(default=''),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
