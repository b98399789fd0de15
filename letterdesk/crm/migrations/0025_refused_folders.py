from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0024_broken_off")]

    operations = [
        migrations.AddField(
            model_name="polledfolder",
            name="refused",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="polledfolder",
            name="refused_text",
            field=models.TextField(blank=True, default=""),
        ),
    ]
