"""A mailbox for CRM alone is connected in the browser, and a client's letter stands in CRM, without Webmail (R30)."""

import re

from playwright.sync_api import expect

from tests.rig.boxes import letter

from .house import PASSWORD
from .test_sendsave import wait_for

PAGE = "/settings/sendsave/mailboxes"


def test_a_mailbox_for_crm_is_connected_on_a_plan_without_webmail(house, signed_in, dovecot, axe):
    house.command(
        "account", "create", "Poll Co", "--administrator", "pia@poll.example", "--name", "Pia Poll",
        "--plan", "free", "--password-stdin", secret=PASSWORD,
    )  # fmt: skip
    user = dovecot.add_user()
    page = signed_in("pia@poll.example")
    page.goto("/settings/sendsave")
    page.get_by_role("link", name="Mailboxes for CRM alone").click()
    page.get_by_label("Address", exact=True).fill("sales@poll.example")
    page.get_by_label("Password or app password").fill("wrong")
    page.locator("summary", has_text="Server").first.click()
    page.get_by_label("Server (IMAP)").fill(dovecot.host)
    page.get_by_label("Port", exact=True).fill(str(dovecot.port))
    page.get_by_label("Security").select_option("none")
    page.get_by_label("User name, if not the address").fill(user.name)
    page.get_by_label("A letter from an address that nobody knows becomes").select_option("lead")
    axe(page)
    page.get_by_role("button", name="Test and connect").click()
    expect(page.get_by_text("The test did not pass")).to_be_visible()
    axe(page)
    page.complaints[:] = [said for said in page.complaints if "422" not in said]  # a refused form, told in the console
    page.get_by_label("Password or app password").fill(user.password)
    page.get_by_role("button", name="Test and connect").click()
    expect(page.get_by_text("is connected. What comes from now on goes to CRM")).to_be_visible()
    axe(page)
    dovecot.deliver(user, letter(1, From="Amara <amara@okafor.example>", Subject="Offer for the roof"))
    page.get_by_role("button", name="Look now").click()
    expect(page.get_by_text("It is looked at as soon as possible")).to_be_visible()
    wait_for(page, "/crm/activities", "Offer for the roof")
    page.goto(PAGE)
    page.get_by_role("link", name="sales@poll.example").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused", exact=True).first).to_be_visible()
    page.locator("summary", has_text=re.compile("^Disconnect$")).click()
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_text("is disconnected")).to_be_visible()
