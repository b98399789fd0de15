"""Files of deals and leads: stages, amounts and contacts as other programs write them; no deal is made twice."""

from decimal import Decimal

import pytest

from letterdesk.crm.models import Activity, ImportRefusal, Record
from letterdesk.crm.records.export import HEAD, exported, table_of
from letterdesk.crm.records.import_rows import BadFile
from letterdesk.crm.records.lists import RecordFilter, all_of
from letterdesk.crm.records.pipelines import make_pipeline, write_access
from letterdesk.crm.records.stages import stages_of
from letterdesk.crm.records.take_in import begin, find_letters, start
from letterdesk.lib.sheets import as_csv

from .conftest import from_amara
from .test_take_in import run_in


def taken_in(kind, text, by, now):
    taken = begin(kind, text.encode(), "x.csv", by=by)
    start(taken, mapping=taken.mapping, fills=True)
    return taken, run_in(taken, now)


def test_deals_come_in_with_stage_amount_and_contact_and_once(amara, ines, come, now):
    come(from_amara("Of Bo", message_id="bo@x").replace(b"Amara@Okafor.example", b"bo@x.example"))
    text = (
        "Deal Name,Stage,Amount,Currency,Contact,Contact email,Company\n"
        'Desks,proposal,"4,200.00",EUR,Amara Okafor,,Okafor Studio\n'
        "Chairs,,1200 USD,,Bo Li,bo@x.example,\n"
        "Lamps,,,,Somebody Else,AMARA@okafor.example,\n"
    )
    taken, counts = taken_in("deal", text, ines, now)
    assert taken.mapping == ["name", "stage", "amount", "currency", "contact", "email", "company"]
    assert counts == (3, 0, 0, 0)
    desks, chairs, lamps = (Record.objects.get(name=name) for name in ("Desks", "Chairs", "Lamps"))
    assert (desks.stage.name, desks.amount, desks.currency, desks.contact) == ("Proposal", 4200, "EUR", amara)
    assert (chairs.stage.name, chairs.amount, chairs.currency, chairs.contact.name) == ("New", 1200, "USD", "Bo Li")
    assert (lamps.amount, lamps.currency, lamps.contact) == (None, "", amara)
    assert desks.company.name == "Okafor Studio"
    assert find_letters(taken, now=now) == 1
    assert Activity.objects.get(subject="Of Bo").bindings.filter(record=chairs.contact).exists()
    desks.stage = stages_of(ines.account, "deal")[2]
    desks.save(update_fields=["stage"])
    assert taken_in("deal", text, ines, now)[1] == (0, 0, 3, 0)
    desks.refresh_from_db()
    assert desks.stage.name == "Negotiation"


def test_what_was_exported_of_deals_and_leads_can_be_imported(make, amara, account, ines, administrator, now):
    second = make_pipeline("Renewals", by=administrator)
    stage = second.stages.order_by("position")[1]
    make("deal", "Roof", contact=amara, stage=stage, amount=Decimal(900), currency="CHF")
    make("lead", "Lea", stage=stages_of(account, "lead")[1], addresses=("l@x.example",))
    for kind in ("deal", "lead"):
        written = as_csv(HEAD, table_of(exported(ines, all_of(ines, RecordFilter(kind)))))
        before = Record.objects.get(kind=kind)
        name = before.name
        Record.objects.filter(pk=before.pk).update(name="Before")
        before.addresses.all().delete()
        assert taken_in(kind, written, ines, now)[1] == (1, 0, 0, 0)
        made = Record.objects.get(name=name)
        for each in ("stage", "contact", "amount", "currency", "responsible"):
            assert getattr(made, each) == getattr(before, each)


def test_a_stage_or_amount_that_cannot_be_names_its_column(ines, administrator, jonas, make, now):
    closed = make_pipeline("Closed", by=administrator)
    write_access(closed, "", [(administrator, True)], by=administrator)
    make("contact", "Hidden", by=jonas, addresses=("hidden@x.example",))
    text = (
        "Name,Funnel,Phase,Betrag,E-Mail\nA,Closed,New,,\nB,Nowhere,,,\nC,,Nothing,,\nD,,,many,\nE,,,-5,\n"
        "F,,,,hidden@x.example\n"
    )
    assert taken_in("deal", text, ines, now)[1] == (0, 0, 0, 6)
    assert list(ImportRefusal.objects.order_by("row").values_list("column", "why")) == [
        ("Funnel", "There is no pipeline “Closed” that you may change."),
        ("Funnel", "There is no pipeline “Nowhere” that you may change."),
        ("Phase", "There is no stage “Nothing” there."),
        ("Betrag", "“many” is not an amount such as 1200.50 EUR."),
        ("Betrag", "The amount must be a number from 0 upwards."),
        ("", "A record that you cannot view has this address."),
    ]
    with pytest.raises(BadFile, match="tables"):
        begin("deal", b"BEGIN:VCARD\nFN:Bo\nEND:VCARD", "x.vcf", by=ines)
