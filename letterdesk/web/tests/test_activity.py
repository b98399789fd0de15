"""Letters at CRM in the browser: the page of all, each with text and files of its own (R6-R8; hard rules 7-11)."""

import re
from datetime import timedelta

import pytest
from django.core import signing
from django.utils import timezone

from letterdesk.crm.models import Activity
from letterdesk.crm.records.bin import delete
from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.retention.letters import Period
from letterdesk.web.crm.activity_storage import storage_words
from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.tests.test_records import asked, names, text_of

DAY = timedelta(days=1)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
HTML = '<p>pineapple <img src="cid:logo"> <img src="https://elsewhere.example/a.png"><script>alert(1)</script></p>'


@pytest.fixture
def contact(ines):
    return record_of(ines, "Amara Okafor", "amara@okafor.example")


@pytest.fixture
def letter(deliver):
    files = [("quote.pdf", "application/pdf", b"%PDF-1", ""), ("logo.png", "image/png", PNG, "logo")]
    return deliver(raw_letter("Offer", html=HTML, files=files))[0]


@pytest.fixture
def activity(contact, letter):
    return activity_at(contact, letter=letter)


# All of them


def test_all_within_sight_are_listed_with_their_records_newest_first(browser, sign_in, people, contact, jonas):
    now = timezone.now()
    activity_at(contact, subject="Old", received_at=now - DAY)
    activity_at(contact, record_of(jonas, "Secret Holding", kind="company"), subject="New", received_at=now)
    activity_at(contact, subject="In the bin", deleted_at=now)
    page = browser.get("/crm/activities")
    assert names(page) == ["New", "Old"]
    assert "Amara Okafor" in text_of(page) and "Secret" not in text_of(page)
    assert names(sign_in(jonas).get("/crm/activities")) == ["New"]
    assert names(sign_in(people["stranger"]).get("/crm/activities")) == []
    assert names(browser.get("/crm/bin")) == ["In the bin"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=offer+amara", ["Offer"]),
        ("q=ines%40acme", ["Order", "Offer"]),
        ("q=nobody", []),
        ("direction=out", ["Order"]),
        ("kind=deal", ["Order"]),
        ("kind=lead", []),
        ("files=yes", ["Order"]),
        ("since=2026-11-02", ["Order"]),
        ("until=2026-11-01", ["Offer"]),
        ("since=2026-11-01&until=2026-11-02", ["Order", "Offer"]),
        ("since=nonsense&until=2026-99-99", ["Order", "Offer"]),
    ],
)
def test_filter_and_search(browser, ines, contact, query, found):
    first, second = (timezone.datetime(2026, 11, day, 12, tzinfo=timezone.get_current_timezone()) for day in (1, 2))
    deal = record_of(ines, "40 seats", kind="deal")
    activity_at(contact, subject="Offer", received_at=first)
    order = {"subject": "Order", "direction": "out", "has_attachments": True, "from_name": "Ines"}
    activity_at(deal, received_at=second, **order)
    assert names(browser.get(f"/crm/activities?{query}")) == found


def test_of_one_responsible_person(sign_in, people, contact, jonas, ines):
    activity_at(contact, subject="Of Ines")
    activity_at(record_of(jonas, "Lis"), subject="Of Jonas")
    client = sign_in(people["administrator"])
    assert names(client.get(f"/crm/activities?who={ines.public_id}")) == ["Of Ines"]
    assert set(names(client.get("/crm/activities"))) == {"Of Ines", "Of Jonas"}


def test_the_list_asks_the_same_however_long_it_is(browser, contact):
    activity_at(contact)
    few = asked(browser, "/crm/activities")
    for number in range(60):
        activity_at(contact, subject=f"Letter {number}")
    assert asked(browser, "/crm/activities") == few <= 7
    page = browser.get("/crm/activities")
    older = re.search(r'href="(\?before=[^"]*)"', page.content.decode())[1]
    assert (len(names(page)), len(names(browser.get(f"/crm/activities{older}")))) == (50, 11)
    assert browser.get("/crm/activities?before=x").status_code == 302


# One of them


def test_the_letter_is_read_from_its_own_bytes_after_webmail_has_lost_it(browser, activity, letter):
    """R6, R7, R8"""
    from letterdesk.mailboxes import collect

    Activity.objects.update(received_at=timezone.now() - 31 * DAY)
    Message.objects.all().delete()
    collect.let_go_of_all(letter.account_id, collect.holder_of(letter.mailbox_id), now=timezone.now())
    collect.collect(now=timezone.now() + DAY)
    at = f"/crm/activities/{activity.public_id}"
    page = browser.get(at)
    assert "Left Webmail on" in text_of(page) and "quote.pdf" in text_of(page)
    assert "pineapple" in browser.get(f"{at}/body").content.decode()
    assert b"Subject: Offer" in browser.get(f"{at}/letter.eml").content


def test_all_who_got_it_are_named(browser, contact):
    recipients = {"to": [["Ines", "ines@acme.example"]], "cc": [["Tom", "tom@okafor.example"]]}
    activity = activity_at(contact, recipients=recipients)
    at = f"/crm/activities/{activity.public_id}"
    assert "Cc Tom &lt;tom@okafor.example&gt; Received" in text_of(browser.get(at))
    assert "Cc Tom &lt;tom@okafor.example&gt;" in text_of(browser.get(at, headers={"HX-Request": "true"}))
    Activity.objects.update(direction="out")
    assert "Cc Tom &lt;tom@okafor.example&gt; Sent" in text_of(browser.get(at))


def test_what_a_task_holds_is_not_said_to_leave(browser, activity, letter):
    """R4: the same is said here as in Webmail; the reader of CRM may know nothing of the task."""
    at = f"/crm/activities/{activity.public_id}"
    assert "Leaves Webmail on" in text_of(browser.get(at))
    Message.objects.filter(pk=letter.pk).update(is_held=True)
    assert "Kept here, and in Webmail." in text_of(browser.get(at))


def test_what_came_past_webmail_is_not_said_to_have_left_it(browser, contact):
    """R30"""
    for days in (1, 31):
        activity = activity_at(contact, received_at=timezone.now() - days * DAY)
        page = text_of(browser.get(f"/crm/activities/{activity.public_id}"))
        assert "Kept here. It is not in Webmail. " in page


def test_its_text_is_cleaned_and_framed_as_in_webmail(browser, activity):  # hard rules 7, 8
    answer = browser.get(f"/crm/activities/{activity.public_id}/body")
    page = answer.content.decode()
    assert "alert(1)" not in page and "elsewhere.example" not in page
    assert "default-src 'none'" in answer["Content-Security-Policy"] and "sandbox" in answer["Content-Security-Policy"]
    asked_for = browser.get(f"/crm/activities/{activity.public_id}").content.decode()
    key = re.search(r'\?images=([^"]*)"', asked_for)[1]
    forged = browser.get(f"/crm/activities/{activity.public_id}/body?images=once").content.decode()
    assert "/image?key=" not in forged
    shown = browser.get(f"/crm/activities/{activity.public_id}/body?images={key}").content.decode()
    assert "elsewhere.example" not in shown and f"/crm/activities/{activity.public_id}/image?key=" in shown


def test_a_picture_of_the_letter_is_shown_to_who_may_read_it_alone(browser, sign_in, activity, ines, jonas):
    page = browser.get(f"/crm/activities/{activity.public_id}/body").content.decode()
    address = re.search(r'src="(/crm/activities/[^"]*inline[^"]*)"', page)[1]
    nobody = sign_in(None)
    assert nobody.get(address)["Content-Type"] == "image/png"
    assert nobody.get(address.partition("?")[0]).status_code == 404
    forged = signing.dumps([activity.pk, 1, jonas.pk], salt="activity inline")
    assert nobody.get(f"{address.partition('?')[0]}?key={forged}").status_code == 404
    remote = signing.dumps([activity.pk, jonas.pk, "https://elsewhere.example/a.png"], salt="activity remote")
    assert nobody.get(f"/crm/activities/{activity.public_id}/image?key={remote}").status_code == 404


def test_a_file_is_handed_over_to_keep_never_to_show(browser, activity, letter):  # hard rule 9
    index = letter.attachments.get(filename="quote.pdf").index
    answer = browser.get(f"/crm/activities/{activity.public_id}/files/{index}")
    assert answer.content == b"%PDF-1"
    assert answer["Content-Disposition"].startswith("attachment")
    assert browser.get(f"/crm/activities/{activity.public_id}/files/99").status_code == 404


def test_records_that_one_may_not_see_are_a_number(browser, jonas, contact, letter):
    shared = activity_at(contact, record_of(jonas, "Secret Holding"), letter=letter)
    page = text_of(browser.get(f"/crm/activities/{shared.public_id}"))
    assert "1 record you cannot view" in page and "Secret" not in page


def test_a_letter_whose_bytes_are_missing_says_so(browser, contact):
    lost = activity_at(contact)
    assert browser.get(f"/crm/activities/{lost.public_id}").status_code == 200
    assert "is missing or damaged" in text_of(browser.get(f"/crm/activities/{lost.public_id}/body"))
    assert browser.get(f"/crm/activities/{lost.public_id}/letter.eml").status_code == 404


def test_in_the_bin_there_is_its_head_and_no_text(browser, activity):
    for days, status in ((1, 200), (31, 404)):
        Activity.objects.update(deleted_at=timezone.now() - days * DAY)
        assert browser.get(f"/crm/activities/{activity.public_id}").status_code == status
        assert browser.get(f"/crm/activities/{activity.public_id}/body").status_code == 404


@pytest.mark.parametrize(
    ("days", "age", "is_there", "said"),
    [
        (30, 1, True, "Leaves Webmail on"),
        (30, 31, False, "Left Webmail on"),
        (30, 1, False, "not in Webmail any more"),
        (None, 400, True, "and in Webmail"),
        (0, 1, False, "There is no Webmail in yours"),
    ],
)
def test_what_is_said_of_a_letter_follows_the_clock(days, age, is_there, said):
    """R7"""
    now = timezone.now()
    assert said in storage_words(now - age * DAY, Period(days), now, is_there=is_there)


def test_a_record_in_the_bin_is_not_told_as_one_that_is_hidden(browser, contact, ines):
    twin = record_of(ines, "Amara O.")
    activity = activity_at(contact, twin)
    delete(twin, by=ines, now=timezone.now())
    page = text_of(browser.get(f"/crm/activities/{activity.public_id}"))
    assert "cannot view" not in page and "Amara O." not in page
