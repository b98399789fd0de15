"""Copies that were read from a letter of another program: they were known as stored from the beginning."""

from django.db import migrations
from django.db.models import F


def mark(apps, schema_editor):
    apps.get_model("outbound", "DraftCopy").objects.filter(stored_at=F("created_at")).update(is_foreign=True)


class Migration(migrations.Migration):
    dependencies = [("outbound", "0009_letters_of_others")]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
