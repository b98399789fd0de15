"""What is to be sent, in its turn: letters that are due at the same moment are many where a company writes to all."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outbound", "0001_squashed_0014")]

    operations = [
        migrations.RemoveIndex(model_name="delivery", name="delivery_to_send"),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["next_at", "id"],
                name="delivery_in_turn",
                condition=models.Q(state__in=["queued", "deferred"]),
            ),
        ),
    ]
