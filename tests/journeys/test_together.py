"""Two people at one conversation: each sees the other, and a draft is one's at a time (ux.md 1.3, 1.5)."""

import json
import re

import pytest
from playwright.sync_api import expect

from .conftest import sign_in
from .house import PASSWORD
from .test_list import users  # noqa: F401  fixtures
from .test_reminder import stored
from .test_writing import PATIENCE, SHARE, page, sink  # noqa: F401  fixtures

OMAR = "omar@acme.example"


def join(page, house, email, name, *, by):  # noqa: F811
    """A colleague follows the link of an invitation."""
    page.goto(json.loads(house.command("employee", "invite", email, "--by", by, "--json"))["link"])
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    page.wait_for_url(lambda address: "/invitations/" not in address)


@pytest.fixture
def omar(page, open_page, house):  # noqa: F811
    """A page of Omar, a colleague who reads and answers in the mailbox, too."""
    if not stored(house, "SELECT 1 FROM accounts_employee WHERE email = ?", OMAR):
        join(open_page(), house, OMAR, "Omar Haddad", by="ines@acme.example")
    house.commands.python(SHARE)
    theirs = open_page()
    sign_in(theirs, OMAR, at=house.address)
    return theirs


def test_who_else_is_reading_and_writing_is_seen(page, omar, axe):  # noqa: F811
    """Both pages are in sight; a page says of itself that it is there within seconds, and when it is left."""
    _open(page)
    omar.goto(page.url)
    expect(page.locator(".presence")).to_contain_text("Omar Haddad is reading", timeout=PATIENCE)
    expect(omar.locator(".presence")).to_contain_text("Ines Moreau is reading", timeout=PATIENCE)
    axe(page)
    _answer(omar)
    expect(page.locator(".presence")).to_contain_text("Omar Haddad is writing", timeout=PATIENCE)
    expect(omar.locator(".presence")).to_contain_text("Ines Moreau is reading", timeout=PATIENCE)
    axe(page)
    omar.goto("/drafts")
    expect(page.locator(".presence")).not_to_contain_text("Omar Haddad", timeout=PATIENCE)


def test_a_draft_is_taken_over_and_what_the_first_one_types_is_not_lost(page, omar):  # noqa: F811
    _open(page)
    _answer(page)
    page.get_by_role("textbox", name="Letter").press("Control+Home")
    page.keyboard.type("Dear Amara, ")
    saved = page.locator("[data-saved]")
    expect(saved).to_contain_text("Draft saved", timeout=PATIENCE)

    omar.goto(page.url)
    expect(omar.get_by_text("Ines Moreau is writing in this draft at this moment.")).to_be_visible()
    omar.get_by_role("button", name="Take over").click()
    expect(omar.get_by_text("is writing in this draft at this moment.")).to_have_count(0)
    page.keyboard.type("we take all forty.")
    expect(saved).to_have_text("Omar Haddad is writing in this draft.", timeout=PATIENCE)
    expect(page.get_by_role("textbox", name="Letter")).to_contain_text("Dear Amara, we take all forty.")

    theirs = omar.get_by_role("textbox", name="Letter")
    expect(theirs).to_contain_text("Dear Amara,")
    theirs.press("Control+Home")
    with omar.expect_response(lambda answer: answer.request.method == "POST" and "/drafts/" in answer.url) as saving:
        omar.keyboard.type("From Omar: ")
    assert saving.value.ok
    page.get_by_role("button", name="Send", exact=True).click()  # refused on a page of its own, with all that was typed
    expect(page.get_by_role("alert").filter(has_text="Omar Haddad is writing in this draft.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Letter")).to_contain_text("Dear Amara, we take all forty.")
    omar.reload()
    expect(theirs).to_contain_text("From Omar: Dear Amara,")
    expect(theirs).not_to_contain_text("forty")  # nothing was overwritten
    page.complaints[:] = [each for each in page.complaints if "status of 409" not in each]  # the refusals themselves


def _open(window):
    window.get_by_role("link", name=re.compile("Forty desks")).click()
    expect(window.locator(".reply-bar")).to_be_visible(timeout=PATIENCE)


def _answer(window):
    expect(window.locator(".reply-bar")).to_be_visible(timeout=PATIENCE)
    window.locator("h1").first.focus()
    window.keyboard.press("r")
    window.wait_for_url("**/drafts/*")
