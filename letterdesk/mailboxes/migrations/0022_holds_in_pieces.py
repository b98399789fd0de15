from django.db import migrations, models
from django.db.models import F


def complete(apps, schema_editor):
    """Holds were placed in one transaction until now: all their letters have their rows."""
    apps.get_model("mailboxes", "LegalHold").objects.update(covered_at=F("placed_at"))


class Migration(migrations.Migration):

    dependencies = [
        ('mailboxes', '0021_team_work'),
    ]

    operations = [
        migrations.AddField(
            model_name='legalhold',
            name='covered_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='legalhold',
            name='covered_to',
            field=models.BigIntegerField(default=0),
        ),
        migrations.RunPython(complete, migrations.RunPython.noop),
    ]
