"""Sign in, open a conversation, and a new letter appears by itself."""

import time
from email.message import EmailMessage

import pytest
from playwright.sync_api import expect

LETTERS = 31
SLOW_MACHINE = 5.0  # what the test waits at most; what it took is printed


def letter(subject, text="Hello Ines", sender="Amara Okafor <amara@okafor.example>", **headers):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        sender,
        "ines@acme.example",
        subject,
    )
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


@pytest.fixture
def mail_user(house, dovecot):
    """A mailbox of Ines on a real server, with one conversation, watched by the running sync."""
    user = dovecot.add_user()
    for number in range(LETTERS - 1):
        dovecot.deliver(user, letter(f"Older letter {number}"))
    dovecot.deliver(user, letter("Forty desks", Message_ID="<desks@okafor.example>"))
    house.connect(
        user.name, host="localhost", port=dovecot.tls_port, security="tls",
        user=user.name, password=user.password,
    )  # fmt: skip
    yield user
    house.disconnect(user.name)


@pytest.fixture
def inbox(mail_user, signed_in):
    page = signed_in()
    end = time.monotonic() + 30
    while time.monotonic() < end and page.locator("#rows > .row").count() != LETTERS:
        page.goto("/")  # a mailbox that was just connected has no folders yet
        page.wait_for_timeout(300)
    expect(page.locator("#rows > .row")).to_have_count(LETTERS)
    return page


def test_a_new_letter_appears_by_itself(inbox, dovecot, mail_user):
    inbox.get_by_role("link", name="Forty desks").click()
    expect(inbox.get_by_role("heading", name="Forty desks")).to_be_visible()
    expect(inbox.frame_locator("iframe.mail-frame").get_by_text("Hello Ines")).to_be_visible()
    inbox.mouse.move(1200, 600)  # not over the list
    inbox.evaluate("document.activeElement.blur()")

    began = time.monotonic()
    dovecot.deliver(mail_user, letter("Re: Forty desks", "And a lamp?", In_Reply_To="<desks@okafor.example>"))
    dovecot.deliver(mail_user, letter("Something new"))
    expect(inbox.locator("#rows").get_by_role("link", name="Something new")).to_be_visible(timeout=SLOW_MACHINE * 1000)
    took = time.monotonic() - began
    print(f"\nfrom the server to the page: {took:.2f} s")

    expect(inbox.locator("#rows > .row").first).to_contain_text("Something new")
    expect(inbox.locator(".conversation .message")).to_have_count(2)  # the answer joined what is open


def test_what_colleagues_do_appears_by_itself(inbox, mail_user, signed_in):
    inbox.goto("/mailboxes")
    inbox.get_by_role("link", name=mail_user.name).first.click()
    inbox.get_by_label("Give access to").select_option("everyone")
    inbox.get_by_role("button", name="Give access").click()
    inbox.goto("/")
    inbox.get_by_role("link", name="Forty desks").click()
    bar = inbox.locator(".team-bar")
    expect(bar).to_contain_text("nobody has it")
    inbox.mouse.move(1200, 850)  # not over the bar
    inbox.evaluate("document.activeElement.blur()")

    other = signed_in()  # another browser
    other.goto(inbox.url)
    other.get_by_role("button", name="Take it").click()
    expect(bar).to_contain_text("Ines Moreau")
    expect(inbox.locator(".conversation .turn")).to_have_count(1)
    expect(bar.get_by_role("button", name="Take it")).to_have_count(0)
    other.goto(inbox.url)
    other.locator("#comment > summary").click()
    other.locator("#comment-text").fill("A lamp, too?")
    other.get_by_role("button", name="Add comment").click()
    expect(inbox.locator(".conversation .team-note", has_text="A lamp, too?")).to_be_visible()


def test_new_letters_wait_behind_a_pill_while_the_list_is_in_use(inbox, dovecot, mail_user):
    row = inbox.locator("#rows > .row").nth(2)
    row.hover()
    before, name = row.bounding_box(), row.inner_text()
    dovecot.deliver(mail_user, letter("Do not move me"))
    pill = inbox.get_by_role("button", name="1 new ↑")
    expect(pill).to_be_visible(timeout=SLOW_MACHINE * 1000)
    assert inbox.locator("#rows > .row").nth(2).inner_text() == name
    assert row.bounding_box() == before
    pill.click()
    expect(inbox.locator("#rows > .row").first).to_contain_text("Do not move me")
    expect(inbox.locator("#pill")).to_be_hidden()


def test_opening_marks_as_read_on_the_server_too(inbox, dovecot, mail_user):
    link = inbox.get_by_role("link", name="Forty desks")
    expect(link).to_have_accessible_name("Unread: Forty desks")
    link.click()
    expect(inbox.get_by_role("link", name="Forty desks")).to_have_accessible_name("Forty desks", timeout=10_000)
    with dovecot.client(mail_user) as server:
        end = time.monotonic() + 20
        while time.monotonic() < end and not seen(server):
            time.sleep(0.3)
        assert seen(server)


def seen(server):
    server.enter("INBOX")
    return len(server.search(None, "SEEN")[1][0].split()) == 1
