"""Notes and calls on the page of a record, with no script at all; on every plan."""

import re

import pytest
from django.utils import timezone

from letterdesk.crm.models import Note, Record
from letterdesk.crm.records.notes import Said, write
from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.plans.models import Subscription
from letterdesk.web.tests.test_records import asked, text_of


@pytest.fixture
def contact(ines):
    return record_of(ines, "Amara Okafor")


def test_a_note_and_a_call_are_written_and_stand_in_the_timeline(browser, account, contact, ines):
    Subscription.objects.filter(account=account).update(plan="free")
    at = f"/crm/records/{contact.public_id}"
    assert browser.post(f"{at}/notes", {"what": "note", "text": "Prefers mornings"})["Location"] == at
    call = {"what": "call", "direction": "in", "at": "2026-11-03T09:30", "minutes": "12", "text": "Wants a quote"}
    assert browser.post(f"{at}/notes", call).status_code == 302
    page = text_of(browser.get(at))
    assert "Incoming call · 12 min" in page and "Wants a quote" in page and "Prefers mornings" in page
    assert f"{ines.name}" in page and page.index("Prefers mornings") < page.index("Wants a quote")
    assert Note.objects.exclude(direction="").get().at.isoformat() == "2026-11-03T08:30:00+00:00"
    assert browser.post(f"{at}/notes", {"what": "fax"}).status_code == 404


def test_what_is_refused_is_said_and_nothing_typed_is_lost(browser, contact):
    at = f"/crm/records/{contact.public_id}/notes"
    call = {"what": "call", "direction": "in", "at": "2099-01-01T00:00", "minutes": "12", "text": "Wants a quote"}
    answer = browser.post(at, call)
    assert answer.status_code == 422
    assert "in the future" in text_of(answer) and "Wants a quote" in answer.content.decode()
    assert "of the years 1900 to 2999" in text_of(browser.post(at, call | {"at": "0001-01-01T00:00"}))
    for wrong, said in (({"minutes": "2000"}, "less than or equal to 1440"), ({"at": "soon"}, "valid date")):
        assert said in text_of(browser.post(at, call | {"at": "2026-01-01T00:00"} | wrong))
    assert "Write something first" in text_of(browser.post(at, {"what": "note", "text": " "}))
    assert not Note.objects.exists()


def test_its_author_changes_deletes_and_restores_it(browser, contact, ines):
    call = write(contact, Said("Quote", "out", None, 3), by=ines, now=timezone.now())
    moment, at = call.at, f"/crm/notes/{call.public_id}"
    assert "Quote" in browser.get(at).content.decode()
    typed = re.search(r'name="at" value="([^"]*)"', browser.get(at).content.decode())[1]
    form = {"direction": "in", "at": typed, "minutes": "", "text": "Q2"}
    assert browser.post(at, form | {"seen": "old"}).status_code == 409
    assert browser.post(at, form).status_code == 302
    call.refresh_from_db()
    assert (call.text, call.direction, call.minutes, call.at) == ("Q2", "in", None, moment)
    assert "changed" in text_of(browser.get(f"/crm/records/{contact.public_id}"))
    browser.post(at, {"delete": "yes"})
    assert browser.get(at).status_code == 404
    assert "Q2" not in text_of(browser.get(f"/crm/records/{contact.public_id}"))
    assert "Q2" in text_of(browser.get("/crm/bin"))
    assert browser.post(f"{at}/restoration")["Location"] == f"/crm/records/{contact.public_id}"
    assert "Q2" in text_of(browser.get(f"/crm/records/{contact.public_id}"))


def test_a_colleague_reads_it_and_cannot_change_it(sign_in, people, contact, ines):
    call = write(contact, Said("Quote", "out"), by=ines, now=timezone.now())
    administrator = sign_in(people["administrator"])
    page = administrator.get(f"/crm/records/{contact.public_id}").content.decode()
    assert "Quote" in page and f"/crm/notes/{call.public_id}" not in page
    assert administrator.post(f"/crm/notes/{call.public_id}", {"text": "x"}).status_code == 404


def test_the_page_asks_the_same_however_many_notes_it_has(browser, ines, contact):
    few = record_of(ines, "Few")
    for record, count in ((few, 1), (contact, 20)):
        activity_at(record)
        for number in range(count):
            write(record, Said(f"Note {number}"), by=ines, now=timezone.now())
    addresses = [f"/crm/records/{record.public_id}" for record in (few, contact)]
    assert asked(browser, addresses[0]) == asked(browser, addresses[1]) <= 26


def test_of_a_record_in_the_bin_they_are_read_alone(browser, ines, contact):
    note = write(contact, Said("Prefers mornings"), by=ines, now=timezone.now())
    Record.objects.update(deleted_at=timezone.now())
    page = browser.get(f"/crm/records/{contact.public_id}").content.decode()
    assert "Prefers mornings" in page and f"/crm/notes/{note.public_id}" not in page and "Log a call" not in page
    assert browser.get(f"/crm/notes/{note.public_id}").status_code == 404
