"""The tables of this room as they are; on a database that has some of the steps, the steps go on instead."""

import django.db.models.deletion
import django.utils.timezone
import letterdesk.lib.crypto
import letterdesk.lib.ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('crm', '0001_initial'), ('crm', '0002_bin_and_threads'), ('crm', '0003_deal_reason'), ('crm', '0004_made_and_corrected'), ('crm', '0005_fill_made_and_corrected'), ('crm', '0006_queue_alone'), ('crm', '0007_sendsave'), ('crm', '0008_writing'), ('crm', '0009_imports')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0005'),
        ('accounts', '__first__'),
        ('mailboxes', '0001_squashed_0028'),
    ]

    operations = [
        migrations.CreateModel(
            name='Writing',
            fields=[
                ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='accounts.account')),
                ('to_anybody', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='MailboxSaving',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('known', models.BooleanField(default=True)),
                ('unknown_incoming', models.CharField(choices=[('nothing', 'Nothing'), ('lead', 'A lead'), ('contact', 'A contact'), ('deal', 'A contact and a deal')], default='nothing', max_length=8)),
                ('unknown_outgoing', models.CharField(choices=[('nothing', 'Nothing'), ('lead', 'A lead'), ('contact', 'A contact'), ('deal', 'A contact and a deal')], default='nothing', max_length=8)),
                ('returning', models.CharField(choices=[('nothing', 'Nothing new'), ('lead', 'A new lead'), ('deal', 'A new deal')], default='nothing', max_length=8)),
                ('reads_cards', models.BooleanField(default=False)),
                ('came_from', models.CharField(blank=True, default='', max_length=200)),
                ('considered', models.BigIntegerField(default=0)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('mailbox', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='saving', to='mailboxes.mailbox')),
            ],
        ),
        migrations.CreateModel(
            name='Pipeline',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=letterdesk.lib.ids.new_public_id, editable=False, max_length=16, unique=True)),
                ('kind', models.CharField(choices=[('contact', 'Contact'), ('company', 'Company'), ('lead', 'Lead'), ('deal', 'Deal')], max_length=8)),
                ('name', models.CharField(max_length=100)),
                ('position', models.PositiveIntegerField(default=0)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='pipelines', to='accounts.account')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('account', 'kind', 'name'), name='pipeline_name_once')],
            },
        ),
        migrations.CreateModel(
            name='RecordImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=letterdesk.lib.ids.new_public_id, editable=False, max_length=16, unique=True)),
                ('kind', models.CharField(choices=[('contact', 'Contact'), ('company', 'Company'), ('lead', 'Lead'), ('deal', 'Deal')], max_length=8)),
                ('filename', models.CharField(max_length=200)),
                ('content', models.BinaryField(default=b'')),
                ('mapping', models.JSONField(default=list)),
                ('fills', models.BooleanField(default=True)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('running', 'Running'), ('done', 'Done')], default='draft', max_length=8)),
                ('total', models.PositiveIntegerField(default=0)),
                ('done', models.PositiveIntegerField(default=0)),
                ('made', models.PositiveIntegerField(default=0)),
                ('filled', models.PositiveIntegerField(default=0)),
                ('known', models.PositiveIntegerField(default=0)),
                ('refused', models.PositiveIntegerField(default=0)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['account', '-at'], name='import_latest_first')],
            },
        ),
        migrations.CreateModel(
            name='SendSaveAddress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=letterdesk.lib.ids.new_public_id, editable=False, max_length=16, unique=True)),
                ('token_hash', models.CharField(max_length=64, unique=True)),
                ('token', letterdesk.lib.crypto.EncryptedJSON()),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ends_at', models.DateTimeField(null=True)),
                ('unknown_incoming', models.CharField(choices=[('nothing', 'Nothing'), ('lead', 'A lead'), ('contact', 'A contact'), ('deal', 'A contact and a deal')], default='nothing', max_length=8)),
                ('unknown_outgoing', models.CharField(choices=[('nothing', 'Nothing'), ('lead', 'A lead'), ('contact', 'A contact'), ('deal', 'A contact and a deal')], default='nothing', max_length=8)),
                ('came_from', models.CharField(blank=True, default='', max_length=200)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('employee', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('made_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('responsible', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('employee__isnull', False), ('ends_at', None)), fields=('employee',), name='sendsave_one_of_employee'), models.UniqueConstraint(condition=models.Q(('employee', None), ('ends_at', None)), fields=('account',), name='sendsave_one_of_account')],
            },
        ),
        migrations.CreateModel(
            name='Sight',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('administrator', 'Administrator'), ('supervisor', 'Supervisor'), ('employee', 'Employee')], max_length=16)),
                ('scope', models.CharField(choices=[('own', 'Their own'), ('department', 'Those of their department'), ('all', 'All')], max_length=10)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('account', 'role'), name='sight_once')],
            },
        ),
        migrations.CreateModel(
            name='Thread',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=letterdesk.lib.ids.new_public_id, editable=False, max_length=16, unique=True)),
                ('subject', models.TextField(blank=True, default='')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
            ],
        ),
        migrations.CreateModel(
            name='Exclusion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=letterdesk.lib.ids.new_public_id, editable=False, max_length=16, unique=True)),
                ('pattern', models.CharField(max_length=320)),
                ('comment', models.CharField(blank=True, default='', max_length=300)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='exclusions', to='accounts.account')),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('account', 'pattern'), name='exclusion_once')],
            },
        ),
        migrations.CreateModel(
            name='Activity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=letterdesk.lib.ids.new_public_id, editable=False, max_length=16, unique=True)),
                ('identity', models.CharField(max_length=64)),
                ('direction', models.CharField(choices=[('in', 'Incoming'), ('out', 'Outgoing')], max_length=3)),
                ('blob', models.CharField(max_length=64)),
                ('size', models.PositiveBigIntegerField()),
                ('message_id', models.TextField(blank=True, default='')),
                ('subject', models.TextField(blank=True, default='')),
                ('from_name', models.TextField(blank=True, default='')),
                ('from_address', models.TextField(blank=True, default='')),
                ('recipients', models.JSONField(default=dict)),
                ('sent_at', models.DateTimeField(null=True)),
                ('received_at', models.DateTimeField()),
                ('snippet', models.CharField(blank=True, default='', max_length=200)),
                ('has_attachments', models.BooleanField(default=False)),
                ('through', models.CharField(blank=True, default='', max_length=320)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('deleted_at', models.DateTimeField(null=True)),
                ('is_unverified', models.BooleanField(default=False)),
                ('went_along', models.BooleanField(default=False)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='activities', to='accounts.account')),
                ('deleted_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('forwarded_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('made_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('thread', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='activities', to='crm.thread')),
            ],
            options={
                'indexes': [models.Index(fields=['account', '-received_at', '-id'], name='activity_latest_first'), models.Index(fields=['thread', '-received_at'], name='activity_of_thread'), models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='activity_in_bin')],
                'constraints': [models.UniqueConstraint(fields=('account', 'identity'), name='activity_once')],
            },
        ),
        migrations.CreateModel(
            name='ImportRefusal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('row', models.PositiveIntegerField()),
                ('column', models.CharField(blank=True, default='', max_length=200)),
                ('why', models.CharField(max_length=300)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('taken_from', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='refusals', to='crm.recordimport')),
            ],
        ),
        migrations.CreateModel(
            name='Stage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=letterdesk.lib.ids.new_public_id, editable=False, max_length=16, unique=True)),
                ('name', models.CharField(max_length=100)),
                ('position', models.PositiveIntegerField(default=0)),
                ('outcome', models.CharField(blank=True, choices=[('', 'Open'), ('won', 'Won'), ('lost', 'Lost')], default='', max_length=4)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('pipeline', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='stages', to='crm.pipeline')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('pipeline', 'name'), name='stage_name_once')],
            },
        ),
        migrations.CreateModel(
            name='ActivityKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.BigIntegerField()),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('thread', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='keys', to='crm.thread')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('account', 'key'), name='activity_key_once')],
            },
        ),
        migrations.CreateModel(
            name='Turn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(default=0)),
                ('last', models.BigIntegerField(default=0)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('employee', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('saving', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='turns', to='crm.mailboxsaving')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('saving', 'employee'), name='turn_once')],
            },
        ),
        migrations.CreateModel(
            name='CardsToRead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('activity', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crm.activity')),
                ('mailbox', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mailboxes.mailbox')),
            ],
        ),
        migrations.CreateModel(
            name='Record',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=letterdesk.lib.ids.new_public_id, editable=False, max_length=16, unique=True)),
                ('kind', models.CharField(choices=[('contact', 'Contact'), ('company', 'Company'), ('lead', 'Lead'), ('deal', 'Deal')], max_length=8)),
                ('name', models.CharField(max_length=300)),
                ('source', models.CharField(choices=[('person', 'Entered by a colleague'), ('letter', 'Made from a letter'), ('import', 'Imported')], default='person', max_length=8)),
                ('came_from', models.CharField(blank=True, default='', max_length=200)),
                ('note', models.TextField(blank=True, default='')),
                ('position', models.CharField(blank=True, default='', max_length=200)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=15, null=True)),
                ('currency', models.CharField(blank=True, default='', max_length=3)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('active_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('deleted_at', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='records', to='accounts.account')),
                ('company', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='of_company', to='crm.record')),
                ('contact', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='of_contact', to='crm.record')),
                ('created_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('deleted_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('merged_into', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='merged', to='crm.record')),
                ('responsible', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('stage', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='records', to='crm.stage')),
            ],
            options={
                'indexes': [models.Index(fields=['account', 'kind', '-active_at', '-id'], name='record_latest_first'), models.Index(condition=models.Q(('deleted_at__isnull', False)), fields=['deleted_at'], name='record_in_bin')],
            },
        ),
        migrations.CreateModel(
            name='LetterCopy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('blob', models.CharField(max_length=64)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('activity', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='copies', to='crm.activity')),
                ('mailbox', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mailboxes.mailbox')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('mailbox', 'blob'), name='letter_copy_once')],
            },
        ),
        migrations.CreateModel(
            name='Phone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=60)),
                ('key', models.CharField(default='', max_length=60)),
                ('position', models.PositiveIntegerField(default=0)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('record', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='phones', to='crm.record')),
            ],
            options={
                'indexes': [models.Index(fields=['account', 'key'], name='phone_known')],
            },
        ),
        migrations.CreateModel(
            name='NotTheSame',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('first', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crm.record')),
                ('second', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crm.record')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('first', 'second'), name='not_the_same_once')],
            },
        ),
        migrations.CreateModel(
            name='EmailAddress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('email', models.CharField(max_length=320)),
                ('key', models.CharField(max_length=320)),
                ('domain', models.CharField(default='', max_length=255)),
                ('position', models.PositiveIntegerField(default=0)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('record', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='addresses', to='crm.record')),
            ],
            options={
                'indexes': [models.Index(fields=['account', 'key'], name='email_address_known'), models.Index(fields=['account', 'domain'], name='email_address_domain')],
                'constraints': [models.UniqueConstraint(fields=('record', 'key'), name='email_address_once')],
            },
        ),
        migrations.CreateModel(
            name='Correction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=letterdesk.lib.ids.new_public_id, editable=False, max_length=16, unique=True)),
                ('key', models.CharField(max_length=320)),
                ('belongs', models.BooleanField()),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('record', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='corrections', to='crm.record')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('account', 'key', 'record'), name='correction_once')],
            },
        ),
        migrations.CreateModel(
            name='Binding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('address', 'The address is known'), ('reply', 'It belongs to a conversation that stands here'), ('deal', "The client's open deal that was active last"), ('made', 'It was made from this letter'), ('said', 'A colleague said that letters of this address belong here'), ('history', 'An earlier letter of a conversation that was linked'), ('person', 'A colleague linked it'), ('written', 'It was written here')], max_length=8)),
                ('matched', models.CharField(blank=True, default='', max_length=320)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('received_at', models.DateTimeField()),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('activity', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='bindings', to='crm.activity')),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('record', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='bindings', to='crm.record')),
            ],
            options={
                'indexes': [models.Index(fields=['record', '-received_at', '-id'], name='binding_timeline')],
                'constraints': [models.UniqueConstraint(fields=('activity', 'record'), name='binding_once')],
            },
        ),
        migrations.CreateModel(
            name='Unlinked',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identity', models.CharField(blank=True, default='', max_length=64)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('record', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crm.record')),
                ('thread', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='unlinked', to='crm.thread')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('thread', None)), fields=('account', 'identity', 'record'), name='unlinked_once'), models.UniqueConstraint(condition=models.Q(('record', None), ('thread', None)), fields=('account', 'identity'), name='unlinked_for_good_once'), models.UniqueConstraint(condition=models.Q(('thread__isnull', False)), fields=('thread', 'record'), name='thread_unlinked_once')],
            },
        ),
    ]
