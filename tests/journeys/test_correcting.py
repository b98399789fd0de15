"""A letter went to the wrong deal: moved once, and the next letters go where the person said (features.md, CRM)."""

import re

from playwright.sync_api import expect

from .test_list import mailbox_with, users  # noqa: F401  fixtures
from .test_new_letter import letter
from .test_task_guest import wait_for

BELA = "Bela Roth <bela@roth.example>"


def make(page, kind, **fields):
    """A record by the form; its page is open then."""
    page.goto(f"/crm/{kind}/new")
    for label, text in fields.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name=fields["Name"])).to_be_visible()
    return page.url


def entries(page, subject):
    return page.locator(".crm-talk", has_text=subject).locator("details.message")


def test_a_wrong_deal_is_corrected_and_the_next_letters_follow(mailbox_with, dovecot, axe):  # noqa: F811
    page, user = mailbox_with(1)
    make(page, "contacts", Name="Bela Roth", **{"Email addresses, one a line": "bela@roth.example"})
    right = make(page, "deals", Name="The right roof", Contact="Bela Roth")
    wrong = make(page, "deals", Name="The wrong floor", Contact="Bela Roth")  # was active last

    dovecot.deliver(user, letter("About the roof", sender=BELA, Message_ID="<one@roth.example>"))
    page.goto(wrong)
    wait_for(page, entries(page, "About the roof"))
    entries(page, "About the roof").locator("summary").click()
    page.get_by_role("link", name="Move or take away").click()
    page.wait_for_url("**/places")
    card = page.locator(".card", has=page.get_by_role("heading", name=re.compile("The wrong floor")))
    expect(card).to_contain_text("open deal that was active last")
    card.get_by_label("The whole conversation").check()
    card.get_by_label("Also later letters of").check()
    card.get_by_text("Move to another record").click()
    card.get_by_label(re.compile("The right roof")).check()
    axe(page)
    card.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_text("1 letter moved to The right roof.")).to_be_visible()
    axe(page)

    reply = letter("Re: About the roof", sender=BELA, Message_ID="<two@roth.example>", In_Reply_To="<one@roth.example>")
    dovecot.deliver(user, reply)
    dovecot.deliver(user, letter("Something new", sender=BELA, Message_ID="<three@roth.example>"))
    page.goto(right)
    wait_for(page, entries(page, "About the roof").nth(1))  # the conversation
    wait_for(page, entries(page, "Something new"))  # and what answers none
    page.goto(wrong)
    expect(page.locator(".crm-talk")).to_have_count(0)

    page.goto(right)
    entries(page, "Something new").locator("summary").click()
    expect(entries(page, "Something new")).to_contain_text("A colleague said that letters of this address belong here")
    page.get_by_role("button", name="Take it away from The right roof").click()  # one click, and one to take it back
    expect(page.get_by_text("1 letter taken away from The right roof.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 letter more at The right roof.")).to_be_visible()
