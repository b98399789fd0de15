"""A task from a letter by one key, its page, and the bin with what it takes along (R4, R29, ux.md 1.7)."""

import re

import pytest
from playwright.sync_api import expect

from .test_list import focus, mailbox_with, row, users  # noqa: F401  fixtures

PATIENCE = 30_000


@pytest.fixture
def page(mailbox_with):  # noqa: F811
    page, _user = mailbox_with(3)
    return page


def test_from_a_letter_by_one_key_to_the_bin_and_back(page, axe):
    focus(page, "Letter 001")
    page.keyboard.press("t")
    panel = page.locator("#panel-task")
    expect(panel.get_by_label("Title")).to_have_value("Letter 001")
    expect(panel.get_by_label("Title")).to_be_focused()
    axe(page)
    page.keyboard.type("Answer Person 001")
    page.keyboard.press("Enter")
    expect(page.get_by_text("is made.")).to_be_visible()
    expect(panel).to_be_hidden()
    expect(row(page, "Letter 001").locator(".chip.accent")).to_be_visible(timeout=PATIENCE)  # kept by the task

    page.get_by_role("link", name=re.compile("Letter 001")).click()
    expect(page.get_by_text(re.compile(r"Kept: linked to task #\d+"))).to_be_visible(timeout=PATIENCE)
    axe(page)

    page.locator("h1").first.focus()
    page.keyboard.press("g")
    page.keyboard.press("k")
    page.wait_for_url("**/tasks")
    axe(page)
    page.get_by_role("link", name=re.compile("Answer Person 001")).click()
    expect(page.frame_locator(".mail-frame").locator("body")).to_contain_text("Hello", timeout=PATIENCE)
    axe(page)

    page.get_by_placeholder("New line").fill("Ask for the number")
    page.get_by_placeholder("New line").press("Enter")
    page.get_by_role("button", name="Done: Ask for the number").click()
    expect(page.get_by_role("button", name="Done: Ask for the number")).to_have_attribute("aria-pressed", "true")

    page.get_by_role("link", name="Delete…").click()
    expect(page.get_by_text("1 letter goes into the bin")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Into the bin").click()
    expect(page.get_by_text("1 letter went along.")).to_be_visible()
    page.goto("/")
    expect(page.locator("#rows > .row")).to_have_count(2)

    page.goto("/tasks?view=bin")
    axe(page)
    page.get_by_role("link", name=re.compile("Answer Person 001")).click()
    axe(page)
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("1 letter came with it.")).to_be_visible()
    page.goto("/")
    expect(page.locator("#rows > .row")).to_have_count(3)


def test_a_title_that_is_missing_is_said_in_the_popover(page):
    focus(page, "Letter 002")
    page.keyboard.press("t")
    panel = page.locator("#panel-task")
    panel.get_by_label("Title").evaluate("field => { field.required = false; field.value = '' }")
    panel.get_by_role("button", name="Make the task").click()
    expect(panel.get_by_text("This field is required.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
