from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("plans", "0006_noticed_for"),
    ]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="grace_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="subscription",
            name="trial_extended_to",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
