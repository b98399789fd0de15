"""Who was responsible for new leads is a queue of one; domains and numbers as they are compared; one reason for all
that is made of letters."""

import re

from django.db import migrations

AT_ONCE = 2_000


def forward(apps, _schema):
    saving, turn = apps.get_model("crm", "MailboxSaving"), apps.get_model("crm", "Turn")
    for each in saving.objects.exclude(responsible=None):
        turn.objects.create(account_id=each.account_id, saving=each, employee_id=each.responsible_id)
    apps.get_model("crm", "Binding").objects.filter(reason="lead").update(reason="made")
    _fill(apps.get_model("crm", "EmailAddress"), "domain", lambda row: row.key.rpartition("@")[2][:255])
    _fill(apps.get_model("crm", "Phone"), "key", lambda row: _digits(row.number))


def _digits(number):
    """As `crm/records/fields.py` compares numbers at this time."""
    digits = re.sub(r"\D", "", number)
    return digits[-9:] if len(digits) >= 7 else ""


def _fill(model, name, value):
    last = 0
    while rows := list(model.objects.filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        for row in rows:
            setattr(row, name, value(row))
        model.objects.bulk_update(rows, [name])
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("crm", "0004_made_and_corrected")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
