"""Connect a mailbox by the wizard: four steps, named errors with ways out, and nothing half-connected."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def wizard(signed_in):
    """Go to step 2 with these settings filled in."""
    page = signed_in()

    def fill(address, password, *, host, port, security="tls", page=page):
        page.goto("/mailboxes/connect")
        page.get_by_label("E-mail address").fill(address)
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url("**/connect/sign-in", timeout=30_000)
        page.get_by_label("Password or app password").fill(password)
        page.get_by_label("Server (IMAP)").fill(host)
        page.get_by_label("Port").first.fill(str(port))
        page.get_by_label("Security").first.select_option(security)
        page.get_by_label("User name, if not the address").fill(address)
        return page

    return fill


def press(page, name):
    page.get_by_role("button", name=name).click()


def forgive(page):
    """A refused form answers 409 or 422, which the browser's console reports."""
    page.complaints[:] = [said for said in page.complaints if "422" not in said and "409" not in said]


def test_a_wrong_password_is_named_and_nothing_is_kept(wizard, house, dovecot, axe):
    user = dovecot.add_user()
    page = wizard(user.name, "wrong", host="localhost", port=dovecot.tls_port)
    press(page, "Test and continue")
    expect(page.get_by_text("user name or password is wrong").first).to_be_visible(timeout=30_000)
    assert page.evaluate("document.activeElement.id") == "failed"  # the step that failed has the focus
    page.get_by_text("Technical details").click()
    expect(page.get_by_label("What the server said")).to_have_value(re.compile("error: auth_failed"))
    expect(page.get_by_label("Server (IMAP)")).to_have_value("localhost")
    axe(page)
    forgive(page)
    assert user.name not in house.command("mailbox", "list", "--json")


def test_a_wrong_port_is_named_and_one_button_tries_the_usual_one(wizard, dovecot):
    user = dovecot.add_user()
    page = wizard(user.name, user.password, host="localhost", port=1)
    press(page, "Only test")
    expect(page.get_by_text("refused the connection")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("waiting").first).to_be_attached()
    press(page, "Try port 143 with STARTTLS")
    expect(page.get_by_label("Port").first).to_have_value("143", timeout=30_000)
    forgive(page)


def test_a_certificate_of_another_name_is_named_and_its_name_offered(wizard, dovecot_server):
    elsewhere = dovecot_server(certificate="wrong-name")
    user = elsewhere.add_user()
    page = wizard(user.name, user.password, host="localhost", port=elsewhere.tls_port)
    press(page, "Only test")
    expect(page.get_by_text("The certificate of localhost is for mail.elsewhere.example.")).to_be_visible(
        timeout=30_000
    )
    press(page, "Use mail.elsewhere.example")
    expect(page.get_by_label("Server (IMAP)")).to_have_value("mail.elsewhere.example", timeout=30_000)
    forgive(page)


def test_a_mailbox_is_connected_in_four_steps_and_its_letters_come(wizard, dovecot, house, axe):
    user = dovecot.add_user()
    dovecot.deliver(user, b"From: a@b.example\r\nSubject: Welcome here\r\n\r\nHello")
    page = wizard(user.name, user.password, host="localhost", port=dovecot.tls_port)
    press(page, "Test and continue")
    page.wait_for_url("**/connect/choices", timeout=30_000)
    expect(page.get_by_label("How far back")).to_contain_text("the last 30 days · 1 letter,")
    axe(page)
    page.go_back()
    page.go_forward()
    page.get_by_role("checkbox", name="Trash").uncheck()
    press(page, "Connect")
    page.wait_for_url("**/progress", timeout=30_000)
    expect(page.get_by_text("Everything is here").first).to_be_visible(timeout=60_000)  # by itself, without a reload
    expect(page.locator("#progress[hx-trigger]")).to_have_count(0)  # and asks no more
    page.get_by_text("Left out, and why").click()
    expect(page.get_by_text("Trash: switched off")).to_be_visible()
    axe(page)
    page.reload()
    page.get_by_role("link", name="Go to the inbox").click()
    expect(page.get_by_text("Welcome here").first).to_be_visible()
    page.goto("/help")  # the inbox would ask for what is about to go
    house.disconnect(user.name)
