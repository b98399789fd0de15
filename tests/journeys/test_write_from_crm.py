"""On Free, without any mailbox: a sender is added and confirmed, a client is written to from the record, and the letter
stands there (R5, R6, R22–R24)."""

import re
import time

import pytest
from playwright.sync_api import expect

from letterdesk.mail.parse import parse_letter, read_body
from tests.rig.sink import Sink

from .conftest import sign_in
from .house import House


@pytest.fixture
def post():
    """The mail of the installation itself."""
    with Sink() as running:
        yield running


@pytest.fixture
def house(tmp_path_factory, post):
    """A company on Free."""
    address = f"smtp+plain://{post.host}:{post.port}"
    running = House(tmp_path_factory.mktemp("free"), plan="free", EMAIL_URL=address)
    running.start()
    yield running
    running.stop()


def taken(sink):
    end = time.monotonic() + 60
    while not sink.taken and time.monotonic() < end:
        time.sleep(0.1)
    return sink.taken[-1].raw.replace(b"\r\n..", b"\r\n.")


def add_a_sender(page, sink, axe):
    page.goto("/settings/senders")
    page.get_by_label("Address", exact=True).fill("sales@acme.example")
    page.get_by_label("Name in From").fill("Acme Sales")
    page.get_by_label("Server (SMTP)").fill(sink.host)
    page.get_by_label("Port").fill(str(sink.port))
    page.get_by_label("Security").select_option("none")
    page.get_by_label("User name").fill("acme")
    page.get_by_label("Password").fill("secret")
    page.get_by_role("button", name="Try and add").click()
    expect(page.get_by_text("A link went to sales@acme.example")).to_be_visible()
    axe(page)


def confirm(page, post, axe):
    link = re.search(r"http\S+/senders/\S+", read_body(taken(post)).text)[0]
    page.goto(link)
    axe(page)
    page.get_by_role("button", name="Yes, they may").click()
    expect(page.get_by_role("heading", name="Confirmed")).to_be_visible()


def test_a_client_is_written_to_from_the_record_without_a_mailbox(open_page, house, post, axe):
    page = open_page()
    sign_in(page, "ines@acme.example", at=house.address)
    with Sink() as sink:
        add_a_sender(page, sink, axe)
        confirm(open_page(), post, axe)
        page.goto("/settings/templates")
        new = page.locator("section", has_text="New template")
        new.get_by_label("Name").fill("Offer")
        new.get_by_role("textbox", name="Text").fill("Dear {{ contact.first_name }}, here is our offer.")
        new.get_by_role("button", name="Save").click()
        page.goto("/crm/contacts/new?name=Amara+Okafor&address=amara@okafor.example")
        page.get_by_role("button", name="Add", exact=True).click()
        axe(page)

        page.get_by_role("button", name="Write", exact=True).click()
        page.wait_for_url("**/drafts/*")
        expect(page.locator(".token")).to_have_text(re.compile("Amara Okafor"))
        expect(page.get_by_label("From")).to_contain_text("Acme Sales <sales@acme.example>")
        page.get_by_label("Subject").fill("Forty desks")
        page.get_by_text("Template", exact=True).click()
        page.get_by_role("button", name="Offer").click()
        expect(page.get_by_role("textbox", name="Letter")).to_contain_text("Dear Amara, here is our offer.")
        axe(page)
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url("**/crm/records/*")
        expect(page.get_by_text("Forty desks: Waiting")).to_be_visible()
        axe(page)

        letter = parse_letter(taken(sink))
        assert (letter.sender.address, letter.to[0].address) == ("sales@acme.example", "amara@okafor.example")
        assert "Dear Amara" in read_body(sink.taken[-1].raw).text
    entry = page.locator("details.message", has_text="Dear Amara")
    for _look in range(60):
        if entry.count():
            break
        page.wait_for_timeout(500)
        page.reload()
    entry.locator("summary").click()
    expect(page.get_by_role("button", name="Answer")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Answer").click()
    page.wait_for_url("**/drafts/*")
    expect(page.get_by_label("Subject")).to_have_value("Re: Forty desks")
    expect(page.get_by_role("textbox", name="Letter")).to_contain_text("Dear Amara, here is our offer.")
    axe(page)
