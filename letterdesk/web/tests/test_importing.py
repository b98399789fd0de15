"""A file is chosen, looked at, taken in and watched; lists are written into files, as far as one may see them."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from letterdesk.crm.models import Record, RecordImport
from letterdesk.crm.tests.seeding import record_of
from letterdesk.events.models import Event
from letterdesk.web.tests.test_records import text_of


@pytest.fixture
def taken(browser, ines):
    """A file of Ines, chosen and not started."""
    file = SimpleUploadedFile("people.csv", b"Person,Mail\nAmara,amara@okafor.example\nBo,nowhere\n")
    answer = browser.post("/crm/imports", {"kind": "contact", "file": file})
    found = RecordImport.objects.get()
    assert answer["Location"] == f"/crm/imports/{found.public_id}"
    return found


def test_a_file_is_looked_at_taken_in_and_says_what_was_refused(
    browser, taken, settings, django_capture_on_commit_callbacks
):
    settings.JOBS_URL = "memory://"
    at = f"/crm/imports/{taken.public_id}"
    page = browser.get(at)
    assert "such as Amara" in text_of(page) and "“nowhere” is not an e-mail address." in text_of(page)
    assert 'value="email" selected' in page.content.decode()
    nothing = text_of(browser.post(at, {"do": "start", "column-0": "", "column-1": ""}))
    assert "Say which column holds the name" in nothing
    looked = browser.post(at, {"do": "look", "column-0": "name", "column-1": ""})
    assert "Bo" in text_of(looked) and "nowhere is not" not in text_of(looked)
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(at, {"do": "start", "column-0": "name", "column-1": "email", "fills": "yes"})
    page = text_of(browser.get(at))
    assert "All lines were looked at." in page and "3 Mail “nowhere” is not an e-mail address." in page
    assert Record.objects.get().name == "Amara"
    assert b"3,Mail," in browser.get(f"{at}/refusals.csv").content
    assert b"All lines" in browser.get(at, headers={"hx-request": "true"}).content


def test_a_file_that_is_none_says_what_to_do(browser):
    assert "Choose a file." in text_of(browser.post("/crm/imports", {"kind": "contact"}))
    file = SimpleUploadedFile("people.vcf", b"nothing")
    answer = browser.post("/crm/imports", {"kind": "lead", "file": file})
    assert answer.status_code == 422 and "holds no visiting card" in text_of(answer)
    assert browser.get("/crm/imports?kind=task").status_code == 404
    deals = SimpleUploadedFile("people.vcf", b"BEGIN:VCARD\nFN:Bo\nEND:VCARD")
    answer = browser.post("/crm/imports", {"kind": "deal", "file": deals})
    assert "Deals come out of tables (CSV) alone." in text_of(answer)


def test_a_file_is_its_owners_alone(sign_in, taken, jonas, people):
    for who in (jonas, people["stranger"]):
        for at in ("", "/refusals.csv"):
            assert sign_in(who).get(f"/crm/imports/{taken.public_id}{at}").status_code == 404
        assert "people.csv" not in text_of(sign_in(who).get("/crm/imports"))


def test_a_list_is_written_into_a_file_as_it_is_filtered_and_seen(browser, ines, jonas):
    """C24"""
    record_of(ines, "=Amara", "amara@okafor.example")
    record_of(ines, "Bo")
    record_of(jonas, "Of Jonas")
    every = browser.get("/crm/contacts/export?form=csv").content.decode("utf-8-sig")
    assert "'=Amara,,,,amara@okafor.example" in every and "Bo" in every and "Of Jonas" not in every
    assert "Bo" not in browser.get("/crm/contacts/export?form=csv&q=Amara").content.decode()
    cards = browser.get("/crm/contacts/export?form=vcf")
    assert cards["Content-Type"] == "text/vcard" and cards.content.count(b"BEGIN:VCARD") == 2
    for address in ("/crm/deals/export?form=vcf", "/crm/contacts/export?form=exe"):
        assert browser.get(address).status_code == 404
    told = Event.objects.filter(kind="records.exported").order_by("pk")
    assert [event.facts["count"] for event in told] == [2, 1, 2]
    assert 'href="/crm/contacts/export?form=csv&amp;q=Bo"' in browser.get("/crm/contacts?q=Bo").content.decode()


def test_the_first_lines_are_told_as_they_would_be_taken_in_and_nothing_is_written(browser, ines, jonas):
    record_of(jonas, "Hidden", "hidden@okafor.example")
    lines = (
        "Name,Mail,Responsible",
        "Amara,a@x.example,",
        "Bo,b@x.example,nobody@x.example",
        "Chen,hidden@okafor.example,",
    )
    told = Event.objects.count()
    file = SimpleUploadedFile("people.csv", "\n".join(lines).encode())
    page = text_of(browser.get(browser.post("/crm/imports", {"kind": "contact", "file": file})["Location"]))
    assert "No colleague has the name or address “nobody@x.example”." in page
    assert "A record that you cannot view has this address." in page
    assert (Record.objects.count(), Event.objects.count()) == (1, told)
