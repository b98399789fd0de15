
import django.db.models.deletion
import django.utils.timezone
import letterdesk.lib.ids
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_links_off_at'),
        ('crm', '0031_put_aside'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ChangeOfMany',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.CharField(default=letterdesk.lib.ids.new_public_id, editable=False, max_length=16, unique=True)),
                ('kind', models.CharField(choices=[('contact', 'Contact'), ('company', 'Company'), ('lead', 'Lead'), ('deal', 'Deal')], max_length=8)),
                ('what', models.CharField(choices=[('responsible', 'Responsible person'), ('label', 'Label added'), ('unlabel', 'Label taken off'), ('stage', 'Stage'), ('bin', 'Into the bin')], max_length=11)),
                ('said', models.CharField(blank=True, default='', max_length=300)),
                ('total', models.PositiveIntegerField()),
                ('is_over', models.BooleanField(default=False)),
                ('undone_at', models.DateTimeField(null=True)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('label', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='crm.label')),
                ('responsible', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('stage', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='crm.stage')),
            ],
        ),
        migrations.CreateModel(
            name='OneOfMany',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(blank=True, choices=[('', 'Waiting'), ('done', 'Done'), ('same', 'Same'), ('refused', 'Refused'), ('back', 'Back'), ('stays', 'Stays')], default='', max_length=7)),
                ('was', models.BigIntegerField(null=True)),
                ('account', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.account')),
                ('change', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='crm.changeofmany')),
                ('record', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crm.record')),
            ],
        ),
        migrations.AddIndex(
            model_name='changeofmany',
            index=models.Index(fields=['account', '-at'], name='many_latest_first'),
        ),
        migrations.AddIndex(
            model_name='changeofmany',
            index=models.Index(condition=models.Q(('is_over', False)), fields=['id'], name='many_not_over'),
        ),
        migrations.AddIndex(
            model_name='oneofmany',
            index=models.Index(fields=['change', 'state', 'id'], name='one_of_many_state'),
        ),
        migrations.AddConstraint(
            model_name='oneofmany',
            constraint=models.UniqueConstraint(fields=('change', 'record'), name='one_of_many_once'),
        ),
    ]
