"""Templates in the browser, with no script at all: who sees which, and what is filled in."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from letterdesk.lib import blobs
from letterdesk.mailboxes.collect import StaleBatch, collect
from letterdesk.mailboxes.models import BlobReference
from letterdesk.outbound import drafts, files, templates
from letterdesk.outbound.models import Template, TemplateFile
from letterdesk.outbound.placeholders import fill, unfilled
from letterdesk.outbound.templates import keep
from letterdesk.web.writing.cautions import Letter, cautions

SAID = {"name": "Thanks", "subject": "For {name}", "text": "Dear {first_name} of {company},\n<b>{my_name}</b>"}


@pytest.fixture
def draft(mailbox, ines):
    mailbox.smtp_host = "smtp.acme.example"
    mailbox.save(update_fields=["smtp_host"])
    to = [("Bo Lund", "bo@client.example")]
    return drafts.start(mailbox, by=ines, now=timezone.now(), to=to, body_html="<p>Below</p>")


def test_what_is_known_is_filled_in_and_the_rest_is_asked_about(browser, draft, ines):
    browser.post("/settings/templates", {**SAID, "share": ""})
    made = Template.objects.get()
    assert "Thanks" in browser.get(f"/drafts/{draft.public_id}").content.decode()
    form = {"seen": 1, "to": "Bo Lund <bo@client.example>", "format": "html", "html": "<p>Below</p>", "subject": ""}
    browser.post(f"/drafts/{draft.public_id}/template", {**form, "template": made.public_id})
    draft.refresh_from_db()
    assert draft.subject == "For Bo Lund"
    assert "Dear Bo of {company}," in draft.body_text and draft.body_text.rstrip().endswith("Below")
    assert "<b>" not in draft.body_html and "&lt;b&gt;" in draft.body_html, "a template is text"
    letter = Letter("Hi", draft.body_html, draft.body_text, has_files=False, recipients=("bo@client.example",))
    assert any("{company}" in each for each in cautions(letter))


def test_a_value_is_never_read_as_a_placeholder():
    assert fill("{name} {company} {other}", {"name": "{company}", "company": ""}) == "{company} {company} {other}"
    assert unfilled("{name} and {name}, {other}") == ["{name}"]


def test_a_private_one_is_its_owners_and_a_shared_one_is_changed_by_its_owner_alone(draft, ines, jonas, sign_in):
    mine = keep(ines, **SAID, share="")
    assert "Thanks" not in sign_in(jonas).get("/settings/templates").content.decode()
    keep(ines, **SAID, share="all", template=mine)
    assert "Thanks" in sign_in(jonas).get("/settings/templates").content.decode()
    changed = sign_in(jonas).post("/settings/templates", {**SAID, "template": mine.public_id, "text": "Mine now"})
    assert changed.status_code == 404
    assert sign_in(jonas).post(f"/settings/templates/{mine.public_id}/removal").status_code == 404


def test_nobody_of_another_account_sees_one(ines, stranger):
    keep(ines, **SAID, share="all")
    assert not Template.objects.visible_to(stranger).exists()


RICH = (
    "<div><b>Dear {first_name}</b>,</div><ul><li>Chairs</li></ul>"
    '<img src="data:image/png;base64,AAAA" alt="a>b"><script>x()</script>'
)


def formatted(browser, **more):
    """A template with formatting and a file, as the page's form makes it."""
    file = SimpleUploadedFile("prices.txt", b"4,200", content_type="text/plain")
    said = {"name": "Offer", "subject": "", "share": "", "format": "html", "html": RICH}
    answer = browser.post("/settings/templates", said | {"file": file} | more)
    assert answer.status_code == 302, answer.content.decode()
    return Template.objects.latest("pk")


def test_formatting_is_kept_as_in_letters_and_pictures_and_scripts_are_not(browser, draft):
    made = formatted(browser)
    assert made.html == "<div><b>Dear {first_name}</b>,</div><ul><li>Chairs</li></ul>"
    assert made.text == "Dear {first_name},\n\n- Chairs"
    form = {"seen": 1, "to": "Bo <Lund> <bo@client.example>", "format": "html", "html": "<p>Below</p>", "subject": ""}
    browser.post(f"/drafts/{draft.public_id}/template", {**form, "template": made.public_id})
    draft.refresh_from_db()
    assert draft.body_html.startswith("<div><b>Dear Bo</b>,</div><ul><li>Chairs</li></ul>")
    assert draft.body_html.endswith("<p>Below</p>")


def test_its_files_go_along_once_and_stay_while_anybody_holds_them(browser, draft, ines):
    made = formatted(browser)
    blob = made.files.get().blob
    form = {"seen": 1, "to": "", "format": "html", "html": "<p>Below</p>", "template": made.public_id}
    for seen in (1, 3):
        browser.post(f"/drafts/{draft.public_id}/template", {**form, "seen": seen})
    [kept] = draft.files.all()
    assert (kept.filename, files.read(kept)) == ("prices.txt", b"4,200")
    held = BlobReference.objects.filter(blob=blob)
    assert set(held.values_list("holder", flat=True)) == {made.holder, draft.holder}
    later = timezone.now() + timedelta(hours=1)
    browser.post(f"/settings/templates/{made.public_id}/removal")
    assert collect(now=later) == 0 and files.read(kept) == b"4,200"
    files.detach(kept, now=later)
    assert collect(now=later + timedelta(hours=1)) == 1
    with pytest.raises(blobs.BlobMissing):
        blobs.get(ines.account_id, blob)


def test_a_file_is_handed_out_and_taken_out_of_its_template(browser, draft):
    file = formatted(browser).files.get()
    answer = browser.get(f"/template-files/{file.public_id}")
    assert answer.content == b"4,200" and answer["Content-Disposition"].startswith("attachment")
    assert "prices.txt" in browser.get(f"/settings/templates/{file.template.public_id}").content.decode()
    browser.post(f"/template-files/{file.public_id}/removal")
    assert not TemplateFile.objects.exists() and not BlobReference.objects.filter(blob=file.blob).exists()


def test_where_somebody_writes_its_text_comes_back_and_nothing_is_written_over(browser, draft):
    made = formatted(browser)
    form = {"seen": 1, "to": "Bo Lund <bo@client.example>", "format": "html", "html": "<p>Mine</p>", "subject": ""}
    address, script = f"/drafts/{draft.public_id}/template", {"HX-Request": "true"}
    said = browser.post(address, {**form, "template": made.public_id}, headers=script).json()
    assert said["html"].startswith("<div><b>Dear Bo</b>") and said["text"].startswith("Dear Bo")
    assert "prices.txt" in said["files"]
    draft.refresh_from_db()
    assert (draft.body_html, draft.version) == ("<p>Mine</p>", said["version"])
    assert browser.post(address, {**form, "template": made.public_id}, headers=script).status_code == 409  # seen before


def test_a_placeholder_that_is_none_or_is_cut_through_is_named(browser, draft):
    for html, told in (("<p>{firstname}</p>", "{firstname}"), ("<p>{{ contact.nam }}</p>", "contact.nam"),
                       ("<p>{first_<b>name</b>}</p>", "first_name")):  # fmt: skip
        answer = browser.post("/settings/templates", {"name": "A", "format": "html", "html": html, "share": ""})
        assert answer.status_code == 422 and told in answer.content.decode(), html
    assert not Template.objects.exists()


def test_the_finder_shows_what_begins_so_first_and_nothing_of_others(browser, ines, jonas, sign_in):
    for name in ("New offer", "Offer", "Thanks"):
        keep(ines, name=name, subject="", text="x", share="")
    found = browser.get("/settings/templates/found?q=offer").content.decode()
    assert found.index(">Offer<") < found.index(">New offer<") and "Thanks" not in found
    assert "Offer" not in sign_in(jonas).get("/settings/templates/found?q=offer").content.decode()


def test_the_finder_knows_every_alphabet_and_reads_no_more_than_it_shows(
    browser, ines, draft, django_assert_max_num_queries
):
    formatted(browser, name="Счёт")
    keep(ines, name="100% off_", subject="", text="x" * 300, share="")
    Template.objects.bulk_create(
        Template(account_id=ines.account_id, owner=ines, name=f"A{number}", key=f"a{number}", text="x")
        for number in range(210)
    )
    for typed, name in (("сЧЁт", ">Счёт<"), ("0% o", ">100% off_<"), ("a209", ">A209<")):
        found = browser.get("/settings/templates/found", {"q": typed}).content.decode()
        assert name in found and found.count('role="option"') == 1, typed
    assert "with files" in browser.get("/settings/templates/found", {"q": "счёт"}).content.decode()
    with django_assert_max_num_queries(5):
        assert browser.get("/settings/templates/found?q=").content.decode().count('role="option"') == 8
    assert all(each.get_deferred_fields() >= {"text", "html"} for each in templates.named(ines, "", most=8))


def test_without_a_script_formatting_stays_until_the_text_is_changed(browser, draft):
    made = formatted(browser)
    said = {"name": "Offer", "subject": "", "share": "all", "template": made.public_id, "format": "text"}
    browser.post("/settings/templates", {**said, "text": made.text.replace("\n", "\r\n")})
    made.refresh_from_db()
    assert made.is_everyones and "<b>" in made.html
    browser.post("/settings/templates", {**said, "text": "Plain"})
    made.refresh_from_db()
    assert (made.html, made.text) == ("", "Plain")


@pytest.mark.parametrize("why", ["a value is missing", "its files have no room"])
def test_what_was_written_goes_on_being_saved_after_a_template_was_refused(browser, draft, ines, monkeypatch, why):
    text = "At {{ contact.name }}" if why == "a value is missing" else "Dear {first_name}"
    made = formatted(browser, html=text)
    monkeypatch.setattr(files, "LARGEST", 3)
    form = {"seen": 1, "to": "", "format": "html", "html": "<p>Mine</p>", "subject": "", "template": made.public_id}
    address, script = f"/drafts/{draft.public_id}", {"HX-Request": "true"}
    told = browser.post(f"{address}/template", form, headers=script)
    assert told.status_code == 409 and told.json()["told"]
    goes_on = {**form, "seen": told.json()["version"], "html": "<p>Mine, longer</p>"}
    assert browser.post(address, goes_on, headers=script).status_code == 200
    page = browser.post(f"{address}/template", {**goes_on, "seen": 3, "html": "<p>Without a script</p>"})
    seen = re.search(r'name="seen" value="(\d+)"', page.content.decode())[1]
    assert page.status_code == 409 and "Without a script" in page.content.decode()
    assert browser.post(address, {**goes_on, "seen": seen}).status_code == 302


def changed_with(browser, made, *given):
    """Change a formatted template, adding files."""
    said = {"name": "Offer", "subject": "", "share": "", "format": "html", "html": "<p>Changed</p>"}
    file = [SimpleUploadedFile(name, b"12345678") for name in given]
    return browser.post("/settings/templates", said | {"template": made.public_id if made else "", "file": file})


@pytest.mark.parametrize("why", ["no room", "too many at once", "a full disk", "their bytes were collected"])
def test_a_template_is_kept_with_its_files_or_not_at_all(browser, draft, monkeypatch, why):
    made = formatted(browser)
    told = "could not be stored"
    if why == "no room":
        monkeypatch.setattr(files, "LARGEST", 10)
        told = "together"
    elif why == "too many at once":
        told = "At most 20 files"
    elif why == "a full disk":
        monkeypatch.setattr(blobs, "put", raising(OSError(28, "No space left on device")))
    else:
        monkeypatch.setattr(files.collect, "hold", raising(StaleBatch))
    names = [f"{number}.txt" for number in range(21 if why == "too many at once" else 1)]
    for each in (made,) if why == "no room" else (made, None):  # a new one has room for as many bytes
        answer = changed_with(browser, each, *names)
        assert answer.status_code == 422 and told in answer.content.decode()
    assert "Changed" in answer.content.decode(), "what was typed still stands there"
    [kept] = Template.objects.all()
    assert "Chairs" in kept.html and kept.files.count() == 1


def raising(error):
    def fail(*_args, **_more):
        raise error

    return fail


def test_files_of_a_letter_that_are_too_many_at_once_are_refused_in_words(browser, draft):
    many = [SimpleUploadedFile(f"{number}.txt", b"x") for number in range(21)]
    answer = browser.post(f"/drafts/{draft.public_id}/files", {"file": many}, headers={"HX-Request": "true"})
    assert answer.status_code == 422 and "At most 20 files" in answer.content.decode() and not draft.files.exists()
