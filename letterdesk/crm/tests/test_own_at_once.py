"""People and imports fill own fields in side by side; who deletes one waits for them, and they for nobody else."""

import threading
from dataclasses import replace

import pytest
from django.db import connection, connections, transaction

from letterdesk.crm.models import OwnField, OwnValue, Record
from letterdesk.crm.own.fields import FieldSaid, delete_field, make_field
from letterdesk.crm.own.said import Said
from letterdesk.crm.records.change import change
from letterdesk.crm.records.fields import BadRecord, fields_of
from letterdesk.crm.records.take_in import begin, start, take_piece
from tests.rig.together import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one after the other"),
]
PATIENCE = "2s"


@pytest.fixture
def size(administrator):
    return make_field("contact", FieldSaid("Size"), type="text", by=administrator)


def say(record, field, text, *, by):
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        change(record, replace(fields_of(record), own={field: Said(text=text)}), by=by)


def test_who_saves_does_not_wait_for_an_import_that_fills_in_the_same_field(size, amara, make, ines):
    """They stood in each other's way: the import went on to that person's record, and one of the two was thrown out."""
    other = make(name="Bo")
    with transaction.atomic():  # a piece of an import, which is not through yet
        say(amara, size, "L", by=ines)
        at_once([lambda: say(other, size, "M", by=ines)])
        say(other, size, "XL", by=ines)
    assert set(OwnValue.objects.values_list("text", flat=True)) == {"L", "XL"}


def test_an_import_fills_in_beside_what_a_person_saves_at_that_moment(amara, ines, now):
    taken = begin("contact", b"name,email,source\nAmara,amara@okafor.example,Fair\n", "people.csv", by=ines)
    start(taken, mapping=taken.mapping, fills=True)
    with transaction.atomic():  # a person's form: read, written, and committed when the import waits for it
        mine = Record.objects.get(pk=amara.pk)
        change(mine, replace(fields_of(mine), name="Amara Berg", note="Moved to Bonn"), by=ines)
        beside = threading.Thread(target=_take, args=(taken, now))
        beside.start()
        beside.join(1)
        assert beside.is_alive()
    beside.join()
    said = fields_of(Record.objects.get(pk=amara.pk))
    assert (said.name, said.note, said.came_from) == ("Amara Berg", "Moved to Bonn", "Fair")


def _take(taken, now):
    try:
        take_piece(taken.pk, now=now)
    finally:
        connections.close_all()


def test_who_deletes_a_field_waits_for_those_who_fill_it_in_and_nothing_is_left_behind(
    size, amara, ines, administrator
):
    with transaction.atomic():
        say(amara, size, "L", by=ines)
        with pytest.raises(Exception, match="lock timeout"):
            at_once([lambda: _delete(size, administrator)])
    assert OwnField.objects.exists()
    assert delete_field(size, by=administrator, seen=1) == 1
    with pytest.raises(BadRecord, match="meanwhile"):
        say(amara, size, "M", by=ines)
    assert not OwnValue.objects.exists()


def _delete(field, by):
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        delete_field(field, by=by, seen=9)
