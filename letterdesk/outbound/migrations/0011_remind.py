from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('outbound', '0010_foreign_copies'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='remind_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='delivery',
            name='remind_days',
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='draft',
            name='remind',
            field=models.CharField(blank=True, default='', max_length=32),
        ),
    ]
