from django.db import migrations, models

from letterdesk.mailboxes.search.text import fold, prepare, shown

AT_ONCE = 500


def fill(apps, schema_editor):
    """The folded names of templates that were kept before."""
    templates = apps.get_model("outbound", "Template").objects
    rows = []
    for row in templates.only("pk", "name").order_by("pk").iterator(AT_ONCE):
        row.key = fold(shown(prepare(row.name)))
        rows.append(row)
        if len(rows) == AT_ONCE:
            templates.bulk_update(rows, ["key"])
            rows = []
    templates.bulk_update(rows, ["key"])


class Migration(migrations.Migration):

    dependencies = [
        ('outbound', '0016_template_files'),
    ]

    operations = [
        migrations.AddField(
            model_name='template',
            name='key',
            field=models.TextField(default='', editable=False),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
