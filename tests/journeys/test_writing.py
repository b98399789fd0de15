"""Write, attach, leave, come back, send, undo, send again; answer a letter with its table as it was (ux.md W3, C21)."""

import json
import re
import sqlite3
import time
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from playwright.sync_api import expect

from tests.rig.sink import Sink

from .test_list import users, wait_for_rows  # noqa: F401  fixtures

PATIENCE = 30_000
SCRIPTS = """performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".js"))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)"""  # bytes as they travelled
TABLE = '<table border="1"><tr><td style="color: red">Price</td><td>4,200</td></tr></table>'


@pytest.fixture
def sink():
    with Sink() as running:
        yield running


@pytest.fixture
def page(users, house, dovecot, signed_in, sink):  # noqa: F811
    """Ines' inbox with one letter, in a mailbox that sends through the sink."""
    user = dovecot.add_user()
    dovecot.deliver(user, _offer())
    house.connect(
        user.name, host="localhost", port=dovecot.tls_port, security="tls", user=user.name, password=user.password
    )
    users.append(user)
    ways = "smtp_host = ?, smtp_port = ?, smtp_security = 'none'"
    _write(house, f"UPDATE mailboxes_mailbox SET {ways} WHERE address = ?", sink.host, sink.port, user.name)
    wait_to_undo(house, seconds=30)
    page = signed_in()
    wait_for_rows(page, 1)
    return page


def _offer():
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"] = "Amara Okafor <amara@okafor.example>", "ines@acme.example"
    message["Subject"], message["Message-ID"] = "Forty desks", "<desks@okafor.example>"
    message.set_content("Our offer: 4,200")
    message.add_alternative(f"<p>Our offer:</p>{TABLE}", subtype="html")
    return message.as_bytes()


def taken(sink, count):
    end = time.monotonic() + 40
    while len(sink.taken) < count and time.monotonic() < end:
        time.sleep(0.1)
    assert len(sink.taken) == count, sink.lines
    return message_from_bytes(sink.taken[-1].raw, policy=policy.default)


def test_from_the_first_word_to_the_answer(page, sink, axe):
    page.keyboard.press("c")
    page.wait_for_url("**/drafts/*")
    expect(page.get_by_role("combobox", name="To")).to_be_focused()
    assert page.evaluate(SCRIPTS) < 60_000
    page.keyboard.type("amara")
    page.get_by_role("option", name=re.compile("Amara Okafor")).click()
    page.get_by_label("Subject").fill("Chairs")
    page.get_by_role("textbox", name="Letter").click()
    page.keyboard.type("See the attached list, ")
    page.keyboard.press("Control+b")
    page.keyboard.type("please")
    page.set_input_files("input[type=file]", {"name": "list.txt", "mimeType": "text/plain", "buffer": b"40 chairs"})
    expect(page.get_by_role("link", name="list.txt")).to_be_visible()
    expect(page.locator("[data-saved]")).to_contain_text("Draft saved")
    axe(page)

    page.reload()  # taken up again
    expect(page.get_by_role("textbox", name="Letter")).to_contain_text("See the attached list, please")
    expect(page.locator(".token")).to_have_text(re.compile("Amara Okafor"))
    _keys_come_when_wanted(page)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Sent.", exact=True)).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Not sent. The letter is a draft again.")).to_be_visible()
    draft = page.url
    page.goto("/settings/signatures")
    axe(page)
    page.get_by_text("Not at all").click()
    page.locator("form", has_text="Undo after sending").get_by_role("button", name="Save").click()
    page.goto(draft)
    page.get_by_role("button", name="Send", exact=True).click()
    sent = taken(sink, 1)
    assert [part.get_filename() for part in sent.iter_attachments()] == ["list.txt"]
    assert "<b>please</b>" in sent.get_body(("html",)).get_content()

    _answered_with_its_table(page, sink)
    page.goto("/outbox")
    expect(page.get_by_text("Nothing is waiting")).to_be_visible()
    axe(page)


def _keys_come_when_wanted(page):
    """A menu closes by Escape; the list of keys opens by the first key beside the letter, and the focus comes back."""
    later = page.locator("summary", has_text="Later")
    later.click()
    expect(page.get_by_role("button", name="Send then")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Send then")).to_be_hidden()
    later.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("textbox", name="Letter").focus()


def _answered_with_its_table(page, sink):
    page.goto("/")
    page.get_by_role("link", name=re.compile("Forty desks")).click()
    expect(page.locator(".reply-bar")).to_be_visible(timeout=PATIENCE)
    page.locator("h1").first.focus()
    page.keyboard.press("r")
    page.wait_for_url("**/drafts/*")
    cell = page.get_by_role("textbox", name="Letter").locator("td").first
    assert cell.evaluate("node => getComputedStyle(node).color") == "rgb(255, 0, 0)"
    page.get_by_role("textbox", name="Letter").press("Control+Home")
    page.keyboard.type("We take it.")
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url("**/mail/**")
    answer = taken(sink, 2)
    assert answer["In-Reply-To"] == "<desks@okafor.example>"
    html = answer.get_body(("html",)).get_content()
    assert re.search(r'<td style="color: ?red;?">Price</td>', html)
    assert html.index("We take it.") < html.index("Price")
    page.reload()
    expect(page.locator(".message")).to_have_count(2, timeout=PATIENCE)  # it stands in the conversation


SHARE = """
from letterdesk.mailboxes.models import Grant, Mailbox
for mailbox in Mailbox.objects.filter(forgotten_at=None):
    Grant.objects.create(account=mailbox.account, mailbox=mailbox)
"""


def test_send_and_close_by_the_keyboard_and_undo_takes_both_back(page, house):
    house.commands.python(SHARE)
    page.reload()
    page.get_by_role("link", name=re.compile("Forty desks")).click()
    expect(page.locator(".reply-bar")).to_be_visible(timeout=PATIENCE)
    page.locator("h1").first.focus()
    page.keyboard.press("r")
    page.wait_for_url("**/drafts/*")
    expect(page.get_by_role("button", name="Send and close")).to_be_visible()
    page.get_by_role("textbox", name="Letter").press("Control+Home")
    page.keyboard.type("We take them.")
    page.keyboard.press("Control+Shift+Enter")
    expect(page.get_by_text("Sent, and closed for everyone.")).to_be_visible()
    expect(page.locator(".team-bar .chip")).to_have_text("Closed")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url("**/drafts/*")
    page.get_by_role("link", name="To the conversation").click()
    expect(page.locator(".team-bar .chip")).to_have_text("No status")  # as it was


def test_what_keeps_a_letter_here_is_said_and_nothing_is_lost(page, sink, house, users, dovecot):  # noqa: F811
    """The conversation moves on, the month is used up, the password is wrong: each is named, then it leaves once."""
    wait_to_undo(house, seconds=0)
    page.get_by_role("link", name=re.compile("Forty desks")).click()
    expect(page.locator(".reply-bar")).to_be_visible(timeout=PATIENCE)
    page.locator("h1").first.focus()
    page.keyboard.press("r")
    page.wait_for_url("**/drafts/*")
    page.get_by_role("textbox", name="Letter").press("Control+Home")
    page.keyboard.type("We take it.")
    dovecot.deliver(users[-1], _never_mind())
    expect(page.locator("[data-news]")).to_contain_text(
        "This conversation has changed", timeout=PATIENCE
    )  # while one writes
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".compose-collision")).to_contain_text("Not sent: the conversation has changed")

    _write(
        house,
        "INSERT OR REPLACE INTO plans_usage (account_id, month, used, warned) "
        "SELECT id, strftime('%Y-%m-01', 'now'), 50000, 95 FROM accounts_account WHERE name = 'Acme'",
    )
    expect(page.locator("#letter")).to_contain_text("We take it.")
    page.get_by_role("button", name="Send anyway").click()
    expect(page.get_by_role("alert").filter(has_text="are used up")).to_be_visible()
    expect(page.get_by_role("textbox", name="Letter")).to_contain_text("We take it.")
    _write(house, "UPDATE plans_usage SET used = 0")

    sink.modes = ["auth:535 5.7.8 wrong#1"]
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Send anyway").click()
    page.wait_for_url(lambda address: "/drafts/" not in address)
    line = page.locator(".outbox-line")
    for _ in range(30):
        page.goto("/outbox")
        if "password is wrong" in line.inner_text():
            break
    expect(line).to_contain_text("password is wrong")
    assert sink.taken == []
    page.get_by_role("button", name="Try again").click()
    page.complaints[:] = [each for each in page.complaints if "status of 4" not in each]  # the refusals themselves
    assert "We take it." in taken(sink, 1).get_body(("plain",)).get_content()


def _never_mind():
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"] = "Amara Okafor <amara@okafor.example>", "ines@acme.example"
    message["Subject"], message["In-Reply-To"] = "Re: Forty desks", "<desks@okafor.example>"
    message.set_content("Never mind")
    return message.as_bytes()


def wait_to_undo(house, *, seconds):
    """For how long Ines' letters can be taken back. Set by each test: the house outlives them, in whatever order."""
    wanted = json.dumps({"undo_send": str(seconds)})
    _write(house, "UPDATE accounts_employee SET preferences = ? WHERE email = 'ines@acme.example'", wanted)


def _write(house, statement, *values):
    with sqlite3.connect(house.folder / "letterdesk.sqlite3", timeout=30) as store:
        store.execute(statement, values)
    store.close()
