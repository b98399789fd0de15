"""Labels at a record and in its lists, with no script at all; the account's are an administrator's to keep in order."""

import pytest

from letterdesk.crm.models import Label, Labelled
from letterdesk.crm.records.labels import give, make_label
from letterdesk.crm.tests.seeding import record_of
from letterdesk.web.tests.test_records import asked, names, text_of


@pytest.fixture
def contact(ines):
    return record_of(ines, "Amara Okafor")


def test_a_record_gets_labels_shows_them_and_loses_them(browser, contact, stranger):
    at = f"/crm/records/{contact.public_id}"
    assert browser.post(f"{at}/labels", {"name": "Key account"})["Location"] == at
    assert "Key account" in text_of(browser.get(at)) and "Key account" in text_of(browser.get("/crm/contacts"))
    assert "1 to 60 characters" in text_of(browser.post(f"{at}/labels", {"name": " "}, follow=True))
    foreign = make_label(stranger.account, "Theirs")
    assert browser.post(f"{at}/labels", {"remove": foreign.public_id}).status_code == 404
    browser.post(f"{at}/labels", {"remove": Label.objects.get(name="Key account").public_id})
    assert not Labelled.objects.exists()


def test_a_list_a_board_and_a_file_are_narrowed_by_a_label(browser, ines, contact):
    (vip,) = give(contact, ["VIP"], by=ines)
    record_of(ines, "Bo")
    assert names(browser.get(f"/crm/contacts?label={vip.public_id}")) == ["Amara Okafor"]
    assert "Nothing fits" in text_of(browser.get(f"/crm/companies?label={vip.public_id}"))
    table = browser.get(f"/crm/contacts/export?label={vip.public_id}").content.decode()
    assert "VIP" in table and "Bo" not in table
    assert f"label={vip.public_id}" in browser.get(f"/crm/contacts?label={vip.public_id}").content.decode()


def test_a_list_asks_the_same_however_many_labels_it_has(browser, ines, contact):
    give(contact, ["One"], by=ines)
    few = asked(browser, "/crm/contacts")
    for number in range(10):
        give(record_of(ines, f"Bo {number}"), [f"Label {number}", "One"], by=ines)
    assert asked(browser, "/crm/contacts") == few <= 13


def test_an_administrator_keeps_the_labels_in_order(sign_in, people, browser, contact, ines):
    (vip,) = give(contact, ["VIP"], by=ines)
    administrator = sign_in(people["administrator"])
    administrator.post("/settings/crm/labels", {"name": "Press", "colour": "info"})
    at = f"/settings/crm/labels/{vip.public_id}"
    administrator.post(at, {"name": "Key account", "colour": "ok"})
    page = text_of(administrator.get("/settings/crm"))
    assert "Key account" in page and "Press" in page
    assert "already" in text_of(administrator.post(at, {"name": "press", "colour": "ok"}, follow=True))
    assert browser.post(at, {"name": "x"}).status_code == 403
    assert "Key account" in text_of(browser.get("/settings/crm"))
    assert "The records stay" in text_of(administrator.post(at, {"change": "delete"}, follow=True))
    assert not Labelled.objects.exists()
