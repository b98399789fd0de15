"""The daily round without a pointer, on a telephone, and from right to left."""

import time

import pytest
from playwright.sync_api import expect

from .test_new_letter import letter

SUBJECTS = ("Forty desks", "Invoice 7", "Lunch", "Parcel")


@pytest.fixture
def mail(house, dovecot):
    user = dovecot.add_user()
    for subject in SUBJECTS:
        dovecot.deliver(user, letter(subject, f"About {subject}."))
    house.connect(
        user.name, host="localhost", port=dovecot.tls_port, security="tls", user=user.name, password=user.password
    )
    yield user
    house.disconnect(user.name)


@pytest.fixture
def inbox(mail, signed_in):
    def enter(**options):
        page = signed_in(**options)
        end = time.monotonic() + 30
        while time.monotonic() < end and page.locator("#rows > .row").count() != len(SUBJECTS):
            page.goto("/")  # a mailbox that was just connected has no folders yet
            page.wait_for_timeout(300)
        expect(page.locator("#rows > .row")).to_have_count(len(SUBJECTS))
        return page

    return enter


def focused(page):
    return page.evaluate("document.activeElement.textContent.trim()")


def test_the_daily_round_by_keyboard_alone(inbox):
    page = inbox()
    press = page.keyboard.press
    press("Tab")
    assert "Skip" in focused(page)

    press("j")
    press("j")
    second = page.locator("#rows > .row").nth(1)
    expect(second.locator(".row-subj a")).to_be_focused()
    subject = second.locator(".row-subj bdi").inner_text()
    press("Enter")
    expect(page.locator(".conversation h1")).to_be_focused()
    expect(page.locator(".conversation h1")).to_have_text(subject)
    press("u")
    expect(page.locator(".conversation")).to_have_count(0)

    press("j")
    press("s")
    expect(page.locator('#rows .star[aria-pressed="true"]')).to_have_count(1)
    press("#")
    expect(page.locator("#rows > .row")).to_have_count(len(SUBJECTS) - 1)
    expect(page.locator(".toast", has_text="Trash")).to_be_visible()
    press("z")
    expect(page.locator("#rows > .row")).to_have_count(len(SUBJECTS))

    press("/")
    expect(page.locator("#search-field")).to_be_focused()
    page.keyboard.type("invoice e#")  # keys never act while one types
    assert page.locator("#search-field").input_value() == "invoice e#"
    page.locator("#search-field").fill("invoice")
    press("Enter")
    page.wait_for_url("**/search?q=invoice*")
    expect(page.locator("#rows mark").first).to_have_text("Invoice")

    press("Control+k")
    expect(page.get_by_role("combobox", name="Command, folder")).to_be_focused()
    page.keyboard.type("dark")
    expect(page.get_by_role("option", name="Appearance")).to_have_attribute("aria-selected", "true")
    press("Enter")
    page.wait_for_url("**/settings/appearance")

    press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    page.keyboard.type("snooze")
    expect(page.locator(".keys-row:visible")).to_have_count(1)
    press("Escape")
    expect(page.locator("#keys-dialog")).to_be_hidden()
    press("g")
    expect(page.locator("#keys-hint")).to_be_visible()
    press(",")
    page.wait_for_url("**/settings")


def test_a_telephone_shows_one_screen_after_the_other(inbox):
    page = inbox(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.locator("#rows > .row .row-subj a").first.tap()
    expect(page.locator(".conversation h1")).to_be_visible()
    expect(page.locator("#rows")).to_be_hidden()
    page.go_back()
    expect(page.locator("#rows")).to_be_visible()
    page.get_by_role("button", name="You").tap()
    page.get_by_role("link", name="Settings", exact=True).tap()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    small = page.evaluate(
        "[...document.querySelectorAll('.rail-link')].filter((e) => e.offsetHeight && e.offsetHeight < 44).length"
    )
    assert small == 0


def test_from_right_to_left_the_page_is_mirrored_and_fits(inbox):
    page = inbox()
    page.evaluate("document.documentElement.dir = 'rtl'")
    rail, listed = page.locator(".rail").bounding_box(), page.locator(".list").bounding_box()
    assert rail["x"] > listed["x"]
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.set_viewport_size({"width": 1100, "height": 800})
    page.get_by_role("button", name="Mailboxes and folders").click()
    page.wait_for_timeout(100)
    side = page.locator("#sidebar").bounding_box()
    assert side["x"] + side["width"] == 1100


def test_a_lost_connection_is_said(inbox):
    page = inbox()
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_contain_text("No connection")
    page.context.set_offline(False)
    expect(page.locator("#offline")).to_have_text("")
    page.complaints.clear()  # the stream noticed it, too
