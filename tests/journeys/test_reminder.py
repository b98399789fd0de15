"""A letter goes out with a reminder, nobody answers, time moves on, and it is at the top of the inbox (ux.md 1.3)."""

import re
import sqlite3
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from .test_list import users  # noqa: F401  fixtures
from .test_writing import page, sink, taken, wait_to_undo  # noqa: F401  fixtures

REMIND = "from letterdesk.mailboxes.jobs import remind; remind.now()"
SUBJECT = "Chairs for the canteen"


def test_nobody_answers_and_it_comes_back(page, house, sink, axe):  # noqa: F811
    wait_to_undo(house, seconds=0)
    page.keyboard.press("c")
    page.wait_for_url("**/drafts/*")
    page.keyboard.type("amara@okafor.example,")
    page.get_by_label("Subject").fill(SUBJECT)
    page.get_by_role("textbox", name="Letter").click()
    page.keyboard.type("How many do you need?")
    page.get_by_label("Remind me if nobody answers").select_option(label="No answer in 3 days")
    expect(page.locator("[data-saved]")).to_contain_text("Draft saved")
    page.reload()
    expect(page.get_by_label("Remind me if nobody answers")).to_have_value("3")
    axe(page)
    page.get_by_role("textbox", name="Letter").press("Control+Enter")
    expect(page.get_by_text(re.compile(r"^Sent\. You are reminded .* if nobody answers\."))).to_be_visible()
    assert taken(sink, 1)["Subject"] == SUBJECT

    wait_for_the_copy(house)
    page.goto("/mail/awaited")
    expect(page.locator("#rows li.row")).to_have_count(1)
    expect(page.locator("#rows")).to_contain_text(SUBJECT)
    axe(page)
    page.goto("/")
    expect(page.locator("#rows")).not_to_contain_text(SUBJECT)

    three_days_pass(house)
    page.goto("/")
    first = page.locator("#rows li.row").first
    expect(first).to_contain_text(SUBJECT)
    expect(first).to_contain_text("no answer since")
    axe(page)
    first.get_by_role("link").click()
    banner = page.locator(".banner", has_text="Nobody has answered since")
    expect(banner).to_be_visible()
    expect(page.locator(".turn").last).to_contain_text("It came back: nobody had answered")
    axe(page)
    page.goto("/notifications")
    expect(page.get_by_text(re.compile("Nobody has answered in a conversation of yours"))).to_be_visible()
    page.goto("/")
    first.get_by_role("link").click()
    banner.get_by_role("button", name="Done").click()
    expect(page.locator("#rows")).not_to_contain_text(SUBJECT)


def stored(house, sql, *values):
    with sqlite3.connect(house.folder / "letterdesk.sqlite3", timeout=30) as store:
        rows = store.execute(sql, values).fetchall()
    store.close()
    return rows


def wait_for_the_copy(house):
    end = datetime.now(UTC) + timedelta(seconds=30)
    while not stored(house, "SELECT 1 FROM mailboxes_mark WHERE remind_at IS NOT NULL"):
        assert datetime.now(UTC) < end, "the sent letter was not filed"


def three_days_pass(house):
    """The reminder is due, and the schedule has come by; the mailbox was looked at a moment ago."""
    now = datetime.now(UTC).replace(tzinfo=None)
    stored(house, "UPDATE mailboxes_mark SET remind_at = ?", str(now - timedelta(seconds=1)))
    stored(house, "UPDATE mailboxes_mailbox SET last_synced_at = ?", str(now))
    house.commands.python(REMIND)
