"""What no letter can be ends in words that name it; the draft is kept, and nothing leaves (D05)."""

from email import message_from_bytes, policy

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from letterdesk.lib import blobs
from letterdesk.mailboxes.tests.arriving import another_mailbox
from letterdesk.outbound.models import Delivery, Draft, DraftFile, Template
from letterdesk.web.tests.test_writing import alert, begin, form, sends  # noqa: F401  fixtures

WELL = {"to": "a@b.example", "subject": "Hi"}


@pytest.fixture
def refused(browser, begin):  # noqa: F811
    """Send this form; returns what was said. The draft is kept, its text is in the page, and nothing leaves."""

    def send(draft=None, status=422, **fields):
        draft = draft or begin()
        said = form(draft, html="<p>Forty desks</p>", **{**WELL, **fields})
        answer = browser.post(f"/drafts/{draft.public_id}/sending", said)
        assert answer.status_code == status
        assert "Forty desks" in answer.content.decode()
        assert Draft.objects.get(pk=draft.pk).sent_at is None
        assert not Delivery.objects.exists()
        return alert(answer)

    return send


@pytest.mark.case("D05")
def test_no_field_of_the_form_becomes_another_header(browser, begin, mailbox):  # noqa: F811
    """Line ends of every kind, in the sender's own name, too: they are taken out, or the letter is refused."""
    evil = "Hi\r\nBcc: all@victims.example\nX-Evil: 1\rX-Evil: 2\u2028X-Evil: 3\r\n\r\nbody"
    browser.post("/settings/signatures", {"mailbox": mailbox.public_id, "from_name": evil, "text": evil})
    for field in ("subject", "to", "bcc", "filename"):
        draft = begin()
        name = evil if field == "filename" else "a.txt"
        browser.post(f"/drafts/{draft.public_id}/files", {"file": SimpleUploadedFile(name, b"x", "text/plain")})
        given = {field: f'"{evil}" <bo@client.example>' if field in {"to", "bcc"} else evil}
        browser.post(f"/drafts/{draft.public_id}/sending", {**form(draft, **WELL), **given, "sure": "yes"})
        Draft.objects.filter(pk=draft.pk).delete()
    letters = [message_from_bytes(blobs.get(each.account_id, each.blob), policy=policy.SMTP)
               for each in Delivery.objects.all()]  # fmt: skip
    assert letters
    for letter in letters:
        assert "Bcc" not in letter
        assert not any(each.lower().startswith("x-") for each in letter.keys())  # noqa: SIM118  a letter is no dict
    envelope = set(Delivery.objects.values_list("recipients__address", flat=True))
    assert "all@victims.example" not in envelope, envelope


def test_ten_thousand_recipients_are_too_many(refused):
    many = ", ".join(f"customer{number}@client.example" for number in range(10_000))
    assert "500 recipients at the most" in refused(status=409, bcc=many)
    assert "500 recipients at the most" in refused(status=409, to=", ".join(f"c{n}@b.example" for n in range(501)))
    long = ", ".join(f'"{"x" * 300} {number}" <c{number}@client.example>' for number in range(400))
    assert "500 recipients" in refused(status=409, cc=long)  # what would be cut off is not cut off in silence


@pytest.mark.case("C25")
def test_sixty_megabytes_of_files_are_named_and_the_rest_stays(browser, begin):  # noqa: F811
    draft = begin()
    twenty = b"x" * 20_000_000
    for name in ("one.bin", "two.bin", "three.bin"):
        file = SimpleUploadedFile(name, twenty, "application/octet-stream")
        answer = browser.post(f"/drafts/{draft.public_id}/files", {"file": file}, headers={"HX-Request": "true"})
        said = answer.content.decode()
        assert answer.status_code == (200 if name == "one.bin" else 422)
        assert name == "one.bin" or (name in said and "25 MB together" in said)
    whole = SimpleUploadedFile("all.bin", twenty * 3, "application/octet-stream")
    answer = browser.post(f"/drafts/{draft.public_id}/files", {"file": whole}, follow=True)
    assert "all.bin: The files of a letter may have 25 MB together." in answer.content.decode()
    assert list(DraftFile.objects.values_list("filename", flat=True)) == ["one.bin"]


def test_an_address_that_cannot_exist_is_named_and_nobody_else_gets_the_letter(refused):
    for address in ("a@b", "a@b..example", "@b.example", f"{'a' * 65}@b.example", "a@-b.example", ".a@b.example"):
        assert f"{address} is no e-mail address." in refused(to=f"bo@client.example, {address}")


def test_a_placeholder_that_there_is_not_goes_into_no_template(browser):
    said = {"name": "Offer", "subject": "", "text": "Dear {frist_name}, {name}"}
    answer = browser.post("/settings/templates", said, follow=True).content.decode()
    assert "There is no placeholder {frist_name}. There are {name}, {first_name}" in answer
    assert not Template.objects.exists()
    browser.post("/settings/templates", said | {"text": "Dear {first_name}, { so } {}"})
    assert Template.objects.exists()


def test_a_sender_that_one_may_not_use_is_said_and_what_was_written_stays(refused, account):
    """Foreign, invented, or taken away while one wrote: the same words."""
    for sender in (another_mailbox(account, "other@acme.example").public_id, "nobodys"):
        assert "You may not write from this mailbox." in refused(status=409, sender=sender)
