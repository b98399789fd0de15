"""Letters that are put aside are found by when they are asked for; folders keep what their server calls them."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone


def ask_now(apps: Any, _editor: Any) -> None:
    """What a person wanted is due now."""
    apps.get_model("crm", "PolledLetter").objects.filter(is_wanted=True).update(again_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("crm", "0030_set_aside")]

    operations = [
        migrations.RunPython(ask_now, migrations.RunPython.noop),
        migrations.RemoveField(model_name="polledletter", name="is_wanted"),
        migrations.AddField(
            model_name="polledfolder",
            name="object_id",
            field=models.CharField(blank=True, default="", max_length=255),
        ),
        migrations.AlterField(
            model_name="polledletter",
            name="folder",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="crm.polledfolder",
            ),
        ),
        migrations.AddIndex(
            model_name="polledletter",
            index=models.Index(fields=["folder", "uid"], name="polled_letter_place"),
        ),
        migrations.AddIndex(
            model_name="polledletter",
            index=models.Index(
                condition=models.Q(again_at__isnull=False), fields=["folder", "again_at"], name="polled_again"
            ),
        ),
        migrations.RemoveIndex(model_name="polledletter", name="polled_trouble"),
        migrations.AddIndex(
            model_name="polledletter",
            index=models.Index(fields=["mailbox", "trouble", "-received_at"], name="polled_trouble"),
        ),
        migrations.RemoveIndex(model_name="polledmailbox", name="polled_due"),
        migrations.AddIndex(
            model_name="polledmailbox",
            index=models.Index(fields=["state", "due_at", "id"], name="polled_due"),
        ),
        migrations.AddIndex(
            model_name="polledmailbox",
            index=models.Index(fields=["state", "failures", "account"], name="polled_failing"),
        ),
    ]
