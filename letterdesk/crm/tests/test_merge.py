"""Two records that are one: found, made one with all that is bound to either, or told apart."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letterdesk.crm.linking.by_hand import take_away
from letterdesk.crm.linking.corrections import belongs, belongs_not
from letterdesk.crm.models import Activity, Correction, Reason, Record, Unlinked
from letterdesk.crm.records.bin import delete, restore
from letterdesk.crm.records.change import InBin, move_to_stage
from letterdesk.crm.records.duplicates import Alike, doubles_of, pairs_of, tell_apart
from letterdesk.crm.records.fields import BadRecord, fields_of
from letterdesk.crm.records.merge import merge, preview
from letterdesk.crm.records.stages import stages_of
from letterdesk.events.models import Event
from letterdesk.lib.crashpoint import Crashed, interrupt

from .conftest import activity_at, from_amara, standing


def found(employee):
    return {(pair.first.name, pair.second.name): pair.alike for pair in pairs_of(employee, most=50)}


def test_what_looks_alike_is_found_by_address_number_and_name(make, ines, jonas, account):
    acme = make("company", "Acme Ltd")
    make("contact", "Amara", addresses=("a@x.example",), phones=("+49 30 1234567",))
    make("contact", "A. Okafor", addresses=("A@X.example",))
    make("contact", "Bo", phones=("030/123 45 67",))
    make("contact", "Chen Li", company=acme)
    make("contact", "chen li", company=acme)
    make("contact", "Chen Li")  # of no company: another one may have that name
    make("company", "ACME LTD")
    make("lead", "Lead", addresses=("a@x.example",))  # of another kind
    ended = make("lead", "Ended", addresses=("a@x.example",))
    move_to_stage(ended, stages_of(account, "lead")[-1], by=ines)
    make("contact", "Of Jonas", by=jonas, addresses=("a@x.example",))
    assert found(ines) == {
        ("Amara", "A. Okafor"): Alike.ADDRESS,
        ("Amara", "Bo"): Alike.PHONE,
        ("Chen Li", "chen li"): Alike.NAME,
        ("Acme Ltd", "ACME LTD"): Alike.NAME,
    }
    beside = [pair for each in Record.objects.all() for pair in doubles_of(each, ines, most=9)]
    assert {(pair.first.name, pair.second.name): pair.alike for pair in beside if pair.first.pk < pair.second.pk} == (
        found(ines)
    )
    assert len(beside) == 2 * len(found(ines))  # each of two finds the other
    with CaptureQueriesContext(connection) as few:
        pairs_of(ines, most=50)
    assert len(few) <= 14


def test_told_apart_they_are_no_pair_any_more(make, ines, stranger, now):
    first, second = make("company", "Acme"), make("company", "Acme")
    tell_apart(second, first, by=ines, now=now)
    tell_apart(first, second, by=ines, now=now)
    assert found(ines) == {}
    assert Event.objects.filter(kind="record.told_apart").count() == 1
    with pytest.raises(ValueError, match="no two"):
        tell_apart(first, make("company", "Acme", by=stranger), by=ines, now=now)


def test_merging_keeps_what_either_says_and_all_that_is_bound(amara, make, come, ines, now, jonas):
    works = make("company", "Okafor Studio")
    other = make(
        "contact", "Amara O.", position="Buyer", company=works, phones=("1234567",), note="Likes tea",
        addresses=("amara@okafor.example", "boss@okafor.example"), responsible=jonas,
    )  # fmt: skip
    deal = make("deal", "Roof", contact=other)
    come(from_amara("At both"))
    alone, taken = activity_at(other, at=now), activity_at(other, works, at=now)
    take_away(taken, other, by=ines, now=now)
    belongs("anna@berg.example", other, by=ines, now=now)
    told = preview(amara, other)
    assert {each.name for each in told.choices} == {"name", "responsible"}
    assert (told.letters, told.records) == (2, 1)

    merge(amara, other, by=ines, now=now, take=["responsible"])
    kept = fields_of(amara)
    assert (kept.name, kept.position, kept.company, kept.responsible) == ("Amara Okafor", "Buyer", works, jonas)
    assert (kept.addresses, kept.phones, kept.note) == (
        ("amara@okafor.example", "boss@okafor.example"), ("1234567",), "Likes tea",
    )  # fmt: skip
    assert Record.objects.get(pk=deal.pk).contact == amara
    assert {record for record, _ in standing(alone)} == {amara.pk}
    at_both = Activity.objects.get(subject="At both")
    assert (amara.pk, Reason.ADDRESS) in standing(at_both) and not at_both.bindings.filter(record=other).exists()
    assert Unlinked.objects.get().record == amara
    assert Correction.objects.get().record == amara
    come(from_amara("Later"))
    assert {record for record, _ in standing(Activity.objects.get(subject="Later"))} == {amara.pk, works.pk, deal.pk}
    other.refresh_from_db()
    assert (other.merged_into, other.deleted_by) == (amara, ines)
    event = Event.objects.get(kind="record.merged")
    assert (event.subject, event.facts["other"], event.facts["letters"]) == (amara.reference, other.public_id, 1)
    assert "addresses" in event.facts["changed"]

    restore(other, by=ines, now=now)  # as it was; what was bound stays
    assert fields_of(other).addresses == ("amara@okafor.example", "boss@okafor.example")
    assert not other.bindings.exists() and Record.objects.get(pk=other.pk).merged_into is None


@pytest.fixture
def twin(amara, make):
    """Amara once more, with the same address."""
    return make("contact", "Amara O.", addresses=("amara@okafor.example",))


def records_of(subject):
    return {record for record, _reason in standing(Activity.objects.get(subject=subject))}


@pytest.mark.parametrize("kept", ["the one it stands at", "the double"])
def test_a_conversation_taken_from_the_double_is_not_taken_from_the_one_that_stays(amara, twin, come, ines, now, kept):
    come(from_amara("Offer"))
    take_away(Activity.objects.get(), twin, by=ines, now=now, whole_conversation=True)
    into, other = (amara, twin) if kept != "the double" else (twin, amara)
    merge(into, other, by=ines, now=now)
    come(from_amara("Re: Offer", in_reply_to="Offer@okafor.example"))
    assert records_of("Offer") == records_of("Re: Offer") == {into.pk}


@pytest.mark.parametrize("kept", ["the one it belongs to", "the double"])
def test_an_address_that_is_not_the_doubles_stays_that_of_the_one_that_stays(amara, twin, come, ines, now, kept):
    belongs_not("amara@okafor.example", twin, by=ines, now=now)
    come(from_amara("Before"))
    into, other = (amara, twin) if kept != "the double" else (twin, amara)
    merge(into, other, by=ines, now=now)
    come(from_amara("After"))
    assert records_of("Before") == records_of("After") == {into.pk}


def test_taken_from_both_it_is_at_neither(amara, twin, come, ines, now):
    come(from_amara("Offer"))
    for record in (amara, twin):  # from the last one into the bin
        take_away(Activity.objects.get(), record, by=ines, now=now, whole_conversation=True)
    belongs_not("boss@okafor.example", twin, by=ines, now=now)
    merge(amara, twin, by=ines, now=now)
    come(from_amara("Re: Offer", in_reply_to="Offer@okafor.example"))
    assert not Activity.objects.present().exists()
    assert Correction.objects.get().record == amara


def test_an_amount_goes_with_its_currency(make, ines, now):
    nothing, dollars = make("deal", "Roof", currency="EUR"), make("deal", "Roof", amount=Decimal(5000), currency="USD")
    assert not [each for each in preview(nothing, dollars).choices if each.name in {"amount", "currency"}]
    assert _money(merge(nothing, dollars, by=ines, now=now)) == (5000, "USD")
    free, euros = make("deal", "Gift", amount=Decimal(0), currency="EUR"), make("deal", "Gift", amount=Decimal(9))
    [choice] = preview(free, euros).choices
    assert (choice.name, choice.mine, choice.other) == ("amount", "0.00 EUR", "9.00")
    assert _money(merge(free, euros, by=ines, now=now)) == (0, "EUR")


def _money(deal):
    deal.refresh_from_db()
    return deal.amount, deal.currency


def test_only_two_of_a_kind_that_are_here(amara, make, stranger, ines, now):
    with pytest.raises(BadRecord, match="same kind"):
        merge(amara, make("company", "Okafor"), by=ines, now=now)
    with pytest.raises(BadRecord, match="same kind"):
        merge(amara, amara, by=ines, now=now)
    many = make("contact", "Many", addresses=tuple(f"{n}@x.example" for n in range(50)))
    with pytest.raises(BadRecord, match="more than 50 addresses"):
        merge(amara, many, by=ines, now=now)
    with pytest.raises(ValueError, match="another account"):
        merge(amara, make(by=stranger), by=ines, now=now)
    delete(many, by=ines, now=now)
    with pytest.raises(InBin):
        merge(amara, many, by=ines, now=now)


@pytest.mark.django_db(transaction=True)
def test_a_crash_leaves_two(amara, make, ines, now):
    other = make("contact", "Amara O.", addresses=("boss@okafor.example",))
    activity_at(other, at=now)
    interrupt("record_merge.before_commit")
    with pytest.raises(Crashed):
        merge(amara, other, by=ines, now=now)
    assert Record.objects.present().count() == 2
    assert other.bindings.count() == 1
    assert fields_of(amara).addresses == ("amara@okafor.example",)
