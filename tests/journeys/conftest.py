"""A real browser in front of a whole Letterdesk."""

import json
import shutil
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.rig.sink import Sink

from .house import PASSWORD, House

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = (Path(__file__).parents[1] / "assets/axe.min.js").read_text("utf-8")
expect.set_options(timeout=15_000)  # a busy machine takes its time; what has to be quick is measured apart
LATELY = 100  # seconds; pages that want a fresh sign-in take one of five minutes
_sessions = {}  # (address of the house, e-mail address): when somebody signed in, and the cookies
WATCH_POLICY = "window.__csp=[];addEventListener('securitypolicyviolation',e=>__csp.push(e.violatedDirective))"


def pytest_collection_modifyitems(items):
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="package")
def chromium():
    """The browser of the journeys; ended after them, for while it runs Django takes this thread for an asynchronous one
    and refuses the database to other tests."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def providers(tmp_path_factory, _authorizer, token_dovecot):
    """The operator's file of OAuth providers: the rig's authorization server, for addresses at oauth.example."""
    with Sink(address_of=_authorizer.address_of) as sink:
        servers = {"imap": f"localhost:{token_dovecot.tls_port} tls", "smtp": f"127.0.0.1:{sink.port} none"}
        table = _authorizer.table(**servers, domains=["oauth.example"])
        file = tmp_path_factory.mktemp("providers") / "oauth.toml"
        lines = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
        file.write_text("\n".join(["[rigmail]", *lines]))
        yield str(file)


@pytest.fixture(scope="session")
def house(tmp_path_factory, authority, providers):
    """Letterdesk with the account of Ines; no mailbox yet."""
    running = House(tmp_path_factory.mktemp("house"), certificates=authority.file, LETTERDESK_OAUTH_PROVIDERS=providers)
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
def signed_in(open_page, house):
    """A page of Ines after signing in."""

    def enter(email="ines@acme.example", **options):
        page = open_page(**options)
        sign_in(page, email, at=house.address)
        return page

    return enter


def sign_in(page, email, *, at):
    """Sign in to the house at this address; who did so a moment ago comes in with that session."""
    since, cookies = _sessions.get((at, email), (0, []))
    if time.monotonic() < since + LATELY:
        page.context.add_cookies(cookies)
        page.goto("/")
        if "/accounts/" not in page.url:
            return
    _type_password(page, email)
    _sessions[at, email] = time.monotonic(), page.context.cookies()


def _type_password(page, email):
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
