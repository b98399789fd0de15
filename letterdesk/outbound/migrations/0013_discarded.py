import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_away_until'),
        ('mailboxes', '0026_reminders'),
        ('outbound', '0012_verified_senders'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='draft',
            name='discarded_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='draft',
            name='discarded_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='draft',
            index=models.Index(condition=models.Q(('discarded_at__isnull', False)), fields=['discarded_at'], name='draft_to_remove'),
        ),
    ]
