from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("outbound", "0002_filed"),
    ]

    operations = [
        migrations.AddField(
            model_name="delivery",
            name="may_have_left",
            field=models.BooleanField(default=False),
        ),
    ]
