"""Mailboxes in a real browser: settings, access, the grid, "Where is my mail?", at every size and in both schemes."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.rig.dovecot import wait_until

from .conftest import sign_in
from .house import PASSWORD


@pytest.fixture(scope="module")
def box(house, dovecot):
    """A mailbox of Ines with letters, one of them too old. Returns the user of the server."""
    user = dovecot.add_user()
    for number in range(3):
        dovecot.deliver(user, b"From: Amara <amara@okafor.example>\r\nSubject: Quote %d\r\n\r\nHello" % number)
    ages_ago = datetime.now(UTC) - timedelta(days=60)
    dovecot.deliver(user, b"From: a@b.example\r\nSubject: Quote of old\r\n\r\nHello", date=ages_ago)
    house.connect(
        user.name, host="localhost", port=dovecot.tls_port, security="tls", user=user.name, password=user.password
    )
    wait_until(lambda: synced(house, user.name), timeout=60, step=0.5)
    yield user
    house.disconnect(user.name)


def synced(house, address):
    """Whether the sync process has been through this mailbox."""
    boxes = json.loads(house.command("mailbox", "list", "--json"))
    return any(each["address"] == address and each["last_synced"] for each in boxes)


@pytest.fixture
def jonas(open_page, house):
    """A page of Jonas, a colleague who has just joined."""
    told = house.command("employee", "invite", "jonas@acme.example", "--by", "ines@acme.example", "--json")
    page = open_page()
    page.goto(json.loads(told)["link"])
    page.get_by_label("Your name").fill("Jonas Weber")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    page.wait_for_url(lambda address: "/invitations/" not in address)
    return page


@pytest.fixture
def settings_page(signed_in, box):
    """The settings of that mailbox, as Ines sees them."""
    page = signed_in()
    page.goto("/mailboxes")
    page.get_by_role("link", name=box.name).first.click()
    page.wait_for_url("**/mailboxes/*")
    return page


def at_every_size(page, axe):
    """axe in light and dark; no sideways scrolling at 320 px (WCAG 1.4.10)."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        axe(page)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 320
    assert page.evaluate("[...document.querySelectorAll('main')].every((pane) => pane.scrollWidth <= pane.clientWidth)")
    axe(page)
    page.set_viewport_size({"width": 1440, "height": 900})


PARTS = ["", "/ledger", "/where?q=Quote", "/progress", "/sign-in", "/disconnection", "/diagnostics"]


@pytest.mark.parametrize("part", PARTS)
def test_every_page_of_a_mailbox_is_accessible_at_every_size(settings_page, axe, part):
    page = settings_page
    page.goto(page.url.partition("#")[0] + part)
    at_every_size(page, axe)


@pytest.mark.parametrize("address", ["/mailboxes", "/mailboxes?q=x", "/where", "/mailboxes/connect"])
def test_the_grid_and_the_question_are_accessible_at_every_size(signed_in, box, axe, address):
    page = signed_in()
    page.goto(address)
    at_every_size(page, axe)


def test_where_is_my_mail_answers_by_itself_and_leads_out(settings_page):
    page = settings_page
    page.get_by_role("link", name="Where is my mail?").click()
    page.get_by_label("Message-ID, subject or sender").fill("Quote")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Here, in Inbox.").first).to_be_visible()
    old = page.locator(".line-item", has_text="Quote of old")  # comes from the server, without a click
    expect(old).to_contain_text("older than what is fetched or kept", timeout=20_000)
    expect(old.get_by_role("link", name="Change the depth")).to_be_visible()
    expect(page.get_by_text("Asked the mail server just now")).to_be_visible()
    page.locator(".line-item", has_text="Quote 1").get_by_role("link", name="Open it").click()
    expect(page.get_by_role("heading", name="Quote 1")).to_be_visible()


def test_where_is_my_mail_works_without_a_script(chromium, house, box):
    context = chromium.new_context(base_url=house.address, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, "ines@acme.example", at=house.address)
    page.goto("/where?q=Quote+of+old")
    expect(page.get_by_text("Not here.").first).to_be_visible()
    page.get_by_role("button", name="Ask the mail server").click()
    expect(page.get_by_text("older than what is fetched or kept")).to_be_visible(timeout=20_000)
    context.close()


def test_a_second_employee_sees_only_what_is_granted(jonas, settings_page, box):
    jonas.goto("/mailboxes")
    expect(jonas.get_by_text("No mailbox yet")).to_be_visible()
    page, address = settings_page, settings_page.url
    jonas.goto(address)
    assert jonas.get_by_text(box.name).count() == 0  # 404, like what does not exist
    jonas.complaints.clear()
    page.get_by_label("Give access to").select_option(label="Jonas Weber")
    page.locator("#access").get_by_role("checkbox", name="Act").last.uncheck()
    page.get_by_role("button", name="Give access").click()
    expect(page.get_by_text("Access given.")).to_be_visible()
    jonas.goto(address)
    expect(jonas.get_by_role("heading", name="Ines", exact=True)).to_be_visible()
    assert jonas.get_by_role("button", name="Pause").count() == 0
    assert jonas.get_by_role("link", name="Diagnostics").count() == 0
    jonas.goto("/where?q=Quote+1")
    expect(jonas.get_by_text("Here, in Inbox.").first).to_be_visible()
    page.get_by_role("button", name="Take away").click()
    jonas.goto(address)
    assert jonas.get_by_text(box.name).count() == 0
    jonas.complaints.clear()


def test_several_are_paused_in_the_grid_and_resumed(signed_in, box):
    page = signed_in()
    page.goto("/mailboxes")
    page.get_by_label(f"Choose {box.name}").check()
    page.get_by_role("button", name="Pause the chosen").click()
    expect(page.locator("tr", has_text=box.name)).to_contain_text("paused")
    page.get_by_label(f"Choose {box.name}").check()
    page.get_by_role("button", name="Resume the chosen").click()
    expect(page.get_by_text("1 mailbox changed.")).to_be_visible()
    page.get_by_role("link", name="Kept").click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Kept")
    with page.expect_download() as download:
        page.get_by_role("link", name="As CSV").click()
    assert box.name in download.value.path().read_text("utf-8-sig")


def test_disconnecting_says_what_it_does_first(settings_page, box):
    page = settings_page
    page.get_by_role("link", name="Disconnect …").click()
    expect(page.get_by_text("And the copies here: 3 letters")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
