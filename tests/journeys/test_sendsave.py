"""A forward from a phone lands at the client's timeline, without Webmail, and what cannot be told asks (R30, D09)."""

import re
import smtplib
import time

from playwright.sync_api import expect

from .house import PASSWORD

FORWARD = """\
From: Fay Miller <fay@free.example>
To: {address}
Subject: Fwd: Offer for the roof
Message-ID: <{name}@free.example>
Date: Mon, 23 Nov 2026 10:05:00 +0000
Content-Type: text/plain; charset=utf-8

Sent from my iPhone

Begin forwarded message:

> From: {inner}
> Date: November 23, 2026 at 10:00:00 AM GMT
> To: fay@free.example
> Subject: Offer for the roof
>
> Dear Fay, here is our offer of {name}.
"""
PROVED = "Authentication-Results: mx.free.example; dkim=pass header.d=free.example\n"


def hand_over(house, address, name, *, inner="Amara Okafor <amara@okafor.example>", found=PROVED):
    """As the company's mail server does it."""
    letter = found + FORWARD.format(address=address, name=name, inner=inner)
    with smtplib.SMTP("127.0.0.1", house.inbound_port, timeout=30) as smtp:
        smtp.sendmail("fay@free.example", [address], letter)


def wait_for(page, url, text):
    end = time.monotonic() + 30
    page.goto(url)
    while not page.get_by_text(text).count() and time.monotonic() < end:
        page.wait_for_timeout(300)
        page.goto(url)
    expect(page.get_by_text(text).first).to_be_visible()


def test_a_forward_from_a_phone_lands_at_the_client_on_a_plan_without_webmail(house, signed_in, axe):
    house.command(
        "account", "create", "Free Co", "--administrator", "fay@free.example", "--name", "Fay Miller",
        "--plan", "free", "--password-stdin", secret=PASSWORD,
    )  # fmt: skip
    page = signed_in("fay@free.example")
    page.goto("/settings/sendsave")
    page.get_by_role("button", name=re.compile("Make the address")).first.click()
    address = page.get_by_role("textbox", name="Your address").input_value()
    assert re.fullmatch(r"save-[a-z2-7]{24}@in\.acme\.example", address)
    expect(page.get_by_role("button", name="Copy").first).to_be_visible()
    axe(page)

    hand_over(house, address, "one")
    wait_for(page, "/crm/asked", "Nobody in CRM has this address.")
    axe(page)
    page.get_by_role("button", name="Save to CRM as new").click()
    expect(page.get_by_text("Saved to CRM.")).to_be_visible()
    expect(page.get_by_text("Forwarded by")).to_be_visible()

    page.get_by_role("link", name="Amara Okafor").first.click()
    client = page.url
    hand_over(house, address, "two", found="")
    wait_for(page, client, "unverified")
    expect(page.locator(".message-line", has_text="offer of one")).to_be_visible()
    expect(page.locator(".message-line", has_text="offer of two")).to_be_visible()
    page.locator("details.message", has_text="unverified").locator("summary").click()
    page.get_by_role("button", name="I know it is").click()
    expect(page.get_by_text("Confirmed.")).to_be_visible()
    axe(page)
    page.goto(client)
    expect(page.get_by_text("unverified")).to_have_count(0)

    hand_over(house, address, "three", inner="Okafor, Amara")
    wait_for(page, "/crm/asked", "cannot be read")
    page.get_by_label("Who wrote it").fill("amara@okafor.example")
    page.get_by_role("button", name="Save to CRM").click()
    expect(page.get_by_role("link", name="Amara Okafor").first).to_be_visible()
