"""A template with formatting and a file, put into a letter where one writes: `/`, a few letters, Enter (ux.md 1.3)."""

import re

from playwright.sync_api import expect

from .test_list import users  # noqa: F401  fixture
from .test_writing import page, sink, taken  # noqa: F401  fixtures


def test_a_template_is_found_by_its_name_and_goes_out_with_its_file(page, sink, axe):  # noqa: F811
    _write_templates(page, axe)
    page.goto("/")
    page.keyboard.press("c")
    page.wait_for_url("**/drafts/*")
    page.keyboard.type("amara@okafor.example,")
    letter = page.get_by_role("textbox", name="Letter")
    letter.click()
    page.keyboard.type("Hello")
    page.keyboard.press("Enter")
    page.keyboard.type("and/or ")  # not at the beginning of a line
    expect(page.get_by_role("listbox", name="Templates")).to_be_hidden()
    page.keyboard.press("Enter")

    page.keyboard.type("/")
    options = page.get_by_role("listbox", name="Templates").get_by_role("option")
    expect(options).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox", name="Templates")).to_be_hidden()
    page.keyboard.type("of")
    expect(letter).to_contain_text("/of")  # Escape leaves what is typed
    for _sign in "/of":
        page.keyboard.press("Backspace")

    page.keyboard.type("/")
    expect(options).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    assert letter.get_attribute("aria-activedescendant") == options.nth(1).get_attribute("id")
    axe(page)
    page.keyboard.type("off")
    expect(options).to_have_count(1)
    expect(letter).to_be_focused()
    page.keyboard.press("Enter")
    expect(letter.locator("b")).to_have_text("Forty chairs")
    expect(letter).not_to_contain_text("/off")
    expect(page.get_by_role("link", name="prices.txt")).to_be_visible()
    expect(page.get_by_label("Subject")).to_have_value("Our offer")
    page.keyboard.type("Kind regards")
    expect(letter.locator("div", has_text=re.compile(r"^\s*Kind regards\s*$"))).to_have_count(1)  # a line of its own
    expect(page.locator("[data-saved]")).to_contain_text("Draft saved")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Sent.", exact=True)).to_be_visible()

    sent = taken(sink, 1)
    assert [part.get_content().strip() for part in sent.iter_attachments()] == ["4,200 each"]
    html = sent.get_body(("html",)).get_content()
    assert html.index("Hello") < html.index("<b>Forty chairs</b>") < html.index("Kind regards")


def _write_templates(page, axe):  # noqa: F811
    page.goto("/settings/templates")
    page.get_by_label("Name").fill("Offer")
    page.get_by_label("Subject").fill("Our offer")
    page.get_by_role("textbox", name="Text").click()
    page.keyboard.press("Control+b")
    page.keyboard.type("Forty chairs")
    page.keyboard.press("Control+b")
    page.keyboard.type(" for you")
    file = {"name": "prices.txt", "mimeType": "text/plain", "buffer": b"4,200 each"}
    page.get_by_label("Files that go along").set_input_files(file)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    page.get_by_label("Name").fill("Invoice")
    page.get_by_role("textbox", name="Text").fill("Here is the invoice.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("summary", has_text="Invoice")).to_be_visible()  # the page after saving
    page.locator("summary", has_text="Offer").click()
    axe(page)
    page.get_by_role("link", name=re.compile("Change.*Offer")).click()
    expect(page.get_by_role("textbox", name="Text").locator("b")).to_have_text("Forty chairs")
    expect(page.get_by_role("link", name="prices.txt")).to_be_visible()
    axe(page)
