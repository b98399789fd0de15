"""The tables of this room as they are; on a database that has some of the steps, the steps go on instead."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('events', '0001_initial'), ('events', '0002_failed_reactions'), ('events', '0003_audit')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0005'),
        ('accounts', '__first__'),
    ]

    operations = [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=64)),
                ('topic', models.CharField(blank=True, default='', max_length=64)),
                ('subject', models.CharField(blank=True, default='', max_length=96)),
                ('facts', models.JSONField(default=dict)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('dispatched_at', models.DateTimeField(null=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('tried_at', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='accounts.account')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['account', '-at'], name='event_of_account'), models.Index(fields=['account', 'kind', '-at'], name='event_of_kind'), models.Index(condition=models.Q(('subject', ''), _negated=True), fields=['account', 'subject', '-at'], name='event_on'), models.Index(condition=models.Q(('dispatched_at', None)), fields=['account', 'id'], name='event_to_dispatch')],
            },
        ),
        migrations.CreateModel(
            name='FailedReaction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reaction', models.CharField(blank=True, default='', max_length=200)),
                ('error', models.CharField(max_length=200)),
                ('attempts', models.PositiveSmallIntegerField()),
                ('due_at', models.DateTimeField()),
                ('given_up_at', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='failures', to='events.event')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('given_up_at', None)), fields=['due_at'], name='failed_to_retry')],
                'constraints': [models.UniqueConstraint(fields=('event', 'reaction'), name='failed_reaction_once')],
            },
        ),
    ]
