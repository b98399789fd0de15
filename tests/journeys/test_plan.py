"""The life of a plan in a real browser: foreseen, chosen what pauses, told before, and refused after."""

import json

import pytest
from playwright.sync_api import expect

from tests.rig.dovecot import wait_until

from .house import House

NAMES = ("sales", "support")


@pytest.fixture(scope="module")
def company(tmp_path_factory, authority):
    """A Letterdesk of its own: plans come and go here. Its account has the mailboxes of `boxes`."""
    running = House(tmp_path_factory.mktemp("company"), certificates=authority.file)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def boxes(company, dovecot):
    """Two mailboxes of Ines with a letter each, kept in step; returns their users on the server."""
    users = [dovecot.add_user(name) for name in NAMES]
    for user in users:
        dovecot.deliver(user, b"From: Amara <amara@okafor.example>\r\nSubject: Offer\r\n\r\nHello")
        company.connect(
            user.name, host="localhost", port=dovecot.tls_port, security="tls", user=user.name, password=user.password
        )
    wait_until(lambda: all(each["held"] == 1 for each in mailboxes(company)), timeout=60, step=0.5)
    return users


def mailboxes(company):
    return json.loads(company.command("mailbox", "list", "--json"))


def states(company):
    return {each["address"]: each["state"] for each in mailboxes(company)}


@pytest.fixture
def house(company, boxes):
    """Pages are opened there."""
    return company


def test_a_plan_is_foreseen_begins_and_brings_all_back(house, boxes, signed_in, axe, dovecot):
    sales, support = (user.name for user in boxes)
    page = signed_in()
    page.goto("/plan")
    expect(page.get_by_role("meter", name="Your mailboxes")).to_have_attribute("value", "2")
    axe(page)

    page.get_by_label("Plan", exact=True).select_option("free")  # the preview
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#preview dl")).to_contain_text("Letters that go here 2")
    axe(page)

    page.get_by_role("checkbox", name="Ines").first.check()  # the first connected gives way
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved: these pause first.")).to_be_visible()

    house.command("account", "plan", "Acme", "--to", "start", "--apply")  # a place for one
    wait_until(lambda: sorted(states(house).values()) == ["connected", "suspended"], timeout=30, step=0.5)
    assert states(house)[sales] == "suspended"
    page.goto("/plan")
    expect(page.get_by_text("paused by the plan")).to_be_visible()

    house.command("account", "plan", "Acme", "--to", "free", "--apply")
    page.goto("/mail")
    expect(page.get_by_role("heading", name="Webmail is not in your plan Free.")).to_be_visible()
    expect(page.get_by_role("complementary", name="Your plan")).to_contain_text("has no Webmail since")
    page.complaints.clear()  # the browser notes the 403 itself
    axe(page)
    wait_until(lambda: [each["held"] for each in mailboxes(house)] == [0, 0], timeout=30, step=0.5)
    for user in boxes:
        with dovecot.client(user) as other:
            assert len(other.contents()[1]) == 1  # the server keeps everything

    house.command("account", "plan", "Acme", "--to", "professional", "--apply")
    wait_until(lambda: [each["held"] for each in mailboxes(house)] == [1, 1], timeout=60, step=0.5)
    page.goto("/mail")
    expect(page.get_by_text("Offer").first).to_be_visible()
    assert page.get_by_role("complementary", name="Your plan").count() == 0
    assert set(states(house)) == {sales, support}


@pytest.mark.parametrize("look", ["light", "dark", "telephone"])
def test_the_page_and_the_banner_fit(house, signed_in, axe, look, tmp_path_factory):
    looks = {
        "light": {"color_scheme": "light"},
        "dark": {"color_scheme": "dark"},
        "telephone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
    }
    house.command("account", "plan", "Acme", "--to", "start", "--at", "2099-01-01T00:00", "--apply")
    page = signed_in(**looks[look])
    page.goto("/plan?to=start")
    width = page.viewport_size["width"]
    assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    axe(page)
