"""Somebody outside takes part in a task by e-mail: invited, answering past any mailbox, and no more once removed."""

import re
import smtplib
import time
from email.utils import parseaddr

import pytest
from playwright.sync_api import expect

from .test_list import users  # noqa: F401  fixtures
from .test_writing import PATIENCE, page, sink, taken, wait_to_undo  # noqa: F401  fixtures

ANSWER = """\
Authentication-Results: mx.free.example; dkim=pass header.d=mensah.example
From: Kofi Mensah <kofi@mensah.example>
To: {address}
Subject: Re: Measure the roof
Message-ID: <{name}@mensah.example>
Date: Mon, 23 Nov 2026 10:05:00 +0000
Content-Type: text/plain; charset=utf-8

It is {name} metres wide.
"""


def answer(house, address, name):
    """As the company's mail server hands it over."""
    with smtplib.SMTP("127.0.0.1", house.inbound_port, timeout=30) as smtp:
        smtp.sendmail("kofi@mensah.example", [address], ANSWER.format(address=address, name=name))


def wait_for(page, locator):  # noqa: F811
    """The page of a task is fetched anew until a letter has become a comment."""
    address, end = page.url.partition("#")[0], time.monotonic() + PATIENCE / 1000
    while not locator.count() and time.monotonic() < end:
        page.wait_for_timeout(300)
        page.goto(address)
    expect(locator).to_be_visible()


def test_a_guest_is_invited_answers_by_mail_and_is_removed(page, house, sink, axe):  # noqa: F811
    wait_to_undo(house, seconds=0)
    page.goto("/tasks/new")
    page.get_by_label("Title").fill("Measure the roof")
    page.get_by_role("button", name="Make the task").click()
    page.goto("/tasks")
    page.get_by_role("link", name=re.compile("Measure the roof")).first.click()
    page.wait_for_url("**/tasks/*")
    page.get_by_text("Invite a guest").click()
    guests = page.locator("#guests")
    guests.get_by_label("E-mail address").fill("kofi@mensah.example")
    guests.get_by_label("Name", exact=True).fill("Kofi Mensah")
    guests.get_by_label("What you want to tell them").fill("How wide is it?")
    axe(page)
    guests.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_text("Kofi Mensah is invited.")).to_be_visible()

    invitation = taken(sink, 1)
    assert "How wide is it?" in invitation.get_body(("plain",)).get_content()
    address = parseaddr(invitation["Reply-To"])[1]
    assert re.fullmatch(r"task-\S+@in\.acme\.example", address)

    answer(house, address, "twelve")
    said = page.locator(".task-comment", has_text="It is twelve metres wide.")
    wait_for(page, said)
    expect(said).to_contain_text("Kofi Mensah")
    expect(said).to_contain_text("guest")
    axe(page)

    guests.get_by_role("button", name="Remove: Kofi Mensah").click()
    expect(page.get_by_text("What they wrote stays.")).to_be_visible()
    expect(said).to_be_visible()
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        answer(house, address, "thirteen")
