"""Second factors in a real browser: a passkey by Chromium's virtual authenticator, a code by an app's arithmetic."""

import base64
import hmac
import struct
import time

import pytest

from .house import PASSWORD


@pytest.fixture
def key(signed_in):
    """A page of a colleague with a security key plugged in."""

    def plug(email):
        page = signed_in(email)
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        facts = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        session.send(
            "WebAuthn.addVirtualAuthenticator",
            {"options": {**facts, "isUserVerified": True, "automaticPresenceSimulation": True}},
        )
        return page

    return plug


@pytest.fixture(scope="module")
def people(house):
    """Two people who have an account each: what they set up here disturbs nobody's sign-in."""
    house.open_account("Keys", "kim@keys.example", "Kim Keller")
    house.open_account("Codes", "cleo@codes.example", "Cleo Conrad")


def code_of(secret: str) -> str:
    """RFC 6238: six digits of HMAC-SHA1 over the half minutes since 1970."""
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.digest(base64.b32decode(secret + "=" * (-len(secret) % 8)), counter, "sha1")
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4]) & 0x7FFFFFFF) % 1_000_000:06d}"


def confirm_password(page):
    if "reauthenticate" in page.url:
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Confirm").click()


def test_a_passkey_is_added_and_signs_in_without_a_password(key, people, axe):
    page = key("kim@keys.example")
    page.goto("/accounts/2fa/webauthn/add/")
    confirm_password(page)
    page.get_by_label("Name").fill("Kim's laptop")
    page.get_by_label("Passwordless").check()
    axe(page)
    page.get_by_role("button", name="Add").click()
    page.wait_for_url(lambda address: "add" not in address)
    page.goto("/accounts/2fa/webauthn/")
    assert page.get_by_text("Kim's laptop").is_visible()
    page.goto("/accounts/logout/")
    page.get_by_role("button", name="Sign out").click()
    page.goto("/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(lambda address: "/accounts/" not in address)
    assert page.get_by_text("Kim Keller").count()  # in the menu of the person


def test_a_code_is_asked_for_at_the_next_sign_in(signed_in, open_page, people, axe):
    page = signed_in("cleo@codes.example")
    page.goto("/accounts/2fa/totp/activate/")
    confirm_password(page)
    secret = page.get_by_label("Authenticator secret").input_value()
    axe(page)
    page.get_by_label("Authenticator code").fill(code_of(secret))
    page.get_by_role("button", name="Activate").click()
    page.wait_for_url(lambda address: "activate" not in address)
    again = open_page()
    again.goto("/accounts/login/")
    again.get_by_label("Email").fill("cleo@codes.example")
    again.get_by_label("Password").fill(PASSWORD)
    again.get_by_role("button", name="Sign in", exact=True).click()
    again.wait_for_url("**/2fa/authenticate/")
    axe(again)
    again.get_by_label("Code").fill("000000")
    again.get_by_role("button", name="Sign In").click()
    assert again.get_by_text("Incorrect code").is_visible()
    while time.time() % 30 > 25:
        time.sleep(0.5)
    again.get_by_label("Code").fill(code_of(secret))
    again.get_by_role("button", name="Sign In").click()
    again.wait_for_url(lambda address: "/accounts/" not in address)
