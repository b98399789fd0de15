"""Own fields: which there are, and what can be chosen in them, is for administrators of the account to say."""

from dataclasses import replace

import pytest

from letterdesk.accounts.roles import NotAllowed
from letterdesk.crm.models import OwnField, OwnOption, OwnValue
from letterdesk.crm.own.fields import (
    BadField,
    FieldSaid,
    OptionSaid,
    change_field,
    delete_field,
    delete_option,
    make_field,
    move_up,
    records_with,
    write_options,
)
from letterdesk.crm.own.read import read
from letterdesk.crm.own.values import own_fields_of
from letterdesk.crm.records.change import change
from letterdesk.crm.records.fields import fields_of
from letterdesk.events.models import Event


@pytest.fixture
def define(administrator):
    def defined(name="Size", kind="contact", *, type="text", options=(), **said):
        return make_field(kind, FieldSaid(name, **said), type=type, by=administrator, options=options)

    return defined


def say(record, field, *typed, by):
    return change(record, replace(fields_of(record), own={field: read(field, typed)}), by=by)


def options(field):
    return [option.name for option in OwnOption.objects.filter(field=field).order_by("position")]


def test_a_field_is_made_changed_moved_and_told(define, account, administrator):
    size, tier = define("  Customer   number "), define("Tier", type="choice", options=["Gold", " Silver "])
    assert size.name == "Customer number" and options(tier) == ["Gold", "Silver"]
    assert change_field(size, FieldSaid("Number", is_required=True, is_listed=True), by=administrator) == [
        "name", "is_required", "is_listed",
    ]  # fmt: skip
    assert change_field(size, FieldSaid("Number", is_required=True, is_listed=True), by=administrator) == []
    move_up(tier, by=administrator)
    assert [field.name for field in own_fields_of(account, "contact")] == ["Tier", "Number"]
    change_field(size, FieldSaid("Number", is_retired=True), by=administrator)
    assert [field.name for field in own_fields_of(account, "contact")] == ["Tier"]
    assert len(own_fields_of(account, "contact", with_retired=True)) == 2
    kinds = list(Event.objects.filter(kind__startswith="own_field").order_by("pk").values_list("kind", flat=True))
    assert kinds == ["own_field.created"] * 2 + ["own_field.changed"] * 3


def test_what_cannot_be_a_field_is_refused_in_words(define, administrator):
    define("Size")
    for name, why in (("", "1 to 60"), ("x" * 61, "1 to 60"), (" sIZE ", "already")):
        with pytest.raises(BadField, match=why):
            define(name)
    for heading in ("email", "amount"):  # of files
        with pytest.raises(BadField, match="column of every file"):
            define(heading)
    define("Size", "deal")
    with pytest.raises(BadField, match="already"):
        change_field(define("Other"), FieldSaid("SIZE"), by=administrator)
    with pytest.raises(BadField, match="have options"):
        define("Colour", options=["Red"])
    for kind, type in (("task", "text"), ("contact", "anything")):
        with pytest.raises(ValueError, match="not a valid"):
            define("New", kind, type=type)
    assert not OwnField.objects.filter(name__in=("Colour", "New")).exists()


def test_there_are_so_many_and_no_more(define, administrator):
    for number in range(50):
        define(f"Field {number}", is_listed=number < 5)
    with pytest.raises(BadField, match="50 own fields at most"):
        define("One more")
    define("Of companies", "company")
    with pytest.raises(BadField, match="shows 5"):
        change_field(OwnField.objects.get(name="Field 9"), FieldSaid("Field 9", is_listed=True), by=administrator)
    tier = define("Tier", "deal", type="choices", options=[f"Option {number}" for number in range(200)])
    for many in (201, 10_000):
        with pytest.raises(BadField, match="200 options at most"):
            write_options(tier, [OptionSaid(f"More {number}") for number in range(many)], by=administrator)
    assert OwnOption.objects.count() == 200


def test_administrators_of_the_account_alone_say_what_there_is(define, ines, supervisor, stranger):
    field = define("Tier", type="choice", options=["Gold"])
    for person in (ines, supervisor, stranger):
        for act in (
            lambda by: change_field(field, FieldSaid("X"), by=by),
            lambda by: move_up(field, by=by),
            lambda by: write_options(field, [], by=by),
            lambda by: delete_option(field.options.get(), by=by, seen=9),
            lambda by: delete_field(field, by=by, seen=9),
        ):
            with pytest.raises(NotAllowed):
                act(person)
        assert not OwnField.objects.editable_by(person).filter(pk=field.pk).exists()
    with pytest.raises(NotAllowed):
        make_field("contact", FieldSaid("X"), type="text", by=ines)
    assert field in OwnField.objects.visible_to(ines) and field not in OwnField.objects.visible_to(stranger)


def test_options_take_each_others_names_and_are_none_twice(define, administrator):
    tier = define("Tier", type="choice", options=["Gold", "Silver"])
    gold, silver = tier.options.order_by("position")
    write_options(tier, [OptionSaid("Gold", option=silver), OptionSaid("Silver", option=gold)], by=administrator)
    assert options(tier) == ["Gold", "Silver"] and tier.options.get(name="Gold") == silver
    write_options(tier, [OptionSaid("Bronze")], by=administrator)  # those that are not named stay
    assert options(tier) == ["Bronze", "Gold", "Silver"]
    for names, why in ((["Iron", "iron"], "same name"), (["a;b"], "semicolon"), ([" "], "1 to 100")):
        with pytest.raises(BadField, match=why):
            write_options(tier, [OptionSaid(name) for name in names], by=administrator)
    other = define("Other", type="choice")
    with pytest.raises(ValueError, match="is not of own field"):
        write_options(other, [OptionSaid("Mine", option=gold)], by=administrator)
    with pytest.raises(BadField, match="have options"):
        write_options(define("Text"), [OptionSaid("x")], by=administrator)


def test_what_deleting_takes_along_is_told_before_and_nothing_more_goes(define, administrator, amara, make, ines):
    tier = define("Tier", type="choices", options=["Gold", "Silver"])
    gold, silver = tier.options.order_by("position")
    tier = own_fields_of(ines.account, "contact")[0]
    say(amara, tier, gold.public_id, silver.public_id, by=ines)
    assert (records_with(tier), records_with(tier, gold)) == (1, 1)
    say(make(name="Bo"), tier, gold.public_id, by=ines)
    with pytest.raises(BadField, match="Meanwhile it is filled in at 2"):
        delete_option(gold, by=administrator, seen=1)
    assert delete_option(gold, by=administrator, seen=2) == 2
    assert records_with(tier) == 1
    with pytest.raises(BadField, match="Meanwhile it is filled in at 1"):
        delete_field(tier, by=administrator, seen=0)
    assert delete_field(tier, by=administrator, seen=1) == 1
    assert not OwnValue.objects.exists() and not OwnOption.objects.exists()
    told = Event.objects.get(kind="own_field.deleted").facts
    assert (told["name"], told["records"]) == ("Tier", 1)
    with pytest.raises(BadField, match="deleted meanwhile"):
        move_up(tier, by=administrator)


def test_what_has_to_be_chosen_can_be_chosen(define, administrator):
    """A required field that offers nothing would keep every form of its kind from being saved."""
    why = "has to be filled in"
    with pytest.raises(BadField, match=why):
        define("Tier", type="choices", is_required=True)
    empty = define("Empty", type="choice")
    with pytest.raises(BadField, match=why):
        change_field(empty, FieldSaid("Empty", is_required=True), by=administrator)
    tier = define("Tier", type="choice", options=["Gold", "Silver"], is_required=True)
    gold, silver = tier.options.order_by("position")
    write_options(tier, [OptionSaid("Gold", is_retired=True, option=gold)], by=administrator)
    with pytest.raises(BadField, match=why):
        write_options(tier, [OptionSaid("Silver", is_retired=True, option=silver)], by=administrator)
    with pytest.raises(BadField, match=why):
        delete_option(silver, by=administrator, seen=0)
    assert options(tier) == ["Gold", "Silver"] and not tier.options.get(name="Silver").is_retired
    change_field(tier, FieldSaid("Tier", is_required=True, is_retired=True), by=administrator)
    assert delete_option(silver, by=administrator, seen=0) == 0
    with pytest.raises(BadField, match=why):
        change_field(tier, FieldSaid("Tier", is_required=True), by=administrator)
    change_field(tier, FieldSaid("Tier"), by=administrator)
    assert not OwnField.objects.filter(name="Tier", is_required=True).exists()
