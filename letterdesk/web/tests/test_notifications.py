"""The bell, its list, and how one is told, in the browser by plain forms."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from letterdesk.events.dispatch import dispatch
from letterdesk.mailboxes.models import Grant
from letterdesk.notifications.digest import link
from letterdesk.notifications.models import Level, MailboxTelling, Notification, PushBrowser, Telling
from letterdesk.notifications.tests.conftest import service  # noqa: F401  a fixture
from letterdesk.tasks.change import comment
from letterdesk.tasks.create import create
from letterdesk.team.sharing import share, take_back
from letterdesk.web.tests.conftest import raw_letter
from tests.rig.pushing import Receiver

USUAL = {"digest": "", "digest_hour": "8", "quiet_from": "", "quiet_until": ""}


@pytest.fixture
def told(deliver):
    """One new letter, told."""
    letter = deliver(raw_letter("Offer <b>"))[0]
    dispatch(timezone.now())
    return letter


def badge(client):
    shown = re.search(r"data-unseen( hidden)?><span data-count>(\d+)", client.get("/settings").content.decode())
    return 0 if shown[1] else int(shown[2])


def test_the_bell_counts_lists_and_leads_there(browser, ines, inbox, told):
    assert badge(browser) == 1
    page = browser.get("/notifications").content.decode()
    assert '<bdi class="meta">Amara: Offer &lt;b&gt;</bdi>' in page
    line = Notification.objects.get()
    assert f'href="/notifications/{line.pk}"' in page
    there = browser.get(f"/notifications/{line.pk}")["Location"]
    assert there == f"/mail/{inbox.public_id}/{told.conversation.public_id}"
    assert badge(browser) == 0
    Notification.objects.update(seen_at=None)
    assert browser.post(f"/notifications/{line.pk}/seen", {"next": "/tasks"})["Location"] == "/tasks"
    assert badge(browser) == 0


def test_reading_the_letter_is_seeing_the_line(browser, told):
    browser.post(f"/conversations/{told.conversation.public_id}/seen", {"letters": told.public_id})
    assert badge(browser) == 0


def test_all_are_seen_at_once_those_of_tasks_as_well(browser, ines, jonas, sign_in, told, now):
    task = create("Call", by=jonas, responsible=ines, now=now)
    comment(task, "Today, please", by=jonas, now=now)
    dispatch(timezone.now())
    page = browser.get("/notifications").content.decode()
    assert "Jonas gave you a task" in page and "Jonas wrote in a task" in page and "#1 Call" in page
    assert badge(browser) == 3 and badge(sign_in(jonas)) == 0
    browser.post("/notifications")
    assert badge(browser) == 0


def test_new_letters_are_counted_and_other_things_said(browser, ines, jonas, told, now):
    assert 'class="toast"' not in browser.get("/notifications/news").content.decode()
    create("Call", by=jonas, responsible=ines, now=now)
    dispatch(timezone.now())
    news = browser.get("/notifications/news?next=/mail&here=yes").content.decode()
    assert 'data-unseen-now="2"' in news and "Jonas gave you a task" in news


def test_who_lost_the_mailbox_finds_no_line_of_it(sign_in, people, mailbox, deliver):
    reader = people["reader"]
    MailboxTelling.objects.create(account=reader.account, employee=reader, mailbox=mailbox, level=Level.ALL)
    deliver(raw_letter("Secret"))
    dispatch(timezone.now())
    client = sign_in(reader)
    assert "Secret" in client.get("/notifications").content.decode()
    Grant.objects.all().delete()
    assert "Secret" not in client.get("/notifications").content.decode()
    line = Notification.objects.get(employee=reader)
    assert client.post(f"/notifications/{line.pk}/seen").status_code == 404


def test_the_list_asks_the_same_however_much_was_told(browser, ines, jonas, deliver, told, now):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            browser.get("/notifications")
        return len(queries)

    few = asked()
    for number in range(9):
        comment(create(f"Task {number}", by=ines, now=now), "x", by=jonas, now=now)
    dispatch(timezone.now())
    for letter in deliver(*(raw_letter(f"Letter {number}") for number in range(5))):
        Notification.objects.create(account=ines.account, employee=ines, kind="answer", about=letter.public_id, at=now,
                                    mailbox=letter.mailbox, conversation=letter.conversation)  # fmt: skip
    assert asked() == few <= 13  # one asks whether anything waits, three judge by the clock what the bell counts (R20)


def test_the_wishes_are_kept(browser, ines, mailbox):
    level = f"level-{mailbox.public_id}"
    page = browser.get("/settings/notifications").content.decode()
    assert '<option value="all" selected>' in page
    wanted = {"digest": "daily", "digest_hour": "9", "quiet_from": "22:00", "quiet_until": "07:00", level: "none",
              "hides_content": "on"}  # fmt: skip
    assert browser.post("/settings/notifications", wanted).status_code == 302
    page = browser.get("/settings/notifications").content.decode()
    assert '<option value="none" selected>' in page and 'value="22:00"' in page
    kept = Telling.objects.get()
    assert kept.hides_content and not kept.tells_bulk and kept.digest_due_at is not None
    browser.post("/settings/notifications", {**USUAL, level: "all"})
    assert not MailboxTelling.objects.exists()  # what is usual is not kept


@pytest.mark.parametrize(
    "wrong", [{"quiet_from": "22:00"}, {"quiet_from": "soon"}, {"digest": "yearly"}, {"digest_hour": "25"}]
)
def test_what_cannot_be_is_said_and_nothing_is_kept(browser, ines, wrong):
    assert browser.post("/settings/notifications", {**USUAL, **wrong}).status_code == 422
    assert not Telling.objects.exclude(digest="", quiet_from=None).exists()


def test_the_level_of_a_foreign_mailbox_is_not_to_be_chosen(sign_in, stranger, mailbox):
    sign_in(stranger).post("/settings/notifications", {**USUAL, f"level-{mailbox.public_id}": "all"})
    assert not MailboxTelling.objects.exists()


def test_a_mail_program_ends_the_digest_without_a_session(ines, browser):
    browser.post("/settings/notifications", {**USUAL, "digest": "daily"})
    outside = Client(HTTP_HOST="127.0.0.1", enforce_csrf_checks=True)
    address = link(ines).partition("/digest/")[2]
    assert outside.get(f"/digest/{address}").status_code == 200
    assert Telling.objects.get().digest == "daily"  # whoever follows links ahead ends nothing
    assert outside.post(f"/digest/{address}", {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert Telling.objects.get().digest == ""
    assert outside.post(f"/digest/{address[:-2]}").status_code == 404


def test_a_browser_subscribes_is_tested_and_leaves(
    browser,
    ines,
    service,  # noqa: F811
    settings,
    django_capture_on_commit_callbacks,
):
    settings.JOBS_URL = "memory://"
    receiver = Receiver()
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    browser.post("/settings/notifications/browsers", receiver.form(service.address()), headers=agent)
    assert "Firefox on Linux" in browser.get("/settings/notifications").content.decode()
    with django_capture_on_commit_callbacks(execute=True):  # a job sends it: no page waits for a push service
        page = browser.post("/settings/notifications/test", follow=True).content.decode()
        assert service.got == []
    assert "A test is on its way." in page
    assert b"This is a test" in receiver.read(service.got[0].body)
    browser.post("/settings/notifications/pause", {"hours": "8"})
    assert Telling.objects.get().paused_until > timezone.now() + timedelta(hours=7)
    browser.post(f"/settings/notifications/browsers/{PushBrowser.objects.get().pk}/removal")
    assert not PushBrowser.objects.exists()
    assert service.address() not in page  # the address of a browser is a secret
    page = browser.post("/settings/notifications/test", follow=True).content.decode()
    assert "You are signed in in none of these browsers" in page


def test_the_worker_in_the_browser_fetches_nothing_and_is_ours(browser):
    answer = browser.get("/static/web/js/push-worker.js")
    assert answer.status_code == 200
    assert "connect-src" in answer["Content-Security-Policy"]
    assert b"fetch(" not in answer.content


def test_a_guest_is_led_to_the_one_conversation_and_has_seen_its_lines_there(sign_in, ines, jonas, told, now):
    share(told.conversation, to=jonas, by=ines, now=now)
    dispatch(timezone.now())
    client = sign_in(jonas)
    assert badge(client) == 1 and "Ines showed you a conversation" in client.get("/notifications").content.decode()
    line = Notification.objects.get(employee=jonas)
    assert client.get(f"/notifications/{line.pk}")["Location"] == f"/shared/{told.conversation.public_id}"
    Notification.objects.update(seen_at=None)
    client.get(f"/shared/{told.conversation.public_id}")
    assert badge(client) == 0
    take_back(told.conversation, of=jonas, by=ines)
    assert client.get(f"/notifications/{line.pk}").status_code == 404
    assert sign_in(ines).get(f"/notifications/{line.pk}").status_code == 404
