"""A company gives its contacts fields of their own, fills them in, and finds people by them."""

import re

from playwright.sync_api import expect


def define(page, name, kind, *, options="", required=False, listed=False):
    page.goto("/settings/crm")
    page.get_by_role("link", name="Own fields…").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("What it holds").select_option(label=kind)
    page.get_by_label("Options, one a line").fill(options)
    page.get_by_label("Has to be filled in").set_checked(required)
    page.get_by_label("Shown in the list").set_checked(listed)
    page.get_by_role("button", name="Make a field").click()
    expect(page.get_by_text(f"There is a field “{name}” now.")).to_be_visible()


def add(page, name, tier):
    page.goto("/crm/contacts/new")
    page.get_by_label("Name", exact=True).fill(name)
    if tier:
        page.get_by_label("Tier").select_option(label=tier)
    page.get_by_role("button", name="Add", exact=True).click()


def change_all(page, axe):
    """The contacts of the list get a label, chosen by the keyboard and by the tick of the page; it is taken back."""
    number = page.locator("[data-rows] > tr").count()  # journeys before have left some
    page.get_by_role("link", name="Bo Chen").focus()
    page.keyboard.press("x")
    expect(page.get_by_role("status").filter(has_text="1 selected")).to_be_visible()
    page.get_by_label("Select all on this page").check()
    page.get_by_label("Select Bo Chen").uncheck()
    page.keyboard.press("Tab")
    page.get_by_label("Select Bo Chen").check()
    expect(page.get_by_role("status").filter(has_text=f"{number} selected")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Change…").click()
    expect(page.get_by_role("heading", name=f"{number} selected")).to_be_visible()
    axe(page)
    page.get_by_label("Add a label").fill("Fair")
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"{number} got the label “Fair”.")).to_be_visible()
    expect(page.get_by_role("row", name="Bo Chen").get_by_text("Fair")).to_be_visible()
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.get_by_text(f"{number} are as they were.")).to_be_visible()


def test_a_field_is_defined_filled_in_and_people_are_found_by_it(signed_in, axe):
    page = signed_in()
    define(page, "Tier", "One of several options", options="Gold\nSilver", required=True, listed=True)
    define(page, "Interests", "Any of several options", options="Mail\nTasks")
    define(page, "Yearly turnover", "Amount of money")
    define(page, "Renewal", "Date")
    axe(page)

    add(page, "Amara Okafor", "Gold")
    expect(page.get_by_role("heading", name="Amara Okafor")).to_be_visible()
    page.get_by_text("Change", exact=True).click()
    page.get_by_role("group", name="Yearly turnover").get_by_label("Amount").fill("plenty")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("“plenty” is not a number such as 1200.5.")).to_be_visible()
    page.complaints.clear()  # the browser tells of what was refused
    axe(page)
    page.get_by_role("group", name="Yearly turnover").get_by_label("Amount").fill("1.200.000,00")
    page.get_by_role("group", name="Yearly turnover").get_by_label("Currency").fill("eur")
    page.get_by_role("group", name="Interests").get_by_label("Tasks").check()
    page.get_by_label("Renewal").fill("2027-01-31")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".crm-facts")).to_contain_text("1,200,000.00 EUR")
    axe(page)

    add(page, "Bo Chen", "")  # the browser asks for what is required
    expect(page).to_have_url(re.compile(r"/new$"))
    page.get_by_label("Tier").select_option(label="Silver")
    page.get_by_role("button", name="Add", exact=True).click()
    page.goto("/crm/contacts")
    expect(page.get_by_role("columnheader", name="Tier")).to_be_visible()
    expect(page.get_by_role("row", name="Bo Chen").get_by_role("cell", name="Silver")).to_be_visible()
    change_all(page, axe)
    page.locator(".crm-filter-more > summary").click()
    page.locator(".crm-own-filters").get_by_label("Tier").select_option(label="Gold")
    page.get_by_role("group", name="Renewal").get_by_label("from").fill("2027-01-01")
    page.locator(".crm-filter-more").get_by_role("button", name="Find").click()
    expect(page.get_by_role("link", name="Amara Okafor")).to_be_visible()
    expect(page.get_by_role("link", name="Bo Chen")).to_have_count(0)
    axe(page)

    page.goto("/settings/crm/fields")
    page.get_by_role("link", name=re.compile(r"Change.*Tier")).click()
    expect(page.get_by_role("button", name="Delete it, and what it says at 2 records")).to_be_visible()
    axe(page)
