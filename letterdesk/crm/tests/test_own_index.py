"""Records are found by what their own fields say, as long as the field is there and shown."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from letterdesk.config.reactions import REACTIONS
from letterdesk.crm.jobs import index_own_fields
from letterdesk.crm.models import FoundText, Pipeline
from letterdesk.crm.own import index as own_index
from letterdesk.crm.own.fields import (
    FieldSaid,
    OptionSaid,
    change_field,
    delete_field,
    delete_option,
    make_field,
    write_options,
)
from letterdesk.crm.own.filter import OwnFilter
from letterdesk.crm.own.said import Said
from letterdesk.crm.records.change import change
from letterdesk.crm.records.fields import fields_of
from letterdesk.crm.records.lists import RecordFilter, all_of
from letterdesk.crm.records.merge import merge
from letterdesk.crm.records.take_in import begin, start, take_piece
from letterdesk.crm.search.check import Drift, check_piece
from letterdesk.crm.search.records import find_records, names_by_words
from letterdesk.events.models import Event
from letterdesk.mailboxes.search.query import parse_query

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


def found(employee, query):
    now = timezone.now()
    tree = parse_query(query, now=now, zone=now.tzinfo, me=employee.pk)
    return [each.record.name for each in find_records(employee, tree, most=9).records]


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


def test_where_the_job_was_lost_the_night_does_its_work(number, amara, ines, administrator):
    """G05: a worker was killed, or the queue forgot it."""
    say(amara, number, "K-1042", by=ines)
    change_field(number, FieldSaid("Number", is_retired=True), by=administrator)
    assert names(ines, "1042") == [amara.name]
    assert check_piece(amara.account_id, "records") == (0, Drift(stale=1))
    assert names(ines, "1042") == [] and names(ines, "okafor") == [amara.name]


def test_a_merge_brings_it_along(number, amara, make, ines, now):
    other = make(name="Bo")
    say(other, number, "K-1042", by=ines)
    merge(amara, other, by=ines, now=now)
    assert names(ines, "1042") == [amara.name]


@pytest.mark.parametrize(
    ("type", "said", "found_by", "not_by"),
    [
        ("number", Said(number=Decimal("1200.5000")), ["1200.5", "1200.50", "1,200.50", "1.200,5"], ["201"]),
        ("number", Decimal(1200), ["1200", "1,200", "1.200", "1200.00"], ["200.1"]),
        ("number", Decimal("-0.1250"), ["0.125"], ["0.13"]),
        ("money", Said(number=Decimal("1200.0000"), currency="EUR"), ["1200 eur", '"1200.00 EUR"', "1.200,00"], []),
        ("date", Said(day=date(2026, 1, 5)), ["2026-01-05", "05.01.2026", "5.1.2026", "2026-1-5"], ["05-02-2026"]),
        ("date", Said(day=date(2026, 11, 30)), ["2026-11-30", "30.11.2026", "30/11/2026", "2026-11"], ["2025"]),
        ("yes_no", Said(is_true=True), [], ["yes", "true"]),
    ],
)  # fmt: skip
def test_a_number_an_amount_and_a_day_are_found_as_people_type_them(
    administrator, amara, ines, type, said, found_by, not_by
):
    field = make_field("contact", FieldSaid("Field"), type=type, by=administrator)
    said = said if isinstance(said, Said) else Said(number=said)
    change(amara, replace(fields_of(amara), own={field: said}), by=ines)
    for typed in found_by:
        assert found(ines, typed) == [amara.name], typed
    for typed in not_by:
        assert found(ines, typed) == [], typed


def test_a_deal_is_found_by_its_amount(make, ines):
    make("deal", "Roof", amount=Decimal("48500.00"), currency="EUR")
    assert found(ines, "48500") == found(ines, "48.500,00") == found(ines, '"48500.00 eur"') == ["Roof"]


def test_options_are_found_by_the_name_that_they_have_now(
    amara, make, ines, jonas, administrator, stranger, reacted, django_assert_num_queries
):
    field = make_field("contact", FieldSaid("Size"), type="choices", by=administrator, options=["Small", "Large"])
    small, large = field.options.order_by("pk")
    change(amara, replace(fields_of(amara), own={field: Said(options=(small, large))}), by=ines)
    reacted()
    assert found(ines, "small large") == found(administrator, "large") == [amara.name]
    assert found(jonas, "small") == found(stranger, "small") == []
    write_options(field, [OptionSaid("Tiny", option=small), OptionSaid("Large", option=large)], by=administrator)
    reacted()
    assert (found(ines, "small"), found(ines, "tiny")) == ([], [amara.name])
    write_options(field, [OptionSaid("Large", option=large), OptionSaid("Tiny", True, small)], by=administrator)
    with django_assert_num_queries(1):  # none got another name: no record is looked at
        reacted()
    assert found(ines, "tiny") == [amara.name]  # retired: who has it keeps it
    delete_option(small, by=administrator, seen=1)
    reacted()
    assert (found(ines, "tiny"), found(ines, "large")) == ([], [amara.name])
    change_field(field, FieldSaid("Size", is_retired=True), by=administrator)
    reacted()
    assert found(ines, "large") == []


def test_what_a_file_says_is_found(ines, administrator, now):
    field = make_field("contact", FieldSaid("Since"), type="date", by=administrator)
    taken = begin("contact", f"Name,{field.name}\nBo,30.11.2026\n".encode(), "records.csv", by=ines)
    start(taken, mapping=taken.mapping, fills=True)
    while take_piece(taken.pk, now=now):
        pass
    assert found(ines, "2026-11-30") == ["Bo"]


def test_a_closed_pipeline_closes_what_its_deals_say(ines, administrator, make):
    field = make_field("deal", FieldSaid("Number"), type="number", by=administrator)
    roof = make("deal", "Roof")
    change(roof, replace(fields_of(roof), own={field: Said(number=Decimal(4711))}), by=ines)
    assert found(ines, "4711") == ["Roof"]
    Pipeline.objects.filter(pk=roof.stage.pipeline_id).update(everyone="")
    assert found(ines, "4711") == found(administrator, "4711") == []


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
