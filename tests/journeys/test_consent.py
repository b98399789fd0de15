"""Sign in at a provider, have the consent taken back, sign in again: the mailbox keeps everything and goes on."""

from playwright.sync_api import expect


def test_a_mailbox_is_connected_by_consent_and_goes_on_after_a_withdrawal(
    signed_in, house, token_dovecot, consents, axe
):
    user = token_dovecot.add_user("tia", domain="oauth.example")
    token_dovecot.deliver(user, b"From: a@b.example\r\nSubject: Before the consent\r\n\r\nHello")
    page = signed_in()
    page.goto("/mailboxes/connect")
    page.get_by_label("E-mail address").fill(user.name)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/connect/sign-in", timeout=30_000)
    axe(page)
    page.get_by_role("button", name="Continue with Rigmail").click()
    page.get_by_role("button", name="Allow").click()  # at the provider
    page.wait_for_url("**/connect/choices", timeout=30_000)
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_text("Everything is here").first).to_be_visible(timeout=60_000)
    settings = page.url.removesuffix("/progress")

    consents.revoke(user.name)
    token_dovecot.doveadm("kick", user.name)  # the server ends the session
    page.goto(settings)
    again = page.get_by_role("button", name="Sign in again at Rigmail")
    for _look in range(40):
        if again.is_visible():
            break
        page.get_by_role("button", name="Sync now").click()  # at once, not after a back-off
        page.wait_for_timeout(250)
    expect(page.get_by_text("Rigmail no longer lets us in")).to_be_visible()
    axe(page)
    again.click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("Rigmail let us in, and syncing goes on.")).to_be_visible(timeout=30_000)
    with token_dovecot.client(user) as another:
        another.store_letter("INBOX", b"From: a@b.example\r\nSubject: After the consent\r\n\r\nHello")
    page.goto("/mail")
    expect(page.get_by_text("After the consent").first).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Before the consent").first).to_be_visible()
    page.goto("/help")  # the inbox would ask for what is about to go
    house.disconnect(user.name)
