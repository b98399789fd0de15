"""A letter is sent later: it waits in the Outbox, is taken back to a draft, and leaves at its time (ux.md 1.3, R25)."""

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from .test_list import users  # noqa: F401  fixtures
from .test_reminder import stored
from .test_writing import page, sink, taken  # noqa: F401  fixtures

DELIVER = "from letterdesk.outbound.jobs import deliver_due; deliver_due.now()"
SUBJECT = "Chairs for tomorrow"


def test_sent_later_it_waits_comes_back_as_a_draft_and_leaves_at_its_time(page, house, sink, axe):  # noqa: F811
    page.keyboard.press("c")
    page.wait_for_url("**/drafts/*")
    page.keyboard.type("amara@okafor.example,")
    page.get_by_label("Subject").fill(SUBJECT)
    page.get_by_role("textbox", name="Letter").click()
    page.keyboard.type("We need forty.")
    _send_later(page, "Tomorrow")
    expect(page.get_by_text(re.compile(r"^Will be sent "))).to_be_visible()

    line = _waiting(page)
    axe(page)
    deliver(house)
    assert sink.taken == []  # it is not its time
    line.get_by_role("button", name="Edit again").click()
    page.wait_for_url("**/drafts/*")
    expect(page.get_by_text("Not sent. The letter is a draft again.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Letter")).to_contain_text("We need forty.")
    draft = page.url
    page.goto("/outbox")
    expect(page.get_by_text("Nothing is waiting")).to_be_visible()

    page.goto(draft)
    page.get_by_role("textbox", name="Letter").press("Control+End")
    page.keyboard.type(" Black ones.")
    _send_later(page, "at another time", at=datetime.now(UTC) + timedelta(days=3))
    _waiting(page)
    deliver(house)
    assert sink.taken == []
    its_time_comes(house)
    letter = taken(sink, 1)
    assert letter["Subject"] == SUBJECT
    assert "We need forty. Black ones." in letter.get_body(("plain",)).get_content()
    page.goto("/outbox")
    expect(page.get_by_text("Nothing is waiting")).to_be_visible()
    page.goto("/drafts")
    expect(page.get_by_text("No drafts")).to_be_visible()


def _send_later(window, when, at=None):
    window.locator("summary", has_text="Later").click()
    if at is None:
        window.get_by_role("button", name=re.compile(f"^{when}")).click()
    else:
        window.get_by_label("At another time").fill(at.strftime("%Y-%m-%dT10:00"))
        window.get_by_role("button", name="Send then").click()
    window.wait_for_url(lambda address: "/drafts/" not in address)


def _waiting(window):
    window.goto("/outbox")
    line = window.locator(".outbox-line")
    expect(line).to_have_count(1)
    expect(line).to_contain_text(SUBJECT)
    expect(line.locator(".chip")).to_have_text("Later")
    return line


def its_time_comes(house):
    """The moment for which it waits is now, and the schedule has come by."""
    before = str(datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=1))
    stored(house, "UPDATE outbound_delivery SET due_at = ?, next_at = ? WHERE state = 'queued'", before, before)
    deliver(house)


def deliver(house):
    house.commands.python(DELIVER)
