"""The tables of this room as they are; on a database that has some of the steps, the steps go on instead."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('plans', '0001_initial'), ('plans', '0002_turns'), ('plans', '0003_webmail_began_at'), ('plans', '0004_usage'), ('plans', '0005_followed_version'), ('plans', '0006_noticed_for'), ('plans', '0007_more_time')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0005'),
    ]

    operations = [
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('plan', models.CharField(max_length=32)),
                ('since', models.DateTimeField(default=django.utils.timezone.now)),
                ('trial_started_at', models.DateTimeField(blank=True, null=True)),
                ('trial_extended_to', models.DateTimeField(blank=True, null=True)),
                ('grace_until', models.DateTimeField(blank=True, null=True)),
                ('next_plan', models.CharField(blank=True, default='', max_length=32)),
                ('next_at', models.DateTimeField(blank=True, null=True)),
                ('webmail_ended_at', models.DateTimeField(blank=True, null=True)),
                ('webmail_began_at', models.DateTimeField(blank=True, null=True)),
                ('noticed_days', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('noticed_for', models.DateTimeField(blank=True, null=True)),
                ('followed', models.CharField(blank=True, default='', max_length=32)),
                ('followed_version', models.IntegerField(blank=True, null=True)),
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='subscription', to='accounts.account')),
            ],
        ),
        migrations.CreateModel(
            name='Usage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('used', models.PositiveIntegerField(default=0)),
                ('warned', models.PositiveSmallIntegerField(default=0)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='usages', to='accounts.account')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('account', 'month'), name='usage_of_month_once')],
            },
        ),
        migrations.CreateModel(
            name='Reservation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('webmail', 'Webmail'), ('crm', 'CRM'), ('marketing', 'Marketing'), ('workflow', 'Workflows'), ('rule', 'Automation rules'), ('task', 'Task notices')], max_length=16)),
                ('units', models.PositiveIntegerField(default=1)),
                ('reserved_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('refunded_at', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('usage', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='reservations', to='plans.usage')),
            ],
            options={
                'indexes': [models.Index(fields=['usage', 'channel'], name='reservation_of_month')],
            },
        ),
    ]
