"""Records are found by what their own fields say, as long as the field is there and shown."""

from dataclasses import replace

import pytest

from letterdesk.config.reactions import REACTIONS
from letterdesk.crm.jobs import index_own_fields
from letterdesk.crm.models import FoundText
from letterdesk.crm.own import index as own_index
from letterdesk.crm.own.fields import FieldSaid, change_field, delete_field, make_field
from letterdesk.crm.own.filter import OwnFilter
from letterdesk.crm.own.said import Said
from letterdesk.crm.records.change import change
from letterdesk.crm.records.fields import fields_of
from letterdesk.crm.records.lists import RecordFilter, all_of
from letterdesk.crm.records.merge import merge
from letterdesk.crm.search.records import names_by_words
from letterdesk.events.models import Event

pytestmark = pytest.mark.django_db


@pytest.fixture
def number(administrator):
    return make_field("contact", FieldSaid("Number"), type="text", by=administrator)


@pytest.fixture
def reacted(monkeypatch):
    """What happened since is reacted to, its jobs at once."""
    seen = set()
    monkeypatch.setattr(index_own_fields, "later", index_own_fields.now)

    def react():
        for event in Event.objects.filter(kind__startswith="own_field").exclude(pk__in=seen):
            seen.add(event.pk)
            for reaction in REACTIONS.get(event.kind, ()):
                reaction(event)

    return react


def say(record, field, text, *, by):
    change(record, replace(fields_of(record), own={field: Said(text=text)}), by=by)


def names(employee, words):
    return [record.name for record in names_by_words(employee, words, most=9)]


def test_a_record_is_found_by_its_number_until_that_is_another_one(number, amara, make, ines, stranger):
    say(amara, number, "K-1042 blue", by=ines)
    assert names(ines, "1042") == names(ines, "blue amara") == [amara.name] and names(stranger, "1042") == []
    change(amara, replace(fields_of(amara), note="Called"), by=ines)  # what is changed beside it hides it not
    assert names(ines, "blue") == [amara.name]
    say(amara, number, "K-2000", by=ines)
    assert names(ines, "1042") == [] and names(ines, "2000") == [amara.name]


def test_one_that_is_retired_or_deleted_is_found_no_more(number, amara, make, ines, administrator, reacted, now):
    for count in range(3):
        say(make(name=f"Bo {count}"), number, "K-1042", by=ines)
    own_index.AT_ONCE, before = 2, own_index.AT_ONCE
    try:
        change_field(number, FieldSaid("Number", is_retired=True), by=administrator)
        reacted()
        assert names(ines, "1042") == []
        change_field(number, FieldSaid("No."), by=administrator)
        reacted()
        assert len(names(ines, "1042")) == 3
        delete_field(number, by=administrator, seen=3)
        reacted()
    finally:
        own_index.AT_ONCE = before
    assert names(ines, "1042") == [] and len(names(ines, "bo")) == 3
    assert FoundText.objects.count() == 4


def test_a_merge_brings_it_along(number, amara, make, ines, now):
    other = make(name="Bo")
    say(other, number, "K-1042", by=ines)
    merge(amara, other, by=ines, now=now)
    assert names(ines, "1042") == [amara.name]


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("übersee", True), ("ÜBERSEE-ST", True), ("ковры", True), ("100% (a.b)", True), ("a_b", False), ("(a.b", True),
        ("axb", False), ("\\", False), (" [", False), ("ubersee", False),
    ],
)  # fmt: skip
def test_a_list_is_narrowed_by_a_part_of_a_text_in_whatever_case(number, amara, make, ines, words, is_found):
    make(name="Bo")
    say(amara, number, "Überseestraße Übersee-Stück КОВРЫ 100% (A.B)", by=ines)
    found = all_of(ines, RecordFilter("contact", own=(OwnFilter(number, words=words),)))
    assert [record.name for record in found] == ([amara.name] if is_found else [])
