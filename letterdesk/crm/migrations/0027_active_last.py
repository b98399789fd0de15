"""Records of an account in the order of their activity, whatever their kind: a search of common words walks through it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0026_polled_as_webmail"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="record",
            index=models.Index(fields=["account", "-active_at", "-id"], name="record_active_last"),
        ),
    ]
