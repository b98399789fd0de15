"""Many records of a list changed at once in the browser, with no script: chosen, shown, done, and taken back."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from letterdesk.crm.jobs import change_many
from letterdesk.crm.models import ChangeOfMany, Label, Pipeline, Record
from letterdesk.crm.own.fields import FieldSaid, make_field
from letterdesk.crm.records import change_many as many
from letterdesk.crm.records.labels import give
from letterdesk.crm.records.pipelines import write_access
from letterdesk.crm.records.stages import stages_of
from letterdesk.crm.tests.seeding import activity_at, record_of


def text_of(answer):
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def ticks(answer):
    return re.findall(r'name="r" value="(\w+)"', answer.content.decode())


def seen(answer):
    return re.search(r'name="seen" value="(\w+)"', answer.content.decode())[1]


def do(browser, address, change, to="", **more):
    """What the page of these records offers."""
    return browser.post(address, {"seen": seen(browser.get(address)), "change": change, "to": to}, **more)


@pytest.fixture
def clients(ines):
    return [record_of(ines, f"Client {number}") for number in range(3)]


def of(records):
    return "&".join(f"r={each.public_id}" for each in records)


def test_what_is_ticked_gets_a_label_and_loses_it_by_one_click(browser, clients, ines):
    give(clients[2], ["Key"], by=ines)
    assert ticks(browser.get("/crm/contacts")) == [each.public_id for each in reversed(clients)]
    here = f"/crm/contacts/many?q=client&sort=name&{of(clients[1:])}"
    page = browser.get(here)
    assert "2 selected" in text_of(page) and "Client 2 , Client 1" in text_of(page)
    assert 'href="/crm/contacts?q=client&amp;sort=name"' in page.content.decode()
    answer = do(browser, here, "label", "key", follow=True)
    assert answer.redirect_chain[-1][0] == "/crm/contacts?q=client&sort=name"
    assert "1 got the label “Key”. 1 was so before." in text_of(answer)
    undoing = re.search(r'action="(/crm/changes/\w+/undoing)"', answer.content.decode())[1]
    answer = browser.post(undoing, {"next": "/crm/contacts"}, follow=True)
    assert "1 is as it was." in text_of(answer) and "Undo" not in text_of(answer)
    assert [row.record for row in Label.objects.get().labelled.all()] == [clients[2]]


def test_all_that_match_are_changed_by_a_job_if_they_are_many(browser, clients, ines, jonas, monkeypatch):
    monkeypatch.setattr(many, "AT_ONCE", 2)
    monkeypatch.setattr("letterdesk.web.crm.many.AT_ONCE", 2)
    for number in range(50):
        record_of(ines, f"Other {number}")
    page = browser.get("/crm/contacts")
    assert (
        'name="all"' in page.content.decode()
        and 'name="all"' not in browser.get("/crm/contacts?q=client").content.decode()
    )
    here = "/crm/contacts/many?q=client&all=1"
    assert "3 selected" in text_of(browser.get(here)) and "53 selected" in text_of(
        browser.get("/crm/contacts/many?all=1")
    )
    answer = do(browser, here, "responsible", jonas.public_id)
    made = ChangeOfMany.objects.get()
    assert answer["Location"] == f"/crm/changes/{made.public_id}"
    assert "0 of 3 are done. You may leave this page." in text_of(browser.get(answer["Location"]))
    change_many.now(made.pk)
    assert "3 went to Jonas." in text_of(browser.get(answer["Location"], headers={"HX-Request": "true"}))
    assert Record.objects.filter(responsible=jonas, name__startswith="Client").count() == 3
    assert "Contacts · Responsible person: Jonas 3 records" in text_of(browser.get("/crm/changes"))
    assert browser.post(f"{answer['Location']}/undoing")["Location"] == answer["Location"]
    assert "0 of 3 are taken back" in text_of(browser.get(answer["Location"]))
    change_many.now(made.pk)
    assert "Taken back. 0 are as they were. 3 stayed" in text_of(browser.get(answer["Location"]))


def test_more_than_can_be_are_told(browser, clients, monkeypatch):
    monkeypatch.setattr(many, "MOST", 2)
    monkeypatch.setattr("letterdesk.web.crm.many.MOST", 2)
    assert "More than 2 match: these are the first ones" in text_of(browser.get("/crm/contacts/many?all=1"))


def test_into_the_bin_says_what_goes_along_and_comes_back(browser, clients):
    """R8"""
    activity_at(clients[0], clients[1])
    activity_at(clients[0], clients[2])
    here = f"/crm/contacts/many?{of(clients[:2])}"
    page = text_of(browser.get(here))
    assert "1 letter stands nowhere else" in page and "1 letter stays" in page and "Put 2 into the bin" in page
    answer = do(browser, here, "bin", follow=True)
    assert "2 are in the bin." in text_of(answer)
    assert ticks(answer) == [clients[2].public_id]
    browser.post(f"/crm/changes/{ChangeOfMany.objects.get().public_id}/undoing")
    assert len(ticks(browser.get("/crm/contacts"))) == 3


def test_what_was_not_shown_is_not_done(browser, clients, ines):
    here = "/crm/contacts/many?all=1"
    shown = seen(browser.get(here))
    record_of(ines, "New meanwhile")
    answer = browser.post(here, {"seen": shown, "change": "bin"})
    assert answer.status_code == 409 and "Meanwhile these are others" in text_of(answer)
    assert "4 selected" in text_of(answer) and Record.objects.present().count() == 4
    for change, to, status in (
        ("label", " ", 422), ("responsible", "", 422), ("responsible", "nobody", 404), ("unlabel", "gone", 404),
        ("stage", "gone", 404), ("nothing", "x", 404),
    ):  # fmt: skip
        assert do(browser, here, change, to).status_code == status, change
    assert "Nothing is selected" in text_of(browser.get("/crm/contacts/many"))
    assert not ChangeOfMany.objects.exists()


def test_filters_that_are_not_there_or_cannot_be_are_told_before(browser, clients, people):
    field = make_field("contact", FieldSaid("Seats"), type="number", by=people["administrator"])
    for asked, said in (("label=gone", "( Label )"), (f"own-{field.public_id}-from=many", "This filter is left out.")):
        page = text_of(browser.get(f"/crm/contacts/many?all=1&{asked}"))
        assert said in page and "3 selected" in page


def test_deals_move_and_those_that_one_may_only_look_at_have_no_tick(browser, ines, people):
    new, proposal, *_rest = stages_of(ines.account, "deal")
    deals = [record_of(ines, f"Deal {number}", kind="deal", stage=new) for number in range(2)]
    here = f"/crm/deals/many?{of(deals)}"
    assert "2 went to the stage “Proposal”." in text_of(do(browser, here, "stage", proposal.public_id, follow=True))
    write_access(new.pipeline, Pipeline.Everyone.SEE, [(people["administrator"], True)], by=people["administrator"])
    page = browser.get("/crm/deals")
    assert "Deal 0" in text_of(page) and ticks(page) == [] and 'id="many"' not in page.content.decode()
    page = text_of(browser.get(here))
    assert "Nothing is selected" in page and "2 more you may only look at" in page


def test_what_one_does_not_see_is_nobodys_to_choose(browser, clients, jonas, sign_in, people):
    """P9"""
    theirs = record_of(jonas, "Of Jonas")
    page = text_of(browser.get(f"/crm/contacts/many?{of([theirs, clients[0]])}"))
    assert "1 selected" in page and "Of Jonas" not in page
    assert "out of your sight" in page
    assert "out of your sight" not in text_of(sign_in(people["administrator"]).get(f"/crm/contacts/many?{of(clients)}"))


def test_the_pages_ask_the_same_however_many_there_are(browser, ines, clients):
    def asked(address):
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(address).status_code == 200
        return len(queries)

    addresses = ("/crm/contacts/many?all=1", "/crm/changes")
    do(browser, addresses[0], "label", "Key")
    few = [asked(each) for each in addresses]
    for number in range(20):
        activity_at(record_of(ines, f"More {number}"), received_at=timezone.now())
    do(browser, addresses[0], "label", "Other")
    assert [asked(each) for each in addresses] == few and few[0] <= 20
