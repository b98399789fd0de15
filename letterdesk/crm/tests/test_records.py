"""Contacts, companies, leads and deals are made, changed and qualified."""

from dataclasses import replace
from decimal import Decimal

import pytest

from letterdesk.crm.models import Binding, EmailAddress, Kind, Pipeline, Record, Stage
from letterdesk.crm.records.bin import delete
from letterdesk.crm.records.change import ChangedMeanwhile, change, move_to_stage, version_of
from letterdesk.crm.records.change import InBin as InBinError
from letterdesk.crm.records.fields import BadRecord, fields_of
from letterdesk.crm.records.qualify import qualify
from letterdesk.crm.records.stages import stages_of
from letterdesk.events.models import Event

from .conftest import activity_at


def test_a_contact_has_all_that_was_written(make, ines):
    company = make(Kind.COMPANY, "Okafor Ltd")
    made = make(
        name="  Amara   Okafor ",
        company=company,
        position="Owner",
        addresses=("A@Okafor.example", "amara@home.example"),
        phones=("+49 30 1", " +49 30  1"),
        note=" met in Leeds\n",
    )
    said = fields_of(Record.objects.get(pk=made.pk))
    assert (said.name, said.company, said.position) == ("Amara Okafor", company, "Owner")
    assert (said.addresses, said.phones) == (("A@Okafor.example", "amara@home.example"), ("+49 30 1",))
    assert said.note == "met in Leeds"
    assert Event.objects.get(kind="record.created", subject=made.reference).by == ines


def test_addresses_are_known_folded_and_once(make):
    make(addresses=("Amara@BÜCHER.example", "amara@bücher.EXAMPLE.", ""))
    assert EmailAddress.objects.get().key == "amara@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "fields",
    [{"name": " "}, {"addresses": ("amara",)}, {"addresses": tuple(f"a{n}@b.example" for n in range(51))}],
    ids=["name", "address", "too many"],
)
def test_what_cannot_be_a_record_is_refused_in_words(make, fields):
    with pytest.raises(BadRecord):
        make(**fields)
    assert not Record.objects.exists()


def test_a_deal_has_an_amount_that_is_one(make):
    deal = make(Kind.DEAL, "Roof", amount=Decimal("1200.505"), currency="eur", addresses=("left@out.example",))
    deal.refresh_from_db()
    assert (deal.amount, deal.currency, deal.addresses.count()) == (Decimal("1200.50"), "EUR", 0)
    for wrong in ({"amount": Decimal(-1)}, {"amount": Decimal("NaN")}, {"currency": "euro"}):
        with pytest.raises(BadRecord):
            make(Kind.DEAL, "Roof", **wrong)


def test_leads_and_deals_begin_in_the_first_stage_made_when_first_needed(make, account):
    assert not Pipeline.objects.exists()
    lead, deal, other = make(Kind.LEAD, "Ada"), make(Kind.DEAL, "Roof"), make(Kind.DEAL, "Floor")
    assert (lead.stage.name, deal.stage.name, other.stage) == ("New", "New", deal.stage)
    assert [stage.name for stage in stages_of(account, Kind.LEAD)] == ["New", "In work", "Qualified", "Rejected"]
    assert [s.outcome for s in stages_of(account, Kind.DEAL)] == ["", "", "", "won", "lost"]
    assert Pipeline.objects.count() == 2


def test_a_change_names_what_changed_and_keeps_the_stage(make, ines):
    lead = make(Kind.LEAD, "Ada", addresses=("ada@x.example",))
    wanted = replace(fields_of(lead), name="Ada L.", stage=None, addresses=("ada@x.example", "ada@y.example"))
    assert change(lead, wanted, by=ines) == ["name", "addresses"]
    assert change(lead, wanted, by=ines) == []
    lead.refresh_from_db()
    assert (lead.name, lead.stage.name, lead.addresses.count()) == ("Ada L.", "New", 2)
    assert Event.objects.get(kind="record.changed").facts["changed"] == ["name", "addresses"]


def test_what_a_colleague_wrote_meanwhile_is_not_replaced_unseen(make, ines, jonas):
    made = make()
    seen = version_of(made)
    change(made, replace(fields_of(made), note="called"), by=jonas)
    with pytest.raises(ChangedMeanwhile):
        change(made, replace(fields_of(made), note=""), by=ines, seen=seen)
    assert change(made, replace(fields_of(made), note=""), by=ines, seen=version_of(made)) == ["note"]


def test_a_stage_is_one_of_its_own_pipeline(make, ines, account):
    lead, deal = make(Kind.LEAD, "Ada"), make(Kind.DEAL, "Roof")
    won = Stage.objects.get(pipeline__kind=Kind.DEAL, outcome="won")
    assert move_to_stage(deal, won, by=ines)
    assert not move_to_stage(deal, won, by=ines)
    with pytest.raises(ValueError, match="none of record"):
        move_to_stage(lead, won, by=ines)


def test_nothing_of_another_account_or_kind_is_taken_in(make, stranger):  # F10
    theirs = make(Kind.COMPANY, "Theirs", by=stranger)
    with pytest.raises(ValueError, match="no company of account"):
        make(company=theirs)
    with pytest.raises(ValueError, match="no company of account"):
        make(company=make())
    with pytest.raises(ValueError, match="another account"):
        make(responsible=stranger)


def test_what_lies_in_the_bin_is_not_changed(make, ines, now):
    made = make()
    delete(made, by=ines, now=now)
    with pytest.raises(InBinError):
        change(made, fields_of(made), by=ines)


def test_a_qualified_lead_becomes_contact_company_and_deal_with_its_letters(make, ines, now):
    lead = make(Kind.LEAD, "Ada Lovelace", addresses=("ada@engine.example",), phones=("1",))
    activity = activity_at(lead, at=now)
    made = qualify(lead, by=ines, now=now, company_name="Engines", deal_name="Difference engine")
    assert fields_of(made.contact).addresses == ("ada@engine.example",)
    assert (made.contact.company, made.deal.contact, made.deal.company) == (made.company, made.contact, made.company)
    assert lead.stage.outcome == "won"
    standing = set(Binding.objects.filter(activity=activity).values_list("record", flat=True))
    assert standing == {lead.pk, made.contact.pk, made.company.pk, made.deal.pk}
    with pytest.raises(BadRecord):
        qualify(lead, by=ines, now=now)


def test_a_lead_joins_a_contact_that_is_there(make, ines, now):
    known = make(addresses=("amara@okafor.example",))
    lead = make(Kind.LEAD, "Amara", addresses=("AMARA@okafor.example", "amara@home.example"))
    made = qualify(lead, by=ines, now=now, contact=known)
    assert (made.contact, made.company, made.deal) == (known, None, None)
    assert EmailAddress.objects.filter(record=known).count() == 2
    assert Record.objects.filter(kind=Kind.CONTACT).count() == 1


def test_what_a_lead_became_stays_when_the_lead_is_changed(make, ines, now):
    lead = make(Kind.LEAD, "Ada Lovelace")
    contact = qualify(lead, by=ines, now=now).contact
    assert change(lead, replace(fields_of(lead), name="Ada King"), by=ines) == ["name"]
    lead.refresh_from_db()
    assert (lead.name, lead.contact) == ("Ada King", contact)
