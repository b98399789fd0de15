"""Connect a mailbox by the form: the visible test, its named errors, and nothing half-connected."""

import pytest
from playwright.sync_api import expect


@pytest.fixture
def form(signed_in):
    page = signed_in()
    page.goto("/mailboxes/connect")

    def fill(address, password, *, host, port, security="tls"):
        with page.expect_response("**/mailboxes/connect/server"):  # the address is looked up when it is typed
            page.get_by_label("E-mail address").fill(address)
            page.get_by_label("Password or app password").fill(password)
        expect(page.get_by_text("No settings were found")).to_be_visible()
        page.get_by_label("Server (IMAP)").fill(host)
        page.get_by_label("Port").first.fill(str(port))
        page.get_by_label("Security").first.select_option(security)
        page.get_by_label("User name, if not the address").fill(address)
        page.get_by_role("button", name="Test and connect").click()
        return page

    return fill


def forgive(page):
    """A refused form answers 422, which the browser's console reports."""
    page.complaints[:] = [said for said in page.complaints if "422" not in said]


def test_a_wrong_password_is_named_and_nothing_is_kept(form, house, dovecot, axe):
    user = dovecot.add_user()
    page = form(user.name, "wrong", host="localhost", port=dovecot.tls_port)
    expect(page.get_by_text("user name or password is wrong").first).to_be_visible(timeout=30_000)
    expect(page.get_by_label("E-mail address")).to_have_value(user.name)
    axe(page)
    forgive(page)
    assert user.name not in house.command("mailbox", "list", "--json")


def test_a_certificate_of_another_name_and_a_wrong_port_are_named(form, dovecot):
    user = dovecot.add_user()
    page = form(user.name, user.password, host="127.0.0.1", port=1)
    expect(page.get_by_text("refused the connection")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("waiting").first).to_be_attached()
    forgive(page)


def test_a_mailbox_is_connected_and_its_letters_come(form, dovecot, house, axe):
    user = dovecot.add_user()
    dovecot.deliver(user, b"From: a@b.example\r\nSubject: Welcome here\r\n\r\nHello")
    page = form(user.name, user.password, host="localhost", port=dovecot.tls_port)
    page.wait_for_url("**/ledger", timeout=30_000)
    expect(page.get_by_text("Connected.")).to_be_visible()
    for _attempt in range(60):
        if page.get_by_text("complete").count() >= 2:
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(page.get_by_text("complete").first).to_be_visible()
    axe(page)
    house.command("mailbox", "disconnect", user.name)
