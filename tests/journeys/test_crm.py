"""An unknown sender becomes a lead, is qualified, and stays with its letter and file when Webmail's copy is gone
(R5, R7, R8, R28; W2, W6)."""

import re
import sqlite3
import time
from email.message import EmailMessage

from playwright.sync_api import expect

from .test_list import mailbox_with, users  # noqa: F401  fixtures

PATIENCE = 30_000


def asking():
    """A letter of somebody new, with a file."""
    message = EmailMessage()
    message["From"], message["To"] = "Amara Okafor <amara@okafor.example>", "ines@acme.example"
    message["Subject"], message["Message-ID"] = "Price list?", "<new@okafor.example>"
    message.set_content("Could you send us your price list?")
    message.add_attachment(b"%PDF-1.4 plan", maintype="application", subtype="pdf", filename="plan.pdf")
    return message.as_bytes()


def wait_for_lead(page):
    end = time.monotonic() + PATIENCE / 1000
    link = page.get_by_role("link", name="Amara Okafor")
    while not link.count() and time.monotonic() < end:
        page.goto("/crm/leads")
        page.wait_for_timeout(300)
    return link


def move_on_the_board(page, axe):
    page.goto("/crm/deals?view=board")
    axe(page)
    page.get_by_role("link", name="40 desks").focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".column", has_text="Proposal").get_by_role("link", name="40 desks")).to_be_focused()
    page.reload()
    expect(page.locator(".column", has_text="Proposal").get_by_role("link", name="40 desks")).to_be_visible()


def test_from_an_unknown_sender_to_a_client_whose_letters_outlive_webmail(mailbox_with, house, dovecot, axe):  # noqa: F811
    page, user = mailbox_with(1)
    settings = page.locator(".shelf-settings").first.get_attribute("href")
    page.goto(settings)
    page.get_by_label("A letter from an address that nobody knows becomes").select_option(label="A lead")
    page.locator("#crm").get_by_role("button", name="Save").click()
    expect(page.get_by_text("It holds for letters that come from now on.")).to_be_visible()

    dovecot.deliver(user, asking())
    wait_for_lead(page)
    axe(page)
    page.get_by_role("link", name="Amara Okafor").click()
    axe(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.locator(".page").evaluate("page => page.scrollWidth - page.clientWidth") <= 0
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("link", name="Qualify").click()
    axe(page)
    page.get_by_label("Company", exact=True).fill("Okafor Studio")
    page.get_by_label("Deal", exact=True).fill("40 desks")
    page.get_by_role("button", name="Qualify").click()
    expect(page.get_by_role("heading", name="40 desks")).to_be_visible()

    move_on_the_board(page, axe)

    page.goto("/")
    page.get_by_role("link", name=re.compile(r"Price list\?")).click()
    expect(page.get_by_text("In CRM:")).to_be_visible(timeout=PATIENCE)
    page.locator(".crm-panel > summary").click()
    expect(page.locator(".crm-panel").get_by_role("link", name="40 desks").first).to_be_visible()
    axe(page)

    with sqlite3.connect(house.folder / "letterdesk.sqlite3", timeout=30) as database:  # a month passes
        month = "datetime(received_at, '-31 days')"
        for table in ("mailboxes_message", "mailboxes_placement", "crm_activity", "crm_binding"):
            database.execute(f"UPDATE {table} SET received_at = {month}")
        database.execute("UPDATE mailboxes_listing SET newest_at = datetime(newest_at, '-31 days')")
    page.goto("/")
    expect(page.locator("#rows > .row")).to_have_count(0)

    page.locator("h1").first.focus()
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/crm/activities")
    axe(page)
    page.goto("/crm/contacts")
    page.get_by_role("link", name="Amara Okafor").click()
    expect(page.get_by_text("not in Webmail")).to_be_visible()
    page.locator(".crm-talk summary").first.click()
    expect(page.frame_locator(".mail-frame").locator("body")).to_contain_text("price list", timeout=PATIENCE)
    expect(page.get_by_text("Left Webmail on")).to_be_visible()
    axe(page)
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("plan.pdf")).click()
    assert download.value.path().read_bytes() == b"%PDF-1.4 plan"
