"""Secret addresses in the browser, and the letters that ask (R30, D09)."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from letterdesk.accounts.models import Role
from letterdesk.crm.models import Activity, Record, SendSaveAddress, Sight
from letterdesk.crm.sendsave import addresses as sendsave
from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.intake.jobs import take
from letterdesk.intake.keep import keep
from letterdesk.intake.models import Arrived, State
from letterdesk.mail.inbound import Inbound
from letterdesk.mail.smtpd import Handed
from letterdesk.mailboxes.tests.conftest import employ
from letterdesk.web.tests.conftest import polled_with_letter
from letterdesk.web.tests.test_records import text_of


@pytest.fixture(autouse=True)
def house(settings):
    settings.INBOUND = Inbound("in.acme.example", "127.0.0.1", 0)
    settings.JOBS_URL = "memory://"


@pytest.fixture
def asking(ines):
    """A forward of Ines, unsigned, in which nobody can be read."""
    address = sendsave.make(by=ines, of_account=False, now=timezone.now())
    raw = f"From: {ines.email}\r\nTo: {address.address}\r\nSubject: Fwd: Offer\r\n\r\nSee below\r\n".encode()
    keep([Handed(ines.email, (address.address,), raw, "192.0.2.1")], now=timezone.now())
    row = Arrived.objects.get()
    take.now(row.pk)
    row.refresh_from_db()
    assert row.state == State.ASKED
    return row


def test_one_makes_replaces_and_ends_ones_own_address(browser, ines):
    assert "Make the address" in text_of(browser.get("/settings/sendsave"))
    browser.post("/settings/sendsave/addresses", {"whose": "own"})
    first = SendSaveAddress.objects.get()
    page = browser.get("/settings/sendsave")
    assert f">{first.address}</textarea>" in page.content.decode()
    form = {"unknown_incoming": "lead", "unknown_outgoing": "contact", "came_from": "Phone", "change": "settings"}
    browser.post(f"/settings/sendsave/addresses/{first.public_id}", form)
    browser.post("/settings/sendsave/addresses", {"whose": "own", "grace": "week"})
    new = sendsave.current(ines.account, ines)
    assert (new.unknown_incoming, new.unknown_outgoing, new.came_from) == ("lead", "contact", "Phone")
    assert "takes letters until" in text_of(browser.get("/settings/sendsave"))
    browser.post(f"/settings/sendsave/addresses/{first.public_id}", {"change": "end"})
    first.refresh_from_db()
    assert not first.takes_at(timezone.now())
    assert browser.post("/settings/sendsave/addresses", {"whose": "own", "grace": "ever"}).status_code == 404


def test_the_company_s_address_is_everybody_s_and_made_by_administrators(browser, sign_in, account, settings):
    assert browser.post("/settings/sendsave/addresses", {"whose": "company"}).status_code == 403
    maria = sign_in(employ(account, "Maria", Role.ADMINISTRATOR))
    maria.post("/settings/sendsave/addresses", {"whose": "company"})
    ours = SendSaveAddress.objects.get(employee=None)
    assert ours.address in browser.get("/settings/sendsave").content.decode()
    assert browser.post(f"/settings/sendsave/addresses/{ours.public_id}", {"change": "end"}).status_code == 404
    settings.INBOUND = Inbound()
    assert "Not set up on this server" in text_of(browser.get("/settings/sendsave"))


def test_a_copy_asks_about_whom_it_was_written_to(browser, ines):
    """R30: it is the recipient of whom CRM knows nothing; the sender is a colleague."""
    address = sendsave.make(by=ines, of_account=False, now=timezone.now())
    head = f"From: {ines.email}\r\nTo: Neo Ray <neo@ray.example>, {ines.email}\r\nCc: {address.address}\r\nSubject: Hi"
    keep([Handed(ines.email, (address.address,), f"{head}\r\n\r\nHi\r\n".encode(), "192.0.2.1")], now=timezone.now())
    take.now(Arrived.objects.get().pk)
    page = text_of(browser.get("/crm/asked"))
    assert "Written to: Neo Ray &lt;neo@ray.example&gt; Save to CRM as new" in page
    assert "Sender of the letter" not in page


def test_whose_letter_it_is_is_said_in_one_line(browser, asking, ines):
    assert "1 letter at your secret address waits" in text_of(browser.get("/crm/activities"))
    assert "cannot be read" in text_of(browser.get("/crm/asked"))
    wrong = browser.post(f"/crm/asked/{asking.public_id}", {"change": "answer", "sender": "Amara"}, follow=True)
    assert "Write one e-mail address" in text_of(wrong)
    answer = {"change": "answer", "sender": "Amara Okafor <amara@okafor.example>"}
    page = browser.post(f"/crm/asked/{asking.public_id}", answer, follow=True)
    assert "Saved to CRM." in text_of(page) and "Forwarded by" in text_of(page)
    assert (Record.objects.get().name, Activity.objects.get().is_unverified) == ("Amara Okafor", False)
    assert "Nothing waits for you" in text_of(browser.get("/crm/asked"))


def test_what_is_not_for_crm_is_shown_for_30_days(browser, asking):
    assert browser.get(f"/crm/asked/{asking.public_id}/letter.eml").content.startswith(b"From: ")
    browser.post(f"/crm/asked/{asking.public_id}", {"change": "drop"})
    page = text_of(browser.get("/crm/asked"))
    assert "Not saved in the last 30 days" in page and "a colleague said" in page


def test_what_cannot_be_read_is_tried_again_by_a_click(browser, asking):
    Arrived.objects.filter(pk=asking.pk).update(state="unreadable", why="unreadable", tries=4)
    assert "Try again" in text_of(browser.get("/crm/asked"))
    page = browser.post(f"/crm/asked/{asking.public_id}", {"change": "again"}, follow=True)
    assert "looked at once more" in text_of(page)
    asking.refresh_from_db()
    assert (asking.state, asking.tries) == ("waiting", 0)


@pytest.mark.parametrize("harm", [Path.unlink, lambda file: file.write_bytes(b"x")], ids=["missing", "damaged"])
def test_one_whose_stored_copy_is_gone_says_so_and_waits(browser, asking, blobs_folder, harm):
    [copy] = blobs_folder.rglob(f"{asking.blob}*")
    harm(copy)
    here = f"/crm/asked/{asking.public_id}"
    assert browser.get(f"{here}/letter.eml").status_code == 404
    told = text_of(browser.post(here, {"change": "answer", "sender": "a@okafor.example"}, follow=True))
    assert "This letter cannot be read now" in told and not Activity.objects.exists()
    browser.post(here, {"change": "drop"})
    asking.refresh_from_db()
    assert asking.state == State.LEFT_OUT


def test_an_unverified_letter_is_marked_until_one_click(browser, ines):
    contact = record_of(ines, "Amara Okafor", "amara@okafor.example")
    activity = activity_at(contact, is_unverified=True, received_at=timezone.now() - timedelta(days=1))
    for url in ("/crm/activities", f"/crm/records/{contact.public_id}", f"/crm/activities/{activity.public_id}"):
        assert "nverified" in text_of(browser.get(url))
    page = browser.post(f"/crm/activities/{activity.public_id}/confirmation", follow=True)
    assert "Confirmed." in text_of(page) and "nverified" not in text_of(page)


def test_the_list_asks_a_fixed_number_of_questions(browser, asking, django_assert_num_queries, ines):
    def rows(count):
        columns = {"account": asking.account, "door": asking.door, "address": asking.address, "state": "asked"}
        Arrived.objects.bulk_create(Arrived(blob=f"{count}-{each}", size=1, **columns) for each in range(count))

    browser.get("/crm/asked")
    with django_assert_num_queries(8):
        browser.get("/crm/asked")
    rows(20)
    with django_assert_num_queries(8):
        browser.get("/crm/asked")


def test_of_a_polled_mailbox_s_private_letter_administrators_see_who_wrote_and_no_more(sign_in, account, ines, now):
    administrator = employ(account, "Maria", Role.ADMINISTRATOR)
    Sight.objects.create(account=account, role=Role.EMPLOYEE, scope="all")
    polled, _troubled = polled_with_letter(account, now)
    row = Arrived.objects.create(
        account=account, door="mailbox", address=polled.public_id, blob="0" * 64, size=9, state=State.LEFT_OUT,
        why="unknown_off", facts={"subject": "Holidays", "from_address": "bo@private.example"},
    )  # fmt: skip
    maria, hers = sign_in(administrator), f"/crm/asked/{row.public_id}"
    page = text_of(maria.get("/crm/asked"))
    assert "Holidays" in page and "The letter itself is not kept here." in page and "Save to CRM" not in page
    assert maria.get(f"{hers}/letter.eml").status_code == 404
    assert "Nothing was saved" in text_of(maria.post(hers, {"change": "answer"}, follow=True))
    assert "Holidays" not in text_of(sign_in(ines).get("/crm/asked"))
    assert sign_in(ines).post(hers, {"change": "answer"}).status_code == 404
