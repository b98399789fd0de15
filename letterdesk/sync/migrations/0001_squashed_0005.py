"""The tables of this room as they are; on a database that has some of the steps, the steps go on instead."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('sync', '0001_initial'), ('sync', '0002_syncprocess_lease_wanted_at_lease_lease_of_holder'), ('sync', '0003_folder_cursor_settled'), ('sync', '0004_folder_cursor_compared'), ('sync', '0005_times_resumed')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0005'),
        ('mailboxes', '0001_squashed_0028'),
    ]

    operations = [
        migrations.CreateModel(
            name='SyncProcess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=64, unique=True)),
                ('started_at', models.DateTimeField()),
                ('seen_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='FolderCursor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uidvalidity', models.BigIntegerField(null=True)),
                ('uidnext', models.BigIntegerField(default=1)),
                ('modseq', models.BigIntegerField(default=0)),
                ('history_end', models.BigIntegerField(default=0)),
                ('expected', models.PositiveIntegerField(default=0)),
                ('server_uids', models.TextField(blank=True, default='')),
                ('left_out', models.JSONField(default=dict)),
                ('settled', models.JSONField(default=dict)),
                ('cutoff', models.DateTimeField(null=True)),
                ('times_resumed', models.PositiveIntegerField(default=0)),
                ('depth', models.IntegerField(default=-1)),
                ('strikes', models.PositiveIntegerField(default=0)),
                ('suspect', models.TextField(blank=True, default='')),
                ('flags_checked_at', models.DateTimeField(null=True)),
                ('compared_at', models.DateTimeField(null=True)),
                ('audited_at', models.DateTimeField(null=True)),
                ('drift', models.JSONField(default=dict)),
                ('vanish_suspected_at', models.DateTimeField(null=True)),
                ('validity_changes', models.PositiveIntegerField(default=0)),
                ('stalled_reason', models.TextField(blank=True, default='')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('folder', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='cursor', to='mailboxes.folder')),
            ],
        ),
        migrations.CreateModel(
            name='Lease',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('holder', models.CharField(blank=True, default='', max_length=64)),
                ('fence', models.BigIntegerField(default=0)),
                ('expires_at', models.DateTimeField(null=True)),
                ('retry_at', models.DateTimeField(null=True)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('wanted_at', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('mailbox', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='lease', to='mailboxes.mailbox')),
            ],
            options={
                'indexes': [models.Index(fields=['holder'], name='lease_of_holder')],
            },
        ),
    ]
