"""Every page, light and dark and on a telephone: no violation of WCAG 2.2 AA, nothing wider than the screen."""

import pytest
from playwright.sync_api import expect

LOOKS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "telephone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
    "narrowest": {"viewport": {"width": 320, "height": 640}},  # WCAG 1.4.10
}
PAGES = (
    "/",
    "/search",
    "/search?q=offer",
    "/mailboxes",
    "/mailboxes/connect",
    "/people",
    "/plan",
    "/plan?to=free",
    "/plans",
    "/search?q=offer&show=people",
    "/mail/snoozed",
    "/recent",
    "/where?q=offer",
    "/settings",
    "/settings/appearance",
    "/settings/keyboard",
    "/settings/images",
    "/help",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/sessions/",
    "/accounts/password/change/",
)
OUTSIDE = ("/accounts/login/", "/accounts/password/reset/")


@pytest.mark.parametrize("look", LOOKS)
def test_pages_are_accessible_and_fit(signed_in, axe, look):
    page = signed_in(**LOOKS[look])
    for address in PAGES:
        page.goto(address)
        check(page, axe)


@pytest.mark.parametrize("language", ["de", "ru"])
def test_pages_fit_in_other_languages_on_a_telephone(signed_in, language):
    page = signed_in(**LOOKS["telephone"])
    page.set_extra_http_headers({"Accept-Language": language})
    for address in PAGES:
        page.goto(address)
        assert page.evaluate("document.documentElement.lang") == language
        assert page.evaluate(TOO_WIDE) <= 0, page.url


def test_pages_fit_when_they_are_read_from_the_right(signed_in):
    page = signed_in(**LOOKS["telephone"])
    for address in PAGES:
        page.goto(address)
        page.evaluate("document.documentElement.dir = 'rtl'")
        assert page.evaluate(TOO_WIDE) <= 0, page.url


def test_an_address_that_is_not_there_helps(signed_in, axe):
    page = signed_in()
    page.goto("/nothing-here")
    check(page, axe)
    page.wait_for_timeout(200)
    page.complaints.clear()  # the browser notes the 404 itself


def test_dialogs_and_menus_are_accessible(signed_in, axe):
    page = signed_in()
    page.goto("/search")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette [role=option]").first).to_be_visible()
    axe(page)
    page.keyboard.press("Escape")
    page.locator(".rail-me").click()
    axe(page)
    page.get_by_role("link", name="Keys").click()
    expect(page.locator("#keys-dialog")).to_be_visible()
    axe(page)


@pytest.mark.parametrize("look", LOOKS)
def test_the_way_in_is_accessible_and_fits(open_page, axe, look):
    page = open_page(**LOOKS[look])
    for address in OUTSIDE:
        page.goto(address)
        check(page, axe)


def check(page, axe):
    axe(page)
    assert page.evaluate(TOO_WIDE) <= 0, page.url
    assert not page.evaluate(SMALL), page.url


TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
# WCAG 2.5.8: a target of less than 24 px, unless it stands in a line of text, or its label is the target.
SMALL = """[...document.querySelectorAll("a, button, input, select, summary")].filter((each) => {
  if (!each.checkVisibility({ visibilityProperty: true }) || each.labels?.length) return false;
  if (each.closest(".skip, p, dd, dt, label, li.found-line, td")) return false;
  const { width, height } = each.getBoundingClientRect();
  return width > 1 && (width < 23.5 || height < 23.5) && getComputedStyle(each).display !== "inline";
}).map((each) => each.outerHTML.slice(0, 90))"""
