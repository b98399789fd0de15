"""Deleting in CRM is warned of, undone within 30 days, and leaves Webmail alone (R8)."""

import pytest

from letterdesk.crm.models import Activity, Record
from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.mailboxes.models import Message
from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.tests.test_records import names, text_of


@pytest.fixture
def contact(ines):
    return record_of(ines, "Amara Okafor")


@pytest.fixture
def activity(contact, deliver):
    return activity_at(contact, letter=deliver(raw_letter("Offer"))[0])


def test_a_record_goes_with_the_letters_that_stand_nowhere_else_and_comes_back(browser, ines, contact, activity):
    """R8"""
    activity_at(contact, record_of(ines, "Okafor Studio", kind="company"), subject="Of both")
    at = f"/crm/records/{contact.public_id}"
    page = text_of(browser.get(f"{at}/deletion"))
    assert "1 letter stands nowhere else" in page and "1 letter stays" in page
    assert "1 letter went along" in text_of(browser.post(f"{at}/deletion", follow=True))
    assert names(browser.get("/crm/contacts")) == []
    assert names(browser.get("/crm/activities")) == ["Of both"]
    assert names(browser.get("/crm/bin")) == ["Amara Okafor", "Offer"]
    assert "Restore" in text_of(browser.get(at)) and "Change" not in text_of(browser.get(at))
    assert browser.post(at, {"name": "New", "responsible": ines.public_id}).status_code == 404
    assert "1 letter came with it" in text_of(browser.post(f"{at}/restoration", follow=True))
    assert names(browser.get("/crm/bin")) == []
    assert Message.objects.count() == 1


def test_deleted_for_good_its_letters_keep_their_thirty_days(browser, contact, activity):
    """R8"""
    at = f"/crm/records/{contact.public_id}"
    browser.post(f"{at}/deletion")
    assert "until their 30 days are over" in text_of(browser.get(f"{at}/purging"))
    browser.post(f"{at}/purging")
    assert not Record.objects.exists()
    assert Activity.objects.get() == activity


def test_a_letter_is_deleted_from_crm_alone_and_comes_back(browser, activity):
    at = f"/crm/activities/{activity.public_id}"
    assert "A copy in Webmail stays" in text_of(browser.get(f"{at}/deletion"))
    browser.post(f"{at}/deletion")
    assert names(browser.get("/crm/bin")) == ["Offer"]
    assert Message.objects.count() == 1
    browser.post(f"{at}/restoration")
    assert names(browser.get("/crm/activities")) == ["Offer"]


def test_who_does_not_see_the_record_neither_deletes_nor_restores(sign_in, browser, contact, activity, jonas, people):
    pages = (f"/crm/records/{contact.public_id}", f"/crm/activities/{activity.public_id}")
    for who in (jonas, people["stranger"]):
        assert {sign_in(who).post(f"{page}/deletion").status_code for page in pages} == {404}
    browser.post(f"{pages[1]}/deletion")
    browser.post(f"{pages[0]}/deletion")
    for who in (jonas, people["stranger"]):
        assert {sign_in(who).post(f"{page}/restoration").status_code for page in pages} == {404}
        assert sign_in(who).post(f"{pages[0]}/purging").status_code == 404
    assert Record.objects.exists()


def test_a_letter_whose_record_lies_in_the_bin_says_why_it_cannot_come_back(browser, contact, activity):
    browser.post(f"/crm/activities/{activity.public_id}/deletion")
    browser.post(f"/crm/records/{contact.public_id}/deletion")
    answer = browser.post(f"/crm/activities/{activity.public_id}/restoration", follow=True)
    assert "Restore that" in text_of(answer)
