"""The list of a folder."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from letterdesk.web.tests.conftest import raw_letter


def subjects(answer):
    return re.findall(r"<bdi>([^<]*)</bdi></a></span>", answer.content.decode())


def test_shows_conversations_newest_first(browser, inbox, deliver, now):
    deliver(raw_letter("Old"), at=now - timedelta(days=2))
    deliver(raw_letter("New"), at=now - timedelta(days=1))
    assert subjects(browser.get(f"/mail/{inbox.public_id}")) == ["New", "Old"]


def test_says_what_is_unread_in_words_too(browser, inbox, deliver):
    deliver(raw_letter("Seen"), flags=["\\Seen"])
    deliver(raw_letter("Unseen"))
    page = browser.get(f"/mail/{inbox.public_id}").content.decode()
    assert page.count("Unread:") == 1
    assert re.search(r'<span class="num">1<span class="sr"> unread</span></span>', page)


def test_filters_unread_and_starred(browser, inbox, deliver):
    deliver(raw_letter("Seen"), flags=["\\Seen"])
    deliver(raw_letter("Unseen"))
    deliver(raw_letter("Star"), flags=["\\Seen", "\\Flagged"])
    assert subjects(browser.get(f"/mail/{inbox.public_id}?show=unread")) == ["Unseen"]
    assert subjects(browser.get(f"/mail/{inbox.public_id}?show=starred")) == ["Star"]
    assert len(subjects(browser.get(f"/mail/{inbox.public_id}?show=nonsense"))) == 3


def test_load_more_goes_on_without_gaps_and_without_javascript(browser, inbox, deliver, now):
    deliver(*(raw_letter(f"Letter {number:03}") for number in range(120)))
    found, address = [], f"/mail/{inbox.public_id}"
    while address:
        page = browser.get(address)
        found += subjects(page)
        following = re.search(r'<a class="btn" href="([^"]*before=[^"]*)"', page.content.decode())
        address = following and following[1].replace("&amp;", "&")
    assert len(found) == len(set(found)) == 120


def test_load_more_hands_htmx_the_next_rows_alone(browser, inbox, deliver):
    deliver(*(raw_letter(f"Letter {number:03}") for number in range(60)))
    page = browser.get(f"/mail/{inbox.public_id}").content.decode()
    address = re.search(r'hx-get="([^"]*before=[^"]*)"', page)[1].replace("&amp;", "&")
    part = browser.get(address, headers={"HX-Request": "true"}).content.decode()
    assert part.count("<li ") == 10
    assert "<html" not in part


def test_a_page_that_refreshes_itself_is_told_the_rows_that_it_shows_and_whether_more_follow(browser, inbox, deliver):
    deliver(*(raw_letter(f"Letter {number:03}") for number in range(70)))
    for shown, told, goes_on in [("1", 50, True), ("60", 60, True), ("70", 70, False), ("9999", 70, False),
                                 ("99999", 50, True), ("-70", 50, True), ("\xb2", 50, True)]:  # fmt: skip
        part = browser.get(f"/mail/{inbox.public_id}", headers={"X-Live": shown})
        assert (len(subjects(part)), b"Load more" in part.content) == (told, goes_on), shown


def test_a_made_up_place_in_the_list_is_not_found(browser, inbox):
    assert browser.get(f"/mail/{inbox.public_id}?before=1;drop").status_code == 404


def test_takes_at_most_nine_queries(browser, inbox, deliver, archive, trash):
    deliver(*(raw_letter(f"Letter {number:03}") for number in range(60)))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert browser.get(f"/mail/{inbox.public_id}").status_code == 200
    assert len(asked) <= 9


def test_names_with_markup_are_text(browser, inbox, deliver):
    """C05"""
    deliver(raw_letter("<script>alert(1)</script>", sender='"<img src=x onerror=alert(1)>" <a@b.example>'))
    inbox.name = "<b>inbox</b>"
    inbox.role = ""
    inbox.save()
    page = browser.get(f"/mail/{inbox.public_id}").content.decode()
    assert "<script>alert" not in page and "<img src=x" not in page and "<b>inbox" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_what_has_left_webmail_is_not_shown_whatever_the_sweep_does(browser, inbox, deliver, now):
    """R20"""
    from letterdesk.mailboxes.models import Message

    letter = deliver(raw_letter("Gone"), at=now - timedelta(days=29))[0]
    assert subjects(browser.get(f"/mail/{inbox.public_id}")) == ["Gone"]
    address = f"/messages/{letter.public_id}/body"
    assert browser.get(address).status_code == 200
    past = now - timedelta(days=31)
    Message.objects.filter(pk=letter.pk).update(received_at=past)
    letter.placements.update(received_at=past)
    letter.conversation.listings.update(newest_at=past)
    assert subjects(browser.get(f"/mail/{inbox.public_id}")) == []
    assert browser.get(address).status_code == 404


def test_a_mailbox_that_fails_says_since_when_and_what_to_do(browser, mailbox, inbox, now):
    mailbox.state, mailbox.error_code, mailbox.error_since = "failing", "auth_failed", now
    mailbox.error_text = "The server said that the user name or password is wrong."
    mailbox.save()
    page = browser.get(f"/mail/{inbox.public_id}").content.decode()
    assert "Not synced since" in page and "password is wrong" in page and "Mailbox settings" in page


@pytest.mark.parametrize("plan", ["free", "project"])
def test_where_there_is_no_webmail_the_refusal_leads_to_the_plans(browser, inbox, account, plan):
    """R2, R3"""
    account.subscription.plan = plan
    account.subscription.save()
    answer = browser.get(f"/mail/{inbox.public_id}")
    assert answer.status_code == 403
    assert "not in your plan" in answer.content.decode() and 'href="/plans"' in answer.content.decode()


def test_times_are_those_of_the_reader(browser, inbox, deliver, ines, now):
    ines.time_zone = "Asia/Tokyo"
    ines.save()
    deliver(raw_letter(), at=now - timedelta(days=1))
    from zoneinfo import ZoneInfo

    local = (now - timedelta(days=1)).astimezone(ZoneInfo("Asia/Tokyo"))
    assert f"{local:%H:%M}" in browser.get(f"/mail/{inbox.public_id}").content.decode()
