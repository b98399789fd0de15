"""The key `m` and its undo, in the list, in the conversation, and after another tab's."""

from playwright.sync_api import expect

from .test_list import focus, mailbox_with, row, users  # noqa: F401  fixtures


def test_m_mutes_and_m_or_z_takes_it_back_in_the_list_and_in_the_conversation(mailbox_with):  # noqa: F811
    page, _user = mailbox_with(2)
    first = row(page, "Letter 000")
    is_muted = page.locator("#rows > .row[data-muted]").get_by_text("muted")
    press = page.keyboard.press

    focus(page, "Letter 000")
    press("m")
    expect(page.locator(".toast", has_text="Muted")).to_be_visible()
    expect(is_muted).to_have_count(1)
    press("z")
    expect(is_muted).to_have_count(0)
    expect(page.locator("#rows > .row[data-muted]")).to_have_count(0)

    press("Enter")
    conversation = page.locator(".conversation")
    expect(conversation.locator("h1")).to_be_focused()
    press("m")
    expect(conversation.locator(".chip", has_text="Muted")).to_be_visible()
    expect(is_muted).to_have_count(1)

    tab = page.context.new_page()
    tab.goto(page.url)
    expect(tab.locator(".conversation h1")).to_have_text("Letter 000")
    tab.keyboard.press("m")
    expect(tab.locator("#rows > .row[data-muted]")).to_have_count(0)
    expect(tab.locator(".toast", has_text="no longer")).to_be_visible()
    tab.close()
    page.evaluate("document.dispatchEvent(new CustomEvent('letterdesk:resync'))")
    expect(first).not_to_have_attribute("data-muted", "")
    expect(conversation.locator(".chip", has_text="Muted")).to_be_hidden()
    press("m")  # mutes, as the row says
    expect(is_muted).to_have_count(1)
    expect(conversation.locator(".chip", has_text="Muted")).to_be_visible()
