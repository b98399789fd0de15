"""Lists in any order: page by page each record once, equal ones as they were made, what says nothing last."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from letterdesk.crm.models import OwnOption, OwnValue, Record
from letterdesk.crm.own.fields import FieldSaid, make_field
from letterdesk.crm.own.said import Said
from letterdesk.crm.own.values import own_fields_of, write_own
from letterdesk.crm.records.change import change
from letterdesk.crm.records.export import exported
from letterdesk.crm.records.fields import fields_of
from letterdesk.crm.records.lists import PAGE, RecordFilter, all_of, record_page
from letterdesk.crm.records.merge import merge
from letterdesk.crm.records.order import Sort, is_sortable, sorts_of
from letterdesk.crm.records.pipelines import StageSaid, write_stages
from letterdesk.crm.records.stages import stages_of
from letterdesk.crm.tests.seeding import record_of
from letterdesk.lib.alphabet import sort_key
from letterdesk.lib.keyset import BadCursor

TYPES = {"Text": "text", "Seats": "number", "Worth": "money", "Day": "date", "Partner": "yes_no", "Tier": "choice"}
MANY = 2 * PAGE + 20


@pytest.fixture
def own(administrator):
    """A field of deals of each type that has an order, by its name."""
    for name, type in TYPES.items():
        options = ("Gold", "Silver", "Bronze") if type == "choice" else ()
        make_field("deal", FieldSaid(name), type=type, by=administrator, options=options)
    return {field.name: field for field in own_fields_of(administrator.account, "deal")}


@pytest.fixture
def deals(ines, supervisor, own):
    """Three pages of deals of which many are alike, and every third says nothing; what all have differs seldom."""
    stages, now = stages_of(ines.account, "deal"), timezone.now()
    made = [
        record_of(
            (ines, supervisor)[number % 2], f"Deal {number % 7}", kind="deal", stage=stages[number % 3],
            amount=None if number % 3 == 0 else Decimal(number % 5), active_at=now - timedelta(hours=number % 11),
            created_at=now - timedelta(hours=number % 4, microseconds=number % 2),
        )
        for number in range(MANY)
    ]  # fmt: skip
    options = list(own["Tier"].options.all())
    for number, deal in enumerate(made):
        if number % 3:
            write_own(
                deal,
                {
                    own["Text"]: Said(text=f"é{number % 5}"),
                    own["Seats"]: Said(number=Decimal(number % 5)),
                    own["Worth"]: Said(number=Decimal(number % 4), currency="EUR"),
                    own["Day"]: Said(day=date(2026, 1, 1 + number % 9)),
                    own["Partner"]: Said(is_true=bool(number % 2)),
                    own["Tier"]: Said(options=(options[number % 2],)),
                },
            )
    return made


def walked(person, sort):
    """All pages of a list, one after the other."""
    found, before = [], ""
    while True:
        page, before = record_page(person, RecordFilter("deal", sort=sort), before=before)
        found += page
        if not before:
            return found
        assert len(page) == PAGE


def test_every_order_has_each_record_once_in_pages_and_in_files(supervisor, deals, own):
    for by in (*sorts_of("deal"), *own.values()):
        for is_descending in (False, True):
            sort = Sort(by, is_descending)
            found = walked(supervisor, sort)
            assert len(found) == len({each.pk for each in found}) == MANY, by
            assert found == list(all_of(supervisor, RecordFilter("deal", sort=sort))), by
            assert found == exported(supervisor, all_of(supervisor, RecordFilter("deal", sort=sort)))


def in_order(found, value, *, is_descending):
    """What says nothing is last; of what says the same the older is first, or last."""
    filled = [(value(each), each.pk) for each in found if value(each) is not None]
    empty = [each.pk for each in found if value(each) is None]
    assert filled == sorted(filled, reverse=is_descending)
    assert empty == sorted(empty, reverse=is_descending)
    return [value(each) for each in found] == [each for each, _key in filled] + [None] * len(empty)


@pytest.mark.parametrize("is_descending", [False, True])
def test_what_all_records_have_puts_them_in_order(supervisor, deals, is_descending):
    values = {
        "name": lambda deal: deal.name,
        "active": lambda deal: deal.active_at,
        "created": lambda deal: deal.created_at,
        "responsible": lambda deal: deal.responsible.name,
        "stage": lambda deal: deal.stage.position,
        "amount": lambda deal: deal.amount,
    }
    assert set(values) == set(sorts_of("deal"))
    for by, value in values.items():
        assert in_order(walked(supervisor, Sort(by, is_descending)), value, is_descending=is_descending), by


@pytest.mark.parametrize("is_descending", [False, True])
def test_own_fields_put_records_in_order(supervisor, deals, own, is_descending):
    rows = OwnValue.objects.select_related("option")
    for name, field in own.items():
        said = {row.record_id: row for row in rows.filter(field=field)}

        def value(deal, said=said):
            row = said.get(deal.pk)
            parts = (
                () if row is None else (row.option and row.option.position, row.day, row.number, row.is_true, row.text)
            )
            return next((part for part in parts if part is not None), None)

        assert in_order(walked(supervisor, Sort(field, is_descending)), value, is_descending=is_descending), name


def test_a_row_that_comes_or_goes_between_two_pages_moves_no_other(supervisor, ines, deals):
    wanted = RecordFilter("deal", sort=Sort("amount", is_descending=False))
    first, before = record_page(supervisor, wanted)
    Record.objects.filter(pk=first[0].pk).delete()
    record_of(ines, "New", kind="deal", amount=Decimal(0), stage=first[1].stage)
    second, _before = record_page(supervisor, wanted, before=before)
    assert second == [each for each in deals_by_amount(deals) if each not in first][:PAGE]


def deals_by_amount(deals):
    return sorted(deals, key=lambda deal: (deal.amount is None, deal.amount or 0, deal.pk))


def test_names_are_in_order_whatever_their_case_and_accents(ines, make):
    for name in ("Zürich", "ärzte", "Apfel", "Ёлка", "Ель", "ÅRE", "ZURICH"):
        make(name=name)
    found, _more = record_page(ines, RecordFilter("contact", sort=Sort("name", is_descending=False)))
    assert [each.name for each in found] == ["Apfel", "ÅRE", "ärzte", "Zürich", "ZURICH", "Ёлка", "Ель"]


def test_a_name_that_changes_stands_elsewhere_in_the_list(ines, make, now):
    amara, zoe = make(name="Amara"), make(name="Zoe")
    change(amara, fields_of(amara).__class__(name="Zuri", responsible=ines), by=ines)
    assert Record.objects.get(pk=amara.pk).name_key == "zuri"
    merge(zoe, amara, by=ines, now=now, take=["name"])
    assert Record.objects.get(pk=zoe.pk).name_key == "zuri"


def test_a_place_of_another_order_is_refused_or_shows_nothing_else(supervisor, ines, stranger, deals):
    with pytest.raises(BadCursor):
        record_page(supervisor, RecordFilter("deal"), before="7.Deal 3")
    for sort in (Sort("name"), Sort("stage"), Sort("amount")):
        with pytest.raises(BadCursor):
            record_page(supervisor, RecordFilter("deal", sort=sort), before="x")
    assert {each.responsible_id for each in walked(ines, Sort("responsible"))} == {ines.pk}
    assert walked(stranger, Sort("name")) == []


def test_stages_stand_as_their_pipelines_have_them(administrator, ines, make):
    first, second, *_rest = stages_of(ines.account, "deal")
    late, early = make("deal", "Late", stage=second), make("deal", "Early", stage=first)
    sort = RecordFilter("deal", sort=Sort("stage", is_descending=False))
    assert record_page(ines, sort)[0] == [early, late]
    turned = [second, first, *_rest]
    write_stages(first.pipeline, [StageSaid(each.name, each.outcome, each) for each in turned], by=administrator)
    assert record_page(ines, sort)[0] == [late, early]


def test_long_texts_and_several_options_have_no_order(administrator):
    made = [
        make_field("deal", FieldSaid(type), type=type, by=administrator, options=("a",) if type == "choices" else ())
        for type in ("long", "choices", "link")
    ]
    assert [is_sortable(field) for field in made] == [False, False, True]
    assert OwnOption.objects.count() == 1


def test_a_key_is_as_short_as_its_column():
    assert sort_key("  Die  \0 ß " + "ﷺ" * 200) == sort_key("die ss " + "ﷺ" * 200)
    assert len(sort_key("ﷺ" * 200)) == 100
