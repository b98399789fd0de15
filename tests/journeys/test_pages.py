"""Every page, light and dark and on a telephone: no violation of WCAG 2.2 AA, nothing wider than the screen."""

import pytest

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
    "/plans",
    "/settings",
    "/help",
    "/accounts/2fa/",
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


@pytest.mark.parametrize("look", LOOKS)
def test_the_way_in_is_accessible_and_fits(open_page, axe, look):
    page = open_page(**LOOKS[look])
    for address in OUTSIDE:
        page.goto(address)
        check(page, axe)


def check(page, axe):
    axe(page)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.url
