"""What is there already has its place in lists that are put in order by names and texts."""

from typing import Any

from django.db import migrations

from letterdesk.lib.alphabet import sort_key

AT_ONCE = 2_000


def fill(apps: Any, editor: Any) -> None:
    for model, text, key in (("Record", "name", "name_key"), ("OwnValue", "text", "text_key")):
        rows = apps.get_model("crm", model).objects.exclude(**{text: ""}).order_by("pk")
        after = 0
        while piece := list(rows.filter(pk__gt=after).values_list("pk", text)[:AT_ONCE]):
            after = piece[-1][0]
            with editor.connection.cursor() as cursor:
                cursor.executemany(
                    f"UPDATE crm_{model.lower()} SET {key} = %s WHERE id = %s",  # noqa: S608  no value from outside
                    [(sort_key(said), pk) for pk, said in piece],
                )


class Migration(migrations.Migration):
    dependencies = [("crm", "0027_sorting")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
