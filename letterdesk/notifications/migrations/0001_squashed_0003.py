"""The tables of this room as they are; on a database that has some of the steps, the steps go on instead."""

import django.db.models.deletion
import django.utils.timezone
import letterdesk.lib.crypto
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('notifications', '0001_notifications'), ('notifications', '0002_more_kinds'), ('notifications', '0003_unanswered')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0005'),
        ('accounts', '__first__'),
        ('mailboxes', '0001_squashed_0028'),
        ('outbound', '0001_squashed_0014'),
        ('tasks', '0001_squashed_0004'),
    ]

    operations = [
        migrations.CreateModel(
            name='LettersTold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('last', models.PositiveBigIntegerField(default=0)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('mailbox', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mailboxes.mailbox')),
            ],
        ),
        migrations.CreateModel(
            name='PushBrowser',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('endpoint_hash', models.CharField(max_length=64, unique=True)),
                ('keys', letterdesk.lib.crypto.EncryptedJSON()),
                ('session_secret', models.CharField(max_length=40)),
                ('name', models.CharField(blank=True, default='', max_length=80)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='MailboxTelling',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.CharField(choices=[('all', 'All new letters'), ('mine', 'Mine and mentions'), ('none', 'Nothing')], max_length=4)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('employee', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('mailbox', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mailboxes.mailbox')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('employee', 'mailbox'), name='mailbox_telling_once')],
            },
        ),
        migrations.CreateModel(
            name='Notification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('letters', 'New letters'), ('answer', 'Answer in a conversation of yours'), ('assigned', 'Conversation assigned to you'), ('mention', 'Mention'), ('comment', 'Comment in a conversation of yours'), ('shown', 'Conversation shown to you'), ('unanswered', 'Nobody has answered'), ('held_back', 'Letter held back'), ('not_sent', 'Letter not sent'), ('perhaps_sent', 'Letter perhaps sent'), ('not_reached', 'Letter did not reach everybody'), ('task', 'Task for you'), ('task_comment', 'Comment in a task'), ('sign_in', 'Mailbox needs a new sign-in'), ('access_asked', 'Somebody asks for access'), ('access_given', 'Access given to you'), ('suspended', 'Mailbox suspended by plan'), ('plan', 'Plan ends')], max_length=16)),
                ('about', models.CharField(max_length=64)),
                ('count', models.PositiveIntegerField(default=1)),
                ('at', models.DateTimeField()),
                ('seen_at', models.DateTimeField(null=True)),
                ('pushed_at', models.DateTimeField(null=True)),
                ('mailed_at', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('conversation', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='mailboxes.conversation')),
                ('delivery', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='outbound.delivery')),
                ('employee', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('mailbox', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mailboxes.mailbox')),
                ('task', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tasks.task')),
            ],
            options={
                'indexes': [models.Index(fields=['employee', '-at'], name='notification_newest_first'), models.Index(fields=['at'], name='notification_to_forget')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('seen_at', None)), fields=('employee', 'kind', 'about'), name='notification_open_once')],
            },
        ),
        migrations.CreateModel(
            name='Telling',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tells_bulk', models.BooleanField(default=False)),
                ('hides_content', models.BooleanField(default=False)),
                ('quiet_from', models.TimeField(null=True)),
                ('quiet_until', models.TimeField(null=True)),
                ('paused_until', models.DateTimeField(null=True)),
                ('present_at', models.DateTimeField(null=True)),
                ('digest', models.CharField(blank=True, choices=[('', 'Never'), ('daily', 'Once a day'), ('hourly', 'Once an hour')], default='', max_length=8)),
                ('digest_hour', models.PositiveSmallIntegerField(default=8)),
                ('digest_due_at', models.DateTimeField(null=True)),
                ('push_due_at', models.DateTimeField(null=True)),
                ('pushed_at', models.DateTimeField(null=True)),
                ('wakes', models.PositiveBigIntegerField(default=0)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('employee', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='telling', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('push_due_at__isnull', False)), fields=['push_due_at'], name='telling_to_push'), models.Index(condition=models.Q(('digest_due_at__isnull', False)), fields=['digest_due_at'], name='telling_to_mail')],
            },
        ),
    ]
