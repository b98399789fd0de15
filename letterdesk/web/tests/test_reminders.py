"""Reminders in the browser, by plain forms: asked for, listed with a count, told as a note, seen."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from letterdesk.tasks.create import create
from letterdesk.tasks.models import Notice, Reminder
from letterdesk.tasks.notices import tell_due
from letterdesk.tasks.reminders import remind_at

HOUR = timedelta(hours=1)


@pytest.fixture
def task(ines, now):
    return create("Call Amara", by=ines, now=now, deadline=now + 30 * HOUR)


@pytest.fixture
def told(task, ines):
    now = timezone.now()
    remind_at(task, now + timedelta(seconds=1), by=ines, now=now)
    tell_due(now=now + timedelta(seconds=1))
    return Notice.objects.get()


def badge(client, address="/settings"):
    shown = re.search(r"data-unseen( hidden)?><span data-count>(\d+)", client.get(address).content.decode())
    return 0 if shown[1] else int(shown[2])


def test_one_asks_for_it_on_the_page_of_the_task_and_takes_it_back(browser, task):
    at = f"/tasks/{task.public_id}"
    assert "1 hour before" in browser.get(at).content.decode()
    browser.post(f"{at}/reminders", {"when": "60"})
    browser.post(f"{at}/reminders", {"at": "2030-01-02T15:00"})
    assert set(Reminder.objects.values_list("minutes_before", flat=True)) == {60, None}
    page = browser.get(at).content.decode()
    assert "1 hour before" not in page
    assert "2 Jan 2030, 15:00" in page
    assert "Call Amara" in browser.get("/reminders").content.decode()
    for reminder in Reminder.objects.all():
        browser.post(f"/task-reminders/{reminder.pk}/removal", {"next": "/reminders"})
    assert "No reminders" in browser.get("/reminders").content.decode()


@pytest.mark.parametrize(
    "asked", [{"when": "99999999"}, {"when": "100000"}, {"at": "soon"}, {"at": "2000-01-01T00:00"}, {}]
)
def test_what_cannot_be_is_said(browser, task, asked):
    page = browser.post(f"/tasks/{task.public_id}/reminders", asked, follow=True).content.decode()
    assert 'class="toast error"' in page
    assert not Reminder.objects.exists()


def test_what_was_told_is_counted_on_every_page_until_it_is_seen(browser, sign_in, jonas, told):
    assert (badge(browser), badge(sign_in(jonas))) == (1, 0)
    assert "#1 <bdi>Call Amara</bdi>" in browser.get("/reminders").content.decode()
    answer = browser.post(f"/reminders/{told.pk}/seen", {"next": "/tasks"})
    assert answer["Location"] == "/tasks"
    assert badge(browser) == 0
    Notice.objects.update(seen_at=None)
    browser.post("/reminders")
    assert badge(browser) == 0


def test_the_note_is_for_the_page_that_asks_and_leads_back_to_it(browser, told):
    news = browser.get("/notifications/news?next=/mail").content.decode()
    assert "<html" not in news
    assert 'data-unseen-now="1"' in news
    assert f'action="/reminders/{told.pk}/seen"' in news
    assert 'name="next" value="/mail"' in news
    assert "evil.example" not in browser.get("/notifications/news?next=https://evil.example").content.decode()
    Notice.objects.update(at=timezone.now() - HOUR)  # told long ago: counted, and not shown again
    assert "toast" not in browser.get("/notifications/news").content.decode()


def test_how_many_are_overdue_is_said_and_leads_to_them(browser, ines, now):
    Notice.objects.create(
        account=ines.account, employee=ines, kind="overdue", key="overdue:2026-11-29", count=3, at=now
    )
    page = browser.get("/reminders").content.decode()
    assert "3 tasks of yours are overdue" in page
    assert 'href="/tasks?view=board&amp;by=deadline"' in page


def test_the_page_asks_the_same_however_much_was_told(browser, ines, task, told, now):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            browser.get("/reminders")
        return len(queries)

    few = asked()
    for number in range(9):
        other = create(f"Task {number}", by=ines, now=now)
        remind_at(other, now + HOUR, by=ines, now=now)
        Notice.objects.create(
            account=ines.account, employee=ines, task=other, kind="reminder", key=f"reminder:{number}", at=now
        )
    assert asked() == few <= 6
