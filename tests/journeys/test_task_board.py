"""The board and the calendar in a real browser: a task is moved by mouse, by keys and by its menu (ux.md 1.16)."""

import pytest
from playwright.sync_api import expect

STOP = """card => fetch(card.dataset.to, {
  method: "POST",
  headers: { "X-CSRFToken": JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"] },
  body: new URLSearchParams({ status: "todo" }),
})"""


def card(page, title):
    return page.locator("[data-card]", has_text=title)


def place(page, value):
    return page.locator(f'[data-put][data-value="{value}"]')


@pytest.fixture
def page(signed_in):
    page = signed_in()
    for title in ("Call Amara", "Write to Tom"):
        page.goto("/tasks?view=board")
        page.get_by_placeholder("New task of mine").fill(title)
        page.get_by_role("button", name="Add").click()
        expect(card(page, title)).to_be_visible()
    return page


def test_by_mouse_by_keys_by_menu_and_what_a_colleague_did_meanwhile(page, axe):
    card(page, "Call Amara").drag_to(place(page, "doing"))
    expect(place(page, "doing").locator("[data-seen=doing]", has_text="Call Amara")).to_be_visible()
    axe(page)

    card(page, "Write to Tom").locator("a").focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(place(page, "doing").locator("[data-seen=doing]", has_text="Write to Tom")).to_be_visible()
    expect(page.locator("[data-card]:focus-within")).to_contain_text("Write to Tom")
    expect(page.locator("task-board [role=status]")).to_have_text("Write to Tom: In progress")

    card(page, "Call Amara").locator("summary").click()
    axe(page)
    page.get_by_role("button", name="Done", exact=True).click()
    expect(place(page, "done").locator("[data-seen=done]", has_text="Call Amara")).to_be_visible()

    page.route(
        "**/tasks?view=board", lambda asked: asked.abort()
    )  # the page does not learn that a colleague is quicker
    card(page, "Write to Tom").evaluate(STOP)
    card(page, "Write to Tom").drag_to(place(page, "done"))
    expect(page.get_by_text("stays where they put it")).to_be_visible()
    page.unroute("**/tasks?view=board")
    page.reload()
    expect(place(page, "todo").locator("[data-card]", has_text="Write to Tom")).to_be_visible()
    page.complaints.clear()  # the browser notes the 409 and the refused request itself

    page.goto("/tasks?view=calendar")
    axe(page)
    today = page.locator(".day.today").get_attribute("data-value")
    card(page, "Write to Tom").drag_to(place(page, today))
    expect(place(page, today).locator('[data-card]:not([data-seen="none"])')).to_contain_text("Write to Tom")
    card(page, "Write to Tom").locator("a").focus()
    page.keyboard.press("Shift+ArrowUp")  # the week before, in this month's page or no move at all in its first week
    expect(page.locator("[data-card]:focus-within")).to_contain_text("Write to Tom")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    axe(page)
