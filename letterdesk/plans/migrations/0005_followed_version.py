from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plans", "0004_usage")]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="followed_version",
            field=models.IntegerField(blank=True, null=True),
        ),
    ]
