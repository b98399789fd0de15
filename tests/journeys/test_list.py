"""What one does with conversations, in a real browser, against a real server: shown at once, done there, taken back."""

import re
import sqlite3
import time
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from .test_new_letter import letter

PATIENCE = 30_000


@pytest.fixture
def users(house):
    """Whose mailboxes a test connected; disconnected when its pages are closed."""
    users = []
    yield users
    for user in users:
        house.disconnect(user.name)


@pytest.fixture
def mailbox_with(users, house, dovecot, signed_in):
    """Ines' page on a mailbox with so many letters, all of them listed."""

    def enter(count, **options):
        user = dovecot.add_user()
        now = datetime.now(UTC)
        for number in range(count):  # one second after the other, so that the order is theirs however they come
            raw = letter(f"Letter {number:03}", sender=f"Person {number:03} <p{number}@x.example>")
            dovecot.deliver(user, raw, date=now - timedelta(seconds=count - number))
        house.connect(
            user.name, host="localhost", port=dovecot.tls_port, security="tls", user=user.name, password=user.password
        )
        users.append(user)
        page = signed_in(**options)
        wait_for_rows(page, min(count, 50))
        if count > 50:
            expect(page.locator("#more a")).to_be_attached(timeout=PATIENCE)
        return page, user

    return enter


def wait_for_rows(page, count):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        page.goto("/")
        if page.locator("#rows > .row").count() >= count:
            return
        page.wait_for_timeout(300)
    raise AssertionError(page.locator("#rows > .row").count())


def row(page, subject):
    return page.locator("#rows > .row", has=page.get_by_role("link", name=re.compile(subject)))


def focus(page, subject):
    page.get_by_role("link", name=re.compile(subject)).focus()


def count_on_server(dovecot, user, folder):
    with dovecot.client(user) as server:
        told, data = server.select(f'"{folder}"', readonly=True)
        return int(data[0]) if told == "OK" else 0


def eventually(check, wanted, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (found := check()) == wanted:
            return
        time.sleep(0.5)
    assert found == wanted


def stored(house, statement, *values):
    """Change the house's database; returns how many rows that were."""
    with sqlite3.connect(house.folder / "letterdesk.sqlite3", timeout=30) as database:
        count = database.execute(statement, values).rowcount
    database.close()
    return count


def test_star_move_label_and_snooze_by_keyboard(mailbox_with, dovecot, house, axe):
    page, user = mailbox_with(8)
    focus(page, "Letter 003")
    page.keyboard.press("s")
    expect(row(page, "Letter 003").locator(".star")).to_have_attribute("aria-pressed", "true")

    focus(page, "Letter 004")
    page.keyboard.press("v")
    page.get_by_label("Find a folder").fill("trash")
    page.keyboard.press("Enter")
    expect(row(page, "Letter 004")).to_have_count(0)
    expect(page.get_by_text("Moved to Trash.")).to_be_visible()

    focus(page, "Letter 005")
    page.keyboard.press("l")
    page.get_by_label("New label").fill("Urgent")
    page.get_by_role("button", name="Add").click()
    expect(row(page, "Letter 005").locator(".chip", has_text="Urgent")).to_be_visible()
    axe(page)

    focus(page, "Letter 002")
    page.keyboard.press("b")
    page.get_by_role("button", name=re.compile("^Tomorrow")).click()
    expect(row(page, "Letter 002")).to_have_count(0)
    page.goto("/mail/snoozed")
    expect(row(page, "Letter 002")).to_be_visible()
    axe(page)
    stored(house, "UPDATE mailboxes_mark SET snoozed_until = datetime('now', '-1 seconds')")  # the night passes
    page.goto("/")
    first = page.locator("#rows > .row").first
    expect(first).to_contain_text("Letter 002")
    expect(first.locator(".chip", has_text="back")).to_be_visible()
    eventually(lambda: count_on_server(dovecot, user, "Trash"), 1)


def test_a_row_that_changes_under_the_pressed_button_still_opens(mailbox_with, dovecot):
    page, user = mailbox_with(3)
    page.get_by_role("link", name=re.compile("Letter 001")).hover()
    page.mouse.down()
    with dovecot.client(user) as server:
        server.select("INBOX")
        server.store("1:*", "+FLAGS", r"(\Flagged)")
    dovecot.deliver(user, letter("Letter 003"))
    starred = row(page, "Letter 002").locator(".star")
    expect(starred).to_have_attribute("aria-pressed", "true", timeout=PATIENCE)
    expect(page.locator("#pill button")).to_be_visible(timeout=PATIENCE)
    page.mouse.up()
    expect(page.locator(".conversation h1")).to_have_text("Letter 001")


def test_three_hundred_at_once_with_all_that_match_and_back_again(mailbox_with, dovecot):
    page, user = mailbox_with(320)
    end = time.monotonic() + 60
    page.locator("#rows > .row .pick").first.click()
    while "320" not in page.locator(".pick-all-matching").inner_text() and time.monotonic() < end:
        page.reload()
        page.locator("#rows > .row .pick").first.click()
    page.get_by_label("Select all 320 that match").check()
    page.locator("#rows > .row .pick").nth(1).click()  # all but one is not all
    expect(page.get_by_label("Select all 320 that match")).not_to_be_checked()
    page.get_by_label("Select all 320 that match").check()
    expect(page.get_by_text("50 selected")).to_be_visible()
    began = time.monotonic()
    page.get_by_role("group", name="With the selected conversations").get_by_role("button", name="Archive").click()
    expect(page.get_by_text("320 conversations: archived.")).to_be_visible(timeout=PATIENCE)
    print(f"\n320 archived in {time.monotonic() - began:.2f} s")
    expect(page.locator("#rows > .row")).to_have_count(0)
    eventually(lambda: count_on_server(dovecot, user, "Archive"), 320)
    assert count_on_server(dovecot, user, "INBOX") == 0

    page.goto("/recent")  # the toast is gone, the way back is not
    page.get_by_role("button", name=re.compile("^Undo.*320 conversations: archived")).click()
    expect(page.get_by_text("Taken back: 320 conversations: archived.")).to_be_visible(timeout=PATIENCE)
    eventually(lambda: count_on_server(dovecot, user, "INBOX"), 320)


def test_delete_and_undo_tells_the_server_nothing(mailbox_with, dovecot, house):
    page, user = mailbox_with(5)
    page.locator("#rows > .row .pick").nth(1).click()
    page.locator("#rows > .row .pick").nth(3).click(modifiers=["Shift"])
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.keyboard.press("#")
    expect(page.locator("#rows > .row")).to_have_count(2)
    expect(page.get_by_text("3 conversations: deleted: it is in Trash, on the mail server too.")).to_be_visible()
    mine = "mailbox_id = (SELECT id FROM mailboxes_mailbox WHERE address = ?)"
    later = f"UPDATE mailboxes_pendingchange SET due_at = datetime('now', '+1 hour') WHERE {mine} AND state = 'waiting'"
    assert stored(house, later, user.name) == 3  # or a busy machine would tell the server before it is undone
    page.keyboard.press("z")
    expect(page.locator("#rows > .row")).to_have_count(5)
    assert stored(house, f"DELETE FROM mailboxes_pendingchange WHERE {mine}", user.name) == 0  # nothing waits
    assert count_on_server(dovecot, user, "INBOX") == 5
    assert dovecot.commands(user)["UID MOVE"] == 0


def test_what_the_server_refuses_comes_back(mailbox_with):
    page, _user = mailbox_with(3)
    page.route("**/acts*", lambda route: route.abort())
    focus(page, "Letter 001")
    page.keyboard.press("e")
    expect(page.get_by_text("No connection to Letterdesk: nothing was changed.")).to_be_visible()
    expect(page.locator("#rows > .row")).to_have_count(3)
    page.complaints.clear()  # the browser tells of the request that we broke


def test_a_new_letter_leaves_ticks_and_what_is_under_the_pointer(mailbox_with, dovecot):
    page, user = mailbox_with(6)
    page.locator("#rows > .row .pick").nth(2).click()
    under = page.locator("#rows > .row").nth(3)
    under.hover()
    before, name = under.bounding_box(), under.get_attribute("id")
    dovecot.deliver(user, letter("Something new"))
    pill = page.get_by_role("button", name="1 new ↑")
    expect(pill).to_be_visible(timeout=PATIENCE)
    assert (under.get_attribute("id"), under.bounding_box()) == (name, before)
    pill.click()
    expect(page.locator("#rows > .row").first).to_contain_text("Something new")
    expect(page.get_by_text("1 selected")).to_be_visible()


def test_j_at_the_end_loads_more_and_at_most_three_hundred_rows_stay(mailbox_with):
    page, _user = mailbox_with(360)
    rows = page.locator("#rows > .row")
    for _ in range(7):
        expect(page.locator("#more a")).to_be_attached(timeout=PATIENCE)  # a first sync goes on below
        rows.last.locator(".row-subj a").focus()
        last = rows.last.get_attribute("id")
        page.keyboard.press("j")
        page.wait_for_function("id => document.activeElement.closest('.row')?.id !== id", arg=last)
        at = page.evaluate("document.activeElement.closest('.row')?.previousElementSibling?.id")
        assert at == last
    assert page.locator("#rows > .row").count() <= 300
    expect(page.get_by_role("link", name="Back to the top of the list")).to_be_attached()


def test_what_was_loaded_stays_and_the_list_goes_on_below(mailbox_with, dovecot):
    page, user = mailbox_with(60)
    rows = page.locator("#rows > .row")
    page.locator("#more a").click()
    expect(rows).to_have_count(60)
    expect(page.locator("#more a")).to_have_count(0)
    rows.last.locator(".row-subj a").focus()
    dovecot.deliver(user, letter("Older than all"), date=datetime.now(UTC) - timedelta(hours=1))
    expect(page.locator("#more a")).to_be_attached(timeout=PATIENCE)  # though the list is in use: nothing moves
    page.keyboard.press("j")
    expect(rows.last.locator(".row-subj a")).to_be_focused()
    expect(rows.last).to_contain_text("Older than all")
    dovecot.deliver(user, letter("Something new"))
    pill = page.get_by_role("button", name="1 new ↑")
    expect(pill).to_be_visible(timeout=PATIENCE)
    pill.click()
    expect(rows.first).to_contain_text("Something new")
    expect(rows).to_have_count(62)
    assert page.locator("#rows > [data-leaving]").count() == 0


def test_on_a_phone_the_bar_fits(mailbox_with, axe):
    page, _user = mailbox_with(4, viewport={"width": 390, "height": 844}, has_touch=True)
    page.locator("#rows > .row .pick").first.click()
    expect(page.get_by_text("1 selected")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    axe(page)
