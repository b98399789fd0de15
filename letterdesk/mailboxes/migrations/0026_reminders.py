import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_life'),
        ('mailboxes', '0025_auto_reply'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='mark',
            name='awaited_since',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='mark',
            name='remind_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='mark',
            name='remind_by',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='mark',
            name='reminded_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='mark',
            index=models.Index(condition=models.Q(('remind_at__isnull', False), ('reminded_at', None)), fields=['remind_at'], name='mark_to_remind'),
        ),
    ]
