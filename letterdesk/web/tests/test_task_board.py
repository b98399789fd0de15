"""The board and the calendar, by plain forms: what stands where, and what a move does when a colleague was quicker."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from letterdesk.tasks.change import change_status
from letterdesk.tasks.create import create
from letterdesk.tasks.models import Task

QUIET = {"headers": {"HX-Request": "true"}}


@pytest.fixture
def make(ines, now):
    def made(title="Renew contract", *letters, by=ines, **fields):
        return create(title, by=by, now=now, letters=letters, **fields)

    return made


def columns(answer):
    """Heading → titles of the cards."""
    sections = re.findall(r'<section class="column.*?</section>', answer.content.decode(), re.S)
    return {
        re.search(r"<h2[^>]*>(.*?) <span", each)[1]: re.findall(r"<bdi>([^<]*)</bdi></a>", each) for each in sections
    }


def days(answer):
    """Day → titles, in the calendar; "" holds those without a date."""
    parts = re.split(r'data-put="day" data-value="([0-9-]*)"', answer.content.decode())[1:]
    found = {day: re.findall(r"<bdi>([^<]*)</bdi>", part) for day, part in zip(parts[::2], parts[1::2], strict=True)}
    return {day: titles for day, titles in found.items() if titles}


def test_a_column_for_each_status_and_what_was_done_lately(browser, make, ines, now):
    make("Waits")
    change_status(make("Runs"), "doing", by=ines, now=now)
    change_status(make("Over"), "done", by=ines, now=now)
    assert columns(browser.get("/tasks?view=board")) == {"To do": ["Waits"], "In progress": ["Runs"], "Done": ["Over"]}


def test_a_column_for_how_far_away_the_deadline_is(browser, make):
    now = timezone.now()
    for title, deadline in (("Old", now - timedelta(days=3)), ("Far", now + timedelta(days=30)), ("Some day", None)):
        make(title, deadline=deadline)
    found = columns(browser.get("/tasks?view=board&by=deadline"))
    assert list(found) == ["Overdue", "Today", "This week", "Later", "No date"]
    assert (found["Overdue"], found["Later"], found["No date"]) == (["Old"], ["Far"], ["Some day"])


@pytest.mark.parametrize("view", ["list", "board", "calendar"])
def test_all_views_share_the_filter(sign_in, people, make, ines, jonas, view):
    make("Call Amara", responsible=jonas)
    make("Call Tom")
    client = sign_in(ines)

    def shown(query):
        page = client.get(f"/tasks?view={view}&{query}").content.decode()
        return {title for title in ("Call Amara", "Call Tom") if f"<bdi>{title}</bdi>" in page}

    assert shown("") == shown("q=call") == {"Call Amara", "Call Tom"}
    assert shown("q=amara") == shown(f"person={jonas.public_id}") == {"Call Amara"}
    client = sign_in(people["administrator"])
    assert shown("") == set()
    assert shown("of=all") == {"Call Amara", "Call Tom"}
    assert shown(f"of=all&person={people['stranger'].public_id}") == {"Call Amara", "Call Tom"}  # nobody here


def test_a_move_by_the_menu_of_a_card(browser, make):
    task = make()
    page = browser.get("/tasks?view=board").content.decode()
    assert f'action="/tasks/{task.public_id}/status"' in page
    answer = browser.post(
        f"/tasks/{task.public_id}/status", {"status": "doing", "seen": "todo", "next": "/tasks?view=board"}
    )
    assert answer["Location"] == "/tasks?view=board"
    task.refresh_from_db()
    assert task.status == "doing"


def test_where_a_colleague_was_quicker_the_task_stays_where_they_put_it(browser, make, jonas, now):
    task = make(participants=[jonas])
    change_status(task, "doing", by=jonas, now=now)
    at = f"/tasks/{task.public_id}"
    refused = browser.post(f"{at}/status", {"status": "done", "seen": "todo"}, **QUIET)
    assert refused.status_code == 409
    assert "stays where they put it" in refused.content.decode()
    assert "<html" not in refused.content.decode()
    task.refresh_from_db()
    assert task.status == "doing"
    assert browser.post(f"{at}/status", {"status": "done", "seen": "doing"}, **QUIET).status_code == 204
    page = browser.post(f"{at}/status", {"status": "todo", "seen": "doing"}, follow=True)  # without a script
    assert "stays where they put it" in page.content.decode()


def test_a_task_goes_to_another_day_and_to_none_but_not_over_a_colleagues_choice(browser, make):
    at_nine = datetime(2030, 3, 5, 9, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    task = make(deadline=at_nine)
    address = f"/tasks/{task.public_id}/deadline"
    page = browser.get("/tasks?view=calendar&day=2030-03-01").content.decode()
    seen = re.search(r'data-seen="([^"]+)"', page)[1]
    assert browser.post(address, {"day": "2030-03-08", "seen": seen}, **QUIET).status_code == 204
    task.refresh_from_db()
    assert task.deadline.date().isoformat() == "2030-03-08"
    assert browser.post(address, {"day": "2030-03-09", "seen": seen}, **QUIET).status_code == 409
    assert browser.post(address, {"day": "someday"}, **QUIET).status_code == 409
    assert browser.post(address, {"day": ""}, **QUIET).status_code == 204
    task.refresh_from_db()
    assert task.deadline is None


def test_the_calendar_shows_days_of_the_readers_zone(browser, ines, make):
    ines.time_zone = "Asia/Tokyo"
    ines.save(update_fields=["time_zone"])
    make("Late", deadline=datetime(2030, 3, 5, 20, 0, tzinfo=ZoneInfo("UTC")))
    make("Undated")
    assert days(browser.get("/tasks?view=calendar&day=2030-03-20")) == {"2030-03-06": ["Late"], "": ["Undated"]}
    assert days(browser.get("/tasks?view=calendar&by=week&day=2030-03-04")) == {"2030-03-06": ["Late"], "": ["Undated"]}
    assert days(browser.get("/tasks?view=calendar&day=2030-05-01")) == {"": ["Undated"]}


def test_a_full_day_of_a_month_leads_to_its_week_which_shows_all(browser, make):
    for number in range(6):
        make(f"Task {number}", deadline=datetime(2030, 3, 5, 9 + number, 0, tzinfo=ZoneInfo("UTC")))
    month = browser.get("/tasks?view=calendar&day=2030-03-01")
    assert len(days(month)["2030-03-05"]) == 4
    assert "2 more" in month.content.decode()
    assert len(days(browser.get("/tasks?view=calendar&by=week&day=2030-03-05"))["2030-03-05"]) == 6


@pytest.mark.parametrize("day", ["", "2030-13-45", "9999-12-31", "0001-01-01", "tomorrow"])
def test_a_day_that_is_none_is_today(browser, day):
    assert timezone.localtime().strftime("%B %Y") in browser.get(f"/tasks?view=calendar&day={day}").content.decode()


def test_a_new_task_on_a_day_of_the_calendar(browser):
    assert 'value="2030-03-05T18:00"' in browser.get("/tasks/new?day=2030-03-05").content.decode()


@pytest.mark.parametrize("address", ["?view=board", "?view=board&by=deadline", "?view=calendar"])
def test_board_and_calendar_ask_the_same_however_much_stands_on_them(browser, make, deliver, address):
    from letterdesk.web.tests.conftest import raw_letter

    letter = deliver(raw_letter("Offer"))[0]

    def asked():
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(f"/tasks{address}").status_code == 200
        return len(queries)

    make("First", letter, deadline=timezone.now())
    few = asked()
    for number in range(12):
        make(f"Task {number}", letter, deadline=timezone.now() + timedelta(days=number % 3))
    assert asked() == few <= 9


def test_a_board_that_is_too_full_says_so(browser, make, ines, now, monkeypatch):
    make()
    with_one = Task.objects.get()
    Task.objects.bulk_create(
        Task(account=ines.account, number=number, title="x", creator=ines, responsible=ines) for number in range(2, 303)
    )
    page = browser.get("/tasks?view=board").content.decode()
    assert page.count("data-card ") == 300
    assert "There are more than 300" in page
    assert with_one.title not in page  # made first, so last in the list
