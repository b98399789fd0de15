"""What own fields say at records: written by who may change these, filtered by, in files, kept by a merge."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from letterdesk.crm.models import ImportRefusal, OwnField, OwnOption, OwnValue, Record
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
from letterdesk.crm.own.read import BadValue, read
from letterdesk.crm.own.said import Said, reference
from letterdesk.crm.own.values import all_said_at, own_fields_of, shown_at
from letterdesk.crm.records.bin import delete, purge, restore
from letterdesk.crm.records.change import ChangedMeanwhile, change, version_of
from letterdesk.crm.records.create import create
from letterdesk.crm.records.export import HEAD, cards_of, exported, head_of, table_of
from letterdesk.crm.records.fields import BadRecord, Fields, fields_of
from letterdesk.crm.records.lists import RecordFilter, all_of
from letterdesk.crm.records.merge import merge, preview
from letterdesk.crm.records.qualify import qualify
from letterdesk.crm.records.take_in import begin, start, take_piece
from letterdesk.crm.writing.placeholders import own_placeholders, values_at
from letterdesk.events.models import Event
from letterdesk.lib.sheets import as_csv
from letterdesk.mail.vcard import write_cards
from letterdesk.outbound.placeholders import MissingValue, UnknownPlaceholder, check_filled, fill

ONE_OF_EACH = {
    "Size": "text", "Story": "long", "Seats": "number", "Worth": "money", "Renewal": "date", "Partner": "yes_no",
    "Tier": "choice", "Interests": "choices", "Site": "link",
}  # fmt: skip
TYPED = {
    "Size": ["=big"], "Story": ["one\ntwo"], "Seats": ["1.2340"], "Worth": ["1200.50", "EUR"],
    "Renewal": ["2026-12-24"], "Partner": ["no"], "Tier": ["Gold"], "Interests": ["Mail", "Tasks"], "Site": ["https://x.example/?a=b"],
}  # fmt: skip
OPTIONS = {"Tier": ["Gold", "Silver"], "Interests": ["Mail", "CRM", "Tasks"]}


@pytest.fixture
def define(administrator):
    def defined(name="Size", kind="contact", *, type="text", options=(), **said):
        make_field(kind, FieldSaid(name, **said), type=type, by=administrator, options=options)
        return field(administrator.account, name, kind)

    return defined


@pytest.fixture
def every(define):
    """A field of each type of contacts, by its name."""
    return {name: define(name, type=type, options=OPTIONS.get(name, ())) for name, type in ONE_OF_EACH.items()}


def field(account, name, kind="contact"):
    return next(each for each in own_fields_of(account, kind, with_retired=True) if each.name == name)


def typed(field, texts):
    return [field.options.get(name=text).public_id for text in texts] if field.has_options else texts


def say(record, said, *, by, **more):
    own = {field: read(field, typed(field, texts)) for field, texts in said.items()}
    return change(record, replace(fields_of(record), own=own), by=by, **more)


def words(record, account):
    found = Record.objects.get(pk=record.pk)
    return {each.field.name: each.words for each in shown_at(found, own_fields_of(account, record.kind))}


def test_each_type_is_kept_as_it_was_said_and_changed_and_taken_away(every, amara, ines, account):
    changed = say(amara, {every[name]: TYPED[name] for name in every}, by=ines)
    assert changed == [reference(field) for field in every.values()]
    assert Event.objects.filter(kind="record.changed").latest("pk").facts["changed"] == changed
    assert words(amara, account) == {
        "Size": "=big", "Story": "one\ntwo", "Seats": "1.234", "Worth": "1,200.50 EUR", "Renewal": "24 Dec 2026",
        "Partner": "No", "Tier": "Gold", "Interests": "Mail, Tasks", "Site": "https://x.example/?a=b",
    }  # fmt: skip
    assert say(amara, {every[name]: TYPED[name] for name in every}, by=ines) == []
    assert change(amara, replace(fields_of(amara), name="Amara"), by=ines) == ["name"]  # what is not named stays
    say(amara, {every["Interests"]: ["CRM"], every["Partner"]: ["yes"], every["Seats"]: ["999999999999999"]}, by=ines)
    assert words(amara, account)["Interests"] == "CRM" and words(amara, account)["Partner"] == "Yes"
    assert all_said_at(amara)[every["Seats"].pk].number == Decimal(999999999999999)
    say(amara, {field: [] for field in every.values()}, by=ines)
    assert not OwnValue.objects.exists()


def test_one_is_made_with_them_and_two_who_write_at_once_are_told(every, ines, now, amara):
    own = {every["Size"]: Said(text="L")}
    made = create("contact", Fields("Bo", ines, own=own), by=ines, now=now)
    assert words(made, ines.account) == {"Size": "L"}
    seen = version_of(amara)
    say(amara, {every["Size"]: ["M"]}, by=ines, seen=seen)
    with pytest.raises(ChangedMeanwhile):
        say(amara, {every["Size"]: ["S"]}, by=ines, seen=seen)


def test_a_field_of_another_account_or_kind_says_nothing_here(define, amara, ines, stranger, make):
    """F10"""
    foreign = type(define("X"))(account=stranger.account, kind="contact", name="Theirs", key="theirs", type="text")
    foreign.save()
    for other in (foreign, define("Of deals", "deal")):
        with pytest.raises(ValueError, match="is none of a contact"):
            say(amara, {other: ["x"]}, by=ines)
    assert not OwnValue.objects.exists()


def test_what_an_administrator_deleted_or_retired_meanwhile_is_refused_and_never_half_written(
    every, amara, ines, administrator
):
    tier = every["Tier"]
    gold = tier.options.get(name="Gold")
    wanted = read(tier, [gold.public_id])
    delete_option(gold, by=administrator, seen=0)
    with pytest.raises(BadRecord, match="meanwhile"):
        change(amara, replace(fields_of(amara), name="New", own={tier: wanted}), by=ines)
    delete_field(every["Size"], by=administrator, seen=0)
    with pytest.raises(BadRecord, match="meanwhile"):
        say(amara, {every["Size"]: ["x"]}, by=ines)
    assert Record.objects.get(pk=amara.pk).name == "Amara Okafor" and not OwnValue.objects.exists()


def test_a_retired_option_stays_where_it_is_and_is_chosen_by_nobody_else(every, amara, ines, administrator, make):
    say(amara, {every["Tier"]: ["Gold"]}, by=ines)
    gold = OwnOption.objects.get(name="Gold")
    write_options(every["Tier"], [OptionSaid("Gold", is_retired=True, option=gold)], by=administrator)
    tier = field(ines.account, "Tier")
    now = all_said_at(amara)[tier.pk]
    assert read(tier, [gold.public_id], now=now) == now
    for wrong in (gold.public_id, "no such", "x" * 10_000):
        with pytest.raises(BadValue, match="cannot be chosen"):
            read(tier, [wrong])
    silver = OwnOption.objects.get(name="Silver").public_id
    with pytest.raises(BadValue, match="Only one"):
        read(tier, [silver, gold.public_id], now=now)
    change_field(tier, FieldSaid("Tier", is_retired=True), by=administrator)
    assert words(amara, ines.account) == {} and all_said_at(amara)
    change_field(tier, FieldSaid("Tier"), by=administrator)
    assert words(amara, ines.account) == {"Tier": "Gold"}


def test_lists_are_narrowed_by_each_type(every, amara, make, ines, account):
    say(amara, {every[name]: TYPED[name] for name in every}, by=ines)
    bo = make(name="Bo")
    say(bo, {every["Seats"]: ["7"], every["Partner"]: ["yes"], every["Interests"]: ["CRM"]}, by=ines)

    def names(*wanted):
        found = all_of(
            ines, RecordFilter("contact", own=tuple(OwnFilter(every[name], **said) for name, said in wanted))
        )
        return sorted(record.name for record in found)

    gold, crm, tasks = (OwnOption.objects.get(name=name).public_id for name in ("Gold", "CRM", "Tasks"))
    mine = [amara.name]
    assert names(("Size", {"words": "BIG"})) == names(("Site", {"words": "x.example"})) == mine
    assert names(("Seats", {"most": Decimal(2)})) == mine and names(("Seats", {"least": Decimal(2)})) == ["Bo"]
    assert names(("Seats", {"least": Decimal("1.234"), "most": Decimal("1.234")})) == mine
    assert names(("Worth", {"least": Decimal(1200)})) == mine
    assert names(("Renewal", {"least": date(2026, 12, 24), "most": date(2026, 12, 24)})) == mine
    assert names(("Renewal", {"least": date(2026, 12, 25)})) == []
    assert names(("Partner", {"option": "no"})) == mine and names(("Partner", {"option": "yes"})) == ["Bo"]
    assert names(("Tier", {"option": gold})) == mine and names(("Tier", {"option": "none"})) == ["Bo"]
    assert names(("Interests", {"option": tasks})) == mine and names(("Interests", {"option": crm})) == ["Bo"]
    assert names(("Partner", {"option": "yes"}), ("Interests", {"option": tasks})) == []


def test_what_is_exported_is_imported_again(every, amara, ines, account, now):
    """C24"""
    say(amara, {every[name]: TYPED[name] for name in every}, by=ines)
    fields = own_fields_of(account, "contact")
    table = as_csv(head_of(fields), table_of(exported(ines, all_of(ines, RecordFilter("contact")), fields), fields))
    assert "'=big" in table and "1.2340" in table
    before = words(amara, account)
    amara.addresses.all().delete()
    taken = begin("contact", table.encode(), "x.csv", by=ines)
    start(taken, mapping=taken.mapping, fills=True)
    assert not take_piece(taken.pk, now=now)
    assert not ImportRefusal.objects.exists()
    made = Record.objects.exclude(pk=amara.pk).get()
    assert words(made, account) == before


def test_a_file_of_ours_is_headed_by_what_every_record_has(define, ines):
    """C24: a field may be called as a column is but for its letters, or was before that was refused."""
    amount, old = define("Amount", type="number"), define("Old")
    OwnField.objects.filter(pk=old.pk).update(name="email")
    taken = begin("contact", f"{','.join([*HEAD, 'Amount', 'email'])}\nBo,{',' * 13}\n".encode(), "x.csv", by=ines)
    there = dict(zip(HEAD, taken.mapping, strict=False))
    assert (there["email"], there["amount"], there["source"]) == ("email", "", "came_from")
    assert taken.mapping[-2:] == [reference(amount), reference(old)]
    elsewhere = begin("contact", b"name,AMOUNT\nBo,7\n", "x.csv", by=ines)
    assert elsewhere.mapping == ["name", reference(amount)]


def test_an_import_fills_what_is_empty_and_names_what_it_refuses(every, amara, ines, administrator, account, now):
    say(amara, {every["Tier"]: ["Gold"]}, by=ines)
    change_field(every["Size"], FieldSaid("Size", is_required=True), by=administrator)  # asked of people alone
    text = (
        "Name,Email,tier,SEATS,Renewal\n"
        f"Amara,{amara.addresses.get().email},Silver,7,\n"
        "Bo,bo@x.example,Iron,,\nCy,cy@x.example,,many,\nDi,di@x.example,,,soon\nEd,ed@x.example,silver,,24.12.2026\n"
    )
    taken = begin("contact", text.encode(), "x.csv", by=ines)
    assert taken.mapping[2:] == [reference(every[name]) for name in ("Tier", "Seats", "Renewal")]
    start(taken, mapping=taken.mapping, fills=True)
    take_piece(taken.pk, now=now)
    assert words(amara, account) == {"Tier": "Gold", "Seats": "7"}
    refused = ImportRefusal.objects.order_by("row").values_list("row", "column", "why")
    assert list(refused) == [
        (3, "tier", "There is no option “Iron”."),
        (4, "SEATS", "“many” is not a number such as 1200.5."),
        (5, "Renewal", "“soon” is not a day such as 2026-12-24."),
    ]
    assert words(Record.objects.get(name="Ed"), account) == {"Tier": "Silver", "Renewal": "24 Dec 2026"}


def test_a_column_whose_field_is_gone_is_refused_by_name(every, ines, administrator, now):
    taken = begin("contact", b"Name,Size\nBo,L\nCy,\n", "x.csv", by=ines)
    start(taken, mapping=taken.mapping, fills=True)
    delete_field(every["Size"], by=administrator, seen=0)
    take_piece(taken.pk, now=now)
    assert ImportRefusal.objects.get().column == "Size" and Record.objects.get().name == "Cy"


def test_a_merge_keeps_its_own_fills_what_is_empty_and_takes_what_is_chosen(
    every, amara, make, ines, administrator, now
):
    other = make(name=amara.name)
    say(amara, {every["Tier"]: ["Gold"], every["Size"]: ["L"], every["Partner"]: ["yes"]}, by=ines)
    say(other, {every["Tier"]: ["Silver"], every["Size"]: ["M"], every["Partner"]: ["yes"], every["Seats"]: ["7"],
                every["Story"]: ["told"]}, by=ines)  # fmt: skip
    change_field(every["Story"], FieldSaid("Story", is_retired=True), by=administrator)
    told = preview(amara, other)
    assert [(each.label, each.mine, each.other) for each in told.choices] == [
        ("Size", "L", "M"),
        ("Tier", "Gold", "Silver"),
    ]
    assert [(each.field.name, each.words) for each in told.own] == [("Seats", "7")]
    merge(amara, other, by=ines, now=now, take=[reference(every["Size"])])
    assert words(amara, ines.account) == {"Size": "M", "Tier": "Gold", "Partner": "Yes", "Seats": "7"}
    assert all_said_at(amara)[every["Story"].pk].text == "told"  # retired, and kept
    assert reference(every["Seats"]) in Event.objects.get(kind="record.merged").facts["changed"]
    restore(Record.objects.get(pk=other.pk), by=ines, now=now)
    assert words(other, ines.account)["Tier"] == "Silver"


def test_a_lead_takes_along_what_contact_and_deal_have_by_the_same_name(define, make, ines, now):
    tier, size = define("Tier", "lead", type="choice", options=["Gold", "Old"]), define("Size", "lead")
    define("TIER", "contact", type="choice", options=["gold"])
    define("Size", "contact", type="number")  # of another type
    define("Size", "deal")
    lead = make("lead", "Bo", addresses=("bo@x.example",))
    say(lead, {tier: ["Gold"], size: ["L"]}, by=ines)
    made = qualify(lead, by=ines, now=now, deal_name="Roof")
    assert words(made.contact, ines.account) == {"TIER": "gold"} and words(made.deal, ines.account) == {"Size": "L"}
    known = make(name="Known")
    second = make("lead", "Cy")
    say(second, {tier: ["Old"]}, by=ines)
    assert words(qualify(second, by=ines, now=now, contact=known).contact, ines.account) == {}


def test_they_go_and_come_with_their_record(every, amara, ines, now):
    say(amara, {every["Interests"]: ["Mail", "CRM"]}, by=ines)
    delete(amara, by=ines, now=now)
    restore(amara, by=ines, now=now)
    assert words(amara, ines.account) == {"Interests": "Mail, CRM"}
    delete(amara, by=ines, now=now)
    purge(Record.objects.get(pk=amara.pk), by=ines, now=now + timedelta(days=1))
    assert not OwnValue.objects.exists()


def test_a_list_asks_the_same_however_many_there_are(every, make, ines, account, django_assert_num_queries):
    fields = own_fields_of(account, "contact")
    for number in range(5):
        say(make(name=f"Bo {number}"), {every[name]: TYPED[name] for name in every}, by=ines)
    with django_assert_num_queries(2):
        own_fields_of(account, "contact")
    found = all_of(ines, RecordFilter("contact"))
    with django_assert_num_queries(5):  # records, addresses, labels, phones, own fields
        table_of(exported(ines, found, fields), fields)


def test_templates_take_what_they_say_and_name_what_is_not_there(every, define, amara, ines, administrator, stranger):
    define("Customer-number (old)", type="text")
    define("Этаж", type="number")
    number, floor = (field(ines.account, name) for name in ("Customer-number (old)", "Этаж"))
    assert own_placeholders(stranger.account) == []
    assert own_placeholders(ines.account)[-2:] == ["contact.own.customer_number_old", "contact.own.этаж"]
    say(amara, {number: ["{{ contact.name }}"], floor: ["4"], every["Interests"]: ["Mail", "CRM"]}, by=ines)
    text = "No. {{ contact.own.customer_number_old }}, {{contact.own.этаж}}, {{ contact.own.interests }}"
    values = values_at(amara, ines)
    check_filled(text, values)
    assert fill(text, values) == "No. {{ contact.name }}, 4, Mail, CRM"  # values are no code
    with pytest.raises(MissingValue, match=r"contact\.own\.tier"):
        check_filled("{{ contact.own.tier }}", values)
    with pytest.raises(UnknownPlaceholder, match=r"task\.own\.tier"):
        check_filled("{{ task.own.tier }}", values)
    change_field(floor, FieldSaid("Этаж", is_retired=True), by=administrator)
    with pytest.raises(MissingValue, match="этаж"):
        check_filled(text, values_at(amara, ines))


def test_visiting_cards_have_them_in_lines_of_their_own_and_bring_them_back(every, amara, ines, now):
    say(amara, {every[name]: TYPED[name] for name in every}, by=ines)
    fields = own_fields_of(ines.account, "contact")
    file = write_cards(cards_of(exported(ines, all_of(ines, RecordFilter("contact")), fields), fields))
    assert "X-LETTERDESK-FIELD:Interests;Mail\\; Tasks\r\n" in file
    taken = begin("contact", file.replace("amara@", "two@").encode(), "people.vcf", by=ines)
    start(taken, mapping=taken.mapping, fills=True)
    take_piece(taken.pk, now=now)
    assert not ImportRefusal.objects.exists()
    made = Record.objects.get(addresses__key="two@okafor.example")
    assert words(made, ines.account) == words(amara, ines.account)
    assert len(words(made, ines.account)) == len(every)
