"""`make screenshots`: every screen of the demo company in light, dark and on a telephone, as pictures to look at.

`python -m tests.screens [FOLDER] [NAME …]`; with --best the two of the README are drawn anew, too.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from letterdesk.demo.company import PASSWORD
from tests.rig.ports import free_port, wait_for_port

ROOT = Path(__file__).resolve().parent.parent
LOOKS = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
        "is_mobile": True,
        "device_scale_factor": 2,
    },
}
PAGES = {
    "drafts": "/drafts",
    "outbox": "/outbox",
    "signatures": "/settings/signatures",
    "templates": "/settings/templates",
    "search": "/search?q=chair",
    "search-people": "/search?q=chair&show=people",
    "search-files": "/search?q=chair&show=files",
    "search-nothing": "/search?q=chair+from%3Anobody",
    "search-before": "/search",
    "all-inboxes": "/mail",
    "snoozed": "/mail/snoozed",
    "awaited": "/mail/awaited",
    "mine": "/mail/mine",
    "recent": "/recent",
    "tasks": "/tasks",
    "board": "/tasks?view=board&of=all",
    "board-deadline": "/tasks?view=board&by=deadline",
    "calendar": "/tasks?view=calendar",
    "calendar-week": "/tasks?view=calendar&by=week",
    "reminders": "/reminders",
    "notifications": "/notifications",
    "telling": "/settings/notifications",
    "tasks-bin": "/tasks?view=bin",
    "new-task": "/tasks/new",
    "activities": "/crm/activities",
    "contacts": "/crm/contacts",
    "companies": "/crm/companies",
    "leads": "/crm/leads",
    "deals": "/crm/deals",
    "deals-board": "/crm/deals?view=board",
    "crm-bin": "/crm/bin",
    "duplicates": "/crm/duplicates",
    "imports": "/crm/imports",
    "asked": "/crm/asked",
    "sendsave": "/settings/sendsave",
    "polled": "/settings/sendsave/mailboxes",
    "new-contact": "/crm/contacts/new",
    "crm-settings": "/settings/crm",
    "own-fields": "/settings/crm/fields?kind=company",
    "where": "/where?q=chair",
    "mailboxes": "/mailboxes",
    "connect": "/mailboxes/connect",
    "people": "/people",
    "retention": "/settings/retention",
    "retention-preview": "/settings/retention?days=10&sent=5&drafts=",
    "holds": "/settings/holds",
    "senders": "/settings/senders",
    "domains": "/settings/domains",
    "audit": "/settings/audit",
    "audit-receipts": "/settings/audit/receipts",
    "plan": "/plan",
    "plan-calendar": "/plan/calendar",
    "plan-simulated": "/plan?to=professional",
    "plans": "/plans",
    "profile": "/settings",
    "appearance": "/settings/appearance",
    "keyboard": "/settings/keyboard",
    "images": "/settings/images",
    "security": "/accounts/2fa/",
    "totp": "/accounts/2fa/totp/activate/",
    "password": "/accounts/password/change/",
    "sessions": "/accounts/sessions/",
    "help": "/help",
    "missing": "/nothing-here",
}
OUTSIDE = {"sign-in": "/accounts/login/", "forgotten": "/accounts/password/reset/"}
BEST = {"inbox-light": "inbox.png", "board-light": "board.png", "conversation-dark": "conversation-dark.png"}


@contextmanager
def demo():
    """The demo company in a folder of its own; yields its address."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LETTERDESK_", "DATABASE_"))}
        command = [sys.executable, "-m", "letterdesk", "demo", "--listen", f"127.0.0.1:{port}"]
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "--imap-port", "0", "--smtp-port", "0", "--inbound-port", "0"],
                env={
                    **kept,
                    "LETTERDESK_DATA": f"{folder}/data",
                    "LETTERDESK_URL": f"http://127.0.0.1:{port}",
                    "LETTERDESK_GOOGLE_ID": "x",
                },
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_for_port(port, timeout=300, alive=lambda: process.poll() is None)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def sign_in(page: Page) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill("ines@nordlicht.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda address: "/accounts/" not in address)
    end = time.monotonic() + 60
    while page.locator("#rows .row").count() < 5 and time.monotonic() < end:
        page.goto("/")
        page.wait_for_timeout(500)


def rooms(page: Page, wanted: list[str]):
    """Each screen's name, when it is on the page; pages that nobody wants are not opened."""
    if not wanted or any(each.startswith("team") for each in wanted):
        yield from team(page)
    if wanted and all(each.startswith("team") for each in wanted):
        return
    page.goto("/")
    page.wait_for_timeout(900)
    yield "inbox"
    inbox = page.url
    page.mouse.move(1200, 700)
    page.get_by_role("link", name="Renewal of the framework").first.click()
    page.wait_for_timeout(1200)
    yield "conversation"
    page.locator(".reply-bar").get_by_role("button", name="Reply", exact=True).click()
    page.wait_for_timeout(900)
    yield "reply"
    page.goto(inbox)
    if not page.viewport_size or page.viewport_size["width"] > 720:
        yield from dialogs(page)
    page.locator(".rail-me").click()
    yield "me"
    yield from records(page)
    for name, address in mailbox_pages(page, inbox).items():
        page.goto(address)
        yield name
    page.goto("/mailboxes/connect")
    page.get_by_label("E-mail address").fill("ines@gmail.com")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/connect/sign-in")
    yield "connect-consent"
    for name, address in PAGES.items():
        if not wanted or any(each == name or each.startswith(f"{name}-") for each in wanted):
            page.goto(address)
            page.wait_for_timeout(250)
            yield name


def records(page: Page):
    """A contact, a company and a deal of the demo, and a letter at CRM opened in its place."""
    for plural, name in (("companies", "Okafor Studio"), ("deals", "40 standing desks"), ("contacts", "Amara Okafor")):
        page.goto(f"/crm/{plural}")
        page.get_by_role("link", name=name).first.click()
        page.wait_for_timeout(400)
        yield {"companies": "company", "deals": "deal", "contacts": "contact"}[plural]
    page.locator(".crm-talk summary").first.click()
    page.wait_for_timeout(900)
    yield "contact-letter"


def team(page: Page):
    """The team's lists of the shared mailbox, a conversation of it, to whom it can be given, and triage."""
    page.goto("/mail/mine")
    lists = page.locator("[data-team]").first.get_attribute("href") or ""
    end = time.monotonic() + 60  # the company's own work comes with the letters
    while page.locator("#rows .row").count() < 1 and time.monotonic() < end:
        page.goto("/mail/mine")
        page.wait_for_timeout(500)
    for view in ("unassigned", "others", "closed"):
        page.goto(lists.replace("unassigned", view))
        page.wait_for_timeout(300)
        yield f"team-{view}"
    page.goto(lists.replace("unassigned", "others"))
    page.locator("#rows .row-subj a").first.click()
    page.wait_for_timeout(1200)
    yield "team-conversation"
    page.keyboard.press("w")
    page.wait_for_timeout(600)
    yield "team-assign"
    page.goto(lists.replace("/mail/team/", "/triage/").removesuffix("/unassigned"))
    page.wait_for_timeout(900)
    yield "team-triage"


def dialogs(page: Page):
    page.keyboard.press("Control+k")
    page.wait_for_timeout(500)
    page.keyboard.type("in")
    page.wait_for_timeout(500)
    yield "palette"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_timeout(500)
    yield "keys"
    page.keyboard.press("Escape")
    page.locator(".search-more").click()
    yield "builder"
    page.keyboard.press("Escape")


def mailbox_pages(page: Page, inbox: str) -> dict[str, str]:
    page.goto(inbox)
    settings = page.locator(".shelf-settings").first.get_attribute("href")
    return {"mailbox": settings, "ledger": f"{settings}/ledger", "progress": f"{settings}/progress"} if settings else {}


def photograph(browser: Browser, address: str, folder: Path, wanted: list[str]) -> None:
    for look, options in LOOKS.items():
        context = browser.new_context(base_url=address, **options)
        page = context.new_page()
        for name, outside in OUTSIDE.items():
            page.goto(outside)
            _shoot(page, folder, f"{name}-{look}", wanted)
        sign_in(page)
        for name in rooms(page, wanted):
            _shoot(page, folder, f"{name}-{look}", wanted)
        context.close()


def _shoot(page: Page, folder: Path, name: str, wanted: list[str]) -> None:
    if not wanted or name in wanted or name.rpartition("-")[0] in wanted:
        page.screenshot(path=folder / f"{name}.png")


def main() -> None:
    words = [word for word in sys.argv[1:] if word != "--best"]
    folder = Path(words[0] if words else ROOT / "build/screens")
    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        photograph(browser, address, folder, words[1:])
        browser.close()
    if "--best" in sys.argv:
        for name, kept in BEST.items():
            shutil.copy(folder / f"{name}.png", ROOT / "docs/images" / kept)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")


if __name__ == "__main__":
    main()
