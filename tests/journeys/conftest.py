"""A real browser in front of a whole Letterdesk."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from .house import PASSWORD, House

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = (Path(__file__).parents[1] / "assets/axe.min.js").read_text("utf-8")
expect.set_options(timeout=15_000)  # a busy machine takes its time; what has to be quick is measured apart
WATCH_POLICY = "window.__csp=[];addEventListener('securitypolicyviolation',e=>__csp.push(e.violatedDirective))"


def pytest_collection_modifyitems(items):
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def chromium():
    """The browser of this session."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def house(tmp_path_factory, authority):
    """Letterdesk with the account of Ines; no mailbox yet."""
    running = House(tmp_path_factory.mktemp("house"), certificates=authority.file)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def open_page(chromium, house):
    """Open pages that may not complain: no script error, no broken policy, no failed request of our own."""
    contexts = []

    def enter(**options):
        context = chromium.new_context(
            base_url=house.address, **{"viewport": {"width": 1440, "height": 900}, **options}
        )
        page = context.new_page()
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda said: page.complaints.append(complaint(said)) if said.type == "error" else None)
        page.add_init_script(WATCH_POLICY)
        contexts.append((context, page))
        return page

    yield enter
    for context, page in contexts:
        violations = page.evaluate("window.__csp ?? []")
        complaints = page.complaints
        context.close()
        assert not violations
        assert not complaints


def complaint(said):
    """What the browser's console said, and about which address."""
    return f"{said.text} {said.location['url']}"


@pytest.fixture
def signed_in(open_page):
    """A page of Ines after signing in."""

    def enter(email="ines@acme.example", **options):
        page = open_page(**options)
        sign_in(page, email)
        return page

    return enter


def sign_in(page, email):
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda address: "/accounts/" not in address)


@pytest.fixture
def axe():
    """No violation of WCAG 2.2 AA or of good practice on the page."""

    def check(page):
        page.evaluate(AXE)
        found = page.evaluate("axe.run(document, {iframes: false})")
        problems = [(each["id"], each["nodes"][0]["target"]) for each in found["violations"]]
        assert not problems

    return check
