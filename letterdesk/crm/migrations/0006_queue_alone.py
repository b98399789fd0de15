from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("crm", "0005_fill_made_and_corrected")]

    operations = [migrations.RemoveField(model_name="mailboxsaving", name="responsible")]
