"""What a tracked letter fetches and leads to, for whoever has it; and what its people are told of it."""

import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from letterdesk.accounts.models import Account, Employee, Role
from letterdesk.crm.models import Activity
from letterdesk.crm.tests.seeding import activity_at, record_of
from letterdesk.events.models import Event
from letterdesk.mailboxes.models import Message
from letterdesk.outbound import tracking
from letterdesk.outbound.links_off import switch_links
from letterdesk.outbound.models import Draft, Fetch, TrackedLetter, TrackedLink, Tracking
from letterdesk.outbound.tracked_address import link_address, picture_address
from letterdesk.web.tests.conftest import raw_letter
from letterdesk.web.tests.test_records import text_of
from letterdesk.web.writing.tracked import DOT

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0"
URL = "https://acme.example/offer?a=1&b=ü"
DAY = timedelta(days=1)


@pytest.fixture
def counting(account):
    return Tracking.objects.create(account=account, is_on=True)


@pytest.fixture
def contact(ines):
    return record_of(ines, "Amara Okafor", "amara@okafor.example")


@pytest.fixture
def activity(contact, ines):
    found = activity_at(contact, direction="out", subject="Offer")
    Activity.objects.filter(pk=found.pk).update(recipients={"to": [["", "a@x.example"], ["", "b@x.example"]]})
    return Activity.objects.get(pk=found.pk)


@pytest.fixture
def letter(account, ines, activity, counting):
    made = TrackedLetter.objects.create(
        account=account, holder=activity.holder, by=ines, about="contact:x", left_at=timezone.now() - DAY
    )
    TrackedLink.objects.create(account=account, letter=made, position=1, address=URL)
    return made


@pytest.fixture
def reader():
    return Client(HTTP_HOST="127.0.0.1", HTTP_USER_AGENT=FIREFOX)


def path_of(address, settings):
    return address.removeprefix(settings.BASE_URL)


@pytest.fixture
def picture(letter, settings):
    return path_of(picture_address(letter.public_id), settings)


@pytest.fixture
def link(letter, settings):
    return path_of(link_address(letter.public_id, 1, URL), settings)


def fetches():
    return list(Fetch.objects.order_by("pk").values_list("link", "machine"))


def test_a_link_leads_on_although_nothing_can_be_written_down(reader, link, picture, monkeypatch):
    def fail(*_given, **_named):
        raise OperationalError("database is locked")

    monkeypatch.setattr("letterdesk.outbound.tracking.spend", fail)
    assert reader.get(link).status_code == 302
    assert reader.get(picture).content == DOT
    assert fetches() == []


@pytest.mark.django_db(transaction=True)
def test_a_link_waits_for_nobody_who_writes(reader, link, picture):
    def seconds_while(path):
        began = time.monotonic()
        assert reader.get(path).status_code in {200, 302}
        return time.monotonic() - began

    busy = connection.copy()
    try:
        hold = "BEGIN IMMEDIATE" if busy.vendor == "sqlite" else "BEGIN; LOCK TABLE outbound_fetch"
        busy.cursor().execute(hold)
        assert max(seconds_while(link), seconds_while(picture)) < 5
    finally:
        busy.close()
    assert fetches() == []
    reader.get(link)
    assert fetches() == [(1, "")]  # as patient as before


@pytest.mark.parametrize("table", ["outbound_trackedlink", "outbound_trackedletter", "outbound_fetch"])
def test_a_link_leads_on_whatever_cannot_be_looked_up(reader, link, table):
    def fail(execute, sql, *given):
        if table in sql:
            raise OperationalError("disk I/O error")
        return execute(sql, *given)

    with connection.execute_wrapper(fail):
        assert reader.get(link).status_code == 302


def test_a_flood_is_answered_and_writes_nothing(reader, picture, monkeypatch):
    monkeypatch.setattr(tracking, "MOST_PER_HOUR", 2)
    for _ in range(3):
        reader.get(picture)
    assert len(fetches()) == 2
    with CaptureQueriesContext(connection) as asked:
        assert reader.get(picture).content == DOT
    assert all(each["sql"].startswith("SELECT") for each in asked)


def test_whoever_has_the_letter_gets_the_picture_and_nothing_else(reader, picture):
    answer = reader.get(picture)
    assert answer.content == DOT and answer["Content-Type"] == "image/gif"
    assert "no-store" in answer["Cache-Control"] and "Set-Cookie" not in answer and not answer.cookies
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert fetches() == [(0, "")]


def test_a_link_leads_where_it_led(reader, link):
    answer = reader.get(link)
    assert answer.status_code == 302 and answer["Location"] == "https://acme.example/offer?a=1&b=%C3%BC"
    assert "no-store" in answer["Cache-Control"] and answer["Referrer-Policy"] == "no-referrer" and not answer.cookies
    assert fetches() == [(1, "")]


def test_a_look_that_fetches_nothing_counts_nothing(reader, picture, link):
    assert reader.head(picture).status_code == 200 and reader.head(link).status_code == 302
    assert reader.post(link).status_code == reader.options(picture).status_code == 405
    assert fetches() == []


def test_a_machine_is_named_and_nothing_of_it_is_kept(reader, picture):
    reader.get(picture, headers={"user-agent": "Mozilla/5.0 (via ggpht.com GoogleImageProxy)"})
    reader.get(picture, headers={"sec-purpose": "prefetch"})
    assert fetches() == [(0, "gmail"), (0, "ahead")]
    columns = {field.name for field in Fetch._meta.get_fields()}
    assert columns == {"id", "account", "letter", "link", "machine", "at"}


@pytest.mark.parametrize("name", ["ines", "jonas"])
def test_our_own_people_are_not_counted(name, sign_in, request, picture, link):
    browser = sign_in(request.getfixturevalue(name))
    assert browser.get(picture).status_code == 200 and browser.get(link).status_code == 302
    assert fetches() == []


def test_people_of_another_company_are_readers(sign_in, stranger, picture):
    sign_in(stranger).get(picture, headers={"user-agent": FIREFOX})
    assert fetches() == [(0, "")]


def test_links_go_on_where_nothing_is_counted(reader, picture, link, counting, letter):
    Tracking.objects.update(is_on=False)
    assert reader.get(link).status_code == 302 and reader.get(picture).content == DOT
    assert fetches() == []
    letter.delete()
    assert reader.get(link)["Location"].startswith("https://acme.example/") and reader.get(picture).content == DOT


def test_an_operator_switches_off_where_links_lead_at_once_and_for_good(reader, account, letter, settings):
    """Whatever was deleted, and after the account's purge; the page does not say where it led."""
    name = letter.public_id + account.public_id
    now = timezone.now()
    new, old = (path_of(link_address(each, 1, URL), settings) for each in (name, letter.public_id))
    assert reader.get(new).status_code == reader.get(old).status_code == 302
    Fetch.objects.all().delete()
    assert switch_links(account, off=True, operator="boss", now=now)
    assert not switch_links(account, off=True, operator="boss", now=now)
    for address in (new, old):
        answer = reader.get(address)
        assert answer.status_code == 410 and "Location" not in answer and not answer.cookies
        assert "This link was switched off" in text_of(answer) and "acme" not in answer.content.decode()
        assert answer["X-Robots-Tag"] == "noindex, nofollow" and "no-store" in answer["Cache-Control"]
    picture = path_of(picture_address(name), settings)
    assert reader.get(picture).content == DOT and fetches() == [] and not tracking.is_on(account.pk)
    letter.delete()
    Account.objects.filter(pk=account.pk).update(purged_at=now)
    assert reader.get(new).status_code == 410
    assert switch_links(account, off=False, operator="boss", now=now) and reader.get(new).status_code == 302
    told = Event.objects.filter(kind="links.switched").order_by("pk")
    assert [each.facts for each in told] == [{"is_on": 0, "operator": "boss"}, {"is_on": 1, "operator": "boss"}]


def test_links_of_others_go_on(reader, link, stranger):
    switch_links(stranger.account, off=True, operator="boss", now=timezone.now())
    assert reader.get(link).status_code == 302


def test_what_we_did_not_make_leads_nowhere(reader, letter, settings, picture, link, account):
    other = TrackedLetter.objects.create(account=account, about="deal:x")
    wrong = [
        link.replace(letter.public_id, other.public_id),
        picture.replace(letter.public_id, other.public_id),
        link.replace("/1-", "/2-"),
        link[:-1],
        path_of(link_address(letter.public_id, 2, URL), settings),  # signed, and not in this letter
        path_of(link_address(letter.public_id, 1, "https://evil.example/"), settings),
        path_of(link_address(letter.public_id, 1, "javascript:alert(1)"), settings),
        path_of(link_address(letter.public_id, 1, "https://a.example/\r\nSet-Cookie: a=b"), settings),
        f"/t/{letter.public_id}/{'a' * 24}.gif",
        f"/t/{letter.public_id}/x/y",
    ]
    assert {address: reader.get(address).status_code for address in wrong} == dict.fromkeys(wrong, 404)
    assert fetches() == []


def test_how_much_is_asked_of_the_database(reader, link, picture, django_assert_num_queries):
    reader.get(link)
    with django_assert_num_queries(6):  # the letter, the link, the setting, the pace twice, the mark
        reader.get(link)
    with django_assert_num_queries(5):
        reader.get(picture)


def test_people_here_read_what_a_provider_filed_as_it_was_written(browser, deliver, contact, letter, settings):
    """In its conversation, in an answer that quotes it, at its record; the links lead where they led."""
    ours, picture = link_address(letter.public_id, 1, URL), picture_address(letter.public_id)
    html = f'<p><a href="{ours}">Our offer</a></p><img src="{picture}">'
    [message] = deliver(raw_letter(html=html))
    activity = activity_at(contact, letter=message)
    for address in (f"/messages/{message.public_id}/body", f"/crm/activities/{activity.public_id}/body"):
        page = browser.get(address).content.decode()
        assert letter.public_id not in page and 'href="https://acme.example/offer?a=1&amp;b=' in page
    assert fetches() == []


def test_our_own_picture_is_never_fetched_for_a_reader_here(browser, deliver, letter, settings):
    """Not for readers of another account either, nor of a letter that is forgotten."""
    from letterdesk.web.tests.test_images import addresses, once, text

    settings.IMAGE_NETWORKS = ["127.0.0.0/8"]
    [message] = deliver(raw_letter(html=f'<p>x</p><img src="{picture_address("a" * 16)}">'))
    [address] = addresses(text(browser, message, images=once(browser, message)))
    assert browser.get(address).content == DOT and fetches() == []


# What is told


def count(letter, *, opens=0, machines=None, clicks=0):
    now = timezone.now()
    TrackedLetter.objects.filter(pk=letter.pk).update(opens=opens, opened_at=now, machines=machines or {})
    letter.links.update(clicks=clicks, clicked_at=now, by_machines=clicks)


def test_the_timeline_tells_how_often_people_and_machines_opened_it(browser, contact, activity, letter):
    page = text_of(browser.get(f"/crm/activities/{activity.public_id}"))
    assert "Nobody has opened it yet" in page
    count(letter, opens=2, machines={"gmail": 2, "apple": 1}, clicks=1)
    page = text_of(browser.get(f"/crm/activities/{activity.public_id}"))
    assert "Opened by a person 2 times, last" in page
    assert "Opened by machines 3 times: Gmail’s picture proxy (2), Apple Mail’s privacy protection (1)" in page
    assert "by a person once," in page and "by a machine once" in page
    assert "It went to 2 people: nobody can tell which of them it was." in page
    assert "link followed" in text_of(browser.get(f"/crm/records/{contact.public_id}"))


def test_the_conversation_tells_it_too(browser, contact, account, deliver, counting):
    [message] = deliver(raw_letter("Offer", sender="Ines <ines@acme.example>"))
    Message.objects.update(in_crm=True)
    activity = activity_at(contact, letter=message, direction="out")
    tracked = TrackedLetter.objects.create(account=account, holder=activity.holder, about="contact:x")
    count(tracked, opens=1)
    page = text_of(browser.get(f"/mail/{folder_id_of(message)}/{message.conversation.public_id}"))
    assert "Opened by a person once," in page


def folder_id_of(message):
    return message.placements.get().folder.public_id


def test_the_timeline_asks_the_same_however_many_are_tracked(
    browser, contact, activity, letter, account, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as first:
        browser.get(f"/crm/records/{contact.public_id}")
    for number in range(3):
        other = activity_at(contact, direction="out", subject=f"Offer {number}")
        TrackedLetter.objects.create(account=account, holder=other.holder, about="contact:x")
    with django_assert_num_queries(len(first)):
        browser.get(f"/crm/records/{contact.public_id}")


def test_who_does_not_see_the_record_reads_no_numbers(sign_in, jonas, stranger, activity, letter):
    for other in (jonas, stranger):
        assert sign_in(other).get(f"/crm/activities/{activity.public_id}").status_code == 404


# The choice


@pytest.fixture
def draft(ines, mailbox, contact):
    mailbox.smtp_host = "smtp.acme.example"
    mailbox.save(update_fields=["smtp_host"])
    from letterdesk.crm.writing import write

    return write.begin(contact, by=ines, now=timezone.now())


def test_the_choice_is_there_where_the_account_allows_it(browser, draft, counting):
    assert b'name="is_tracked"' in browser.get(f"/drafts/{draft.public_id}").content
    Tracking.objects.update(is_on=False)
    assert b'name="is_tracked"' not in browser.get(f"/drafts/{draft.public_id}").content


def test_the_choice_is_kept_with_the_draft_and_remembered_once_it_is_sent(browser, draft, counting, contact, ines):
    address = f"/drafts/{draft.public_id}"
    form = {"seen": "1", "to": "amara@okafor.example", "subject": "x", "text": "x", "tracking": "asked"}
    browser.post(address, {**form, "is_tracked": "yes"})
    assert Draft.objects.get().is_tracked
    browser.post(address, {"seen": "2", "subject": "y"})  # a form without the question
    assert Draft.objects.get().is_tracked
    browser.post(f"{address}/sending", {**form, "seen": "3", "is_tracked": "yes", "sure": "yes"})
    assert Employee.objects.get(pk=ines.pk).preferences["track"] == "yes"
    browser.post(f"/crm/records/{contact.public_id}/letters")
    again = Draft.objects.order_by("pk").last()
    assert again.is_tracked
    browser.post(f"/drafts/{again.public_id}/sending", {**form, "seen": str(again.version), "sure": "yes"})
    assert "track" not in Employee.objects.get(pk=ines.pk).preferences


def test_the_outbox_marks_a_letter_whose_opens_and_clicks_are_counted(browser, draft, counting):
    form = {"seen": "1", "to": "amara@okafor.example", "subject": "x", "format": "html", "html": "<p>Hello</p>"}
    ticked = {"tracking": "asked", "is_tracked": "yes", "sure": "yes"}
    browser.post(f"/drafts/{draft.public_id}/sending", form | ticked)
    assert "opens and clicks are counted" in text_of(browser.get("/outbox"))
    Tracking.objects.update(is_on=False)
    assert "opens and clicks are counted" not in text_of(browser.get("/outbox"))


def test_administrators_switch_it_and_others_read_how_it_is(browser, sign_in, people, account):
    administrator = people["administrator"]
    assert administrator.role == Role.ADMINISTRATOR
    page = text_of(browser.get(reverse("crm_settings")))
    assert "Never counted" in page
    boss = sign_in(administrator)
    assert boss.post(reverse("crm_tracking"), {"track": "yes"}).status_code == 302 and tracking.is_on(account.pk)
    assert boss.post(reverse("crm_tracking"), {"track": "x"}).status_code == 404
    assert "Counted in letters whose writer wants it" in text_of(browser.get(reverse("crm_settings")))
