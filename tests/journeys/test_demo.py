"""The demo as a newcomer meets it: the printed address, the printed sign-in, and a letter sent from outside."""

import os
import re
import smtplib
import subprocess
import sys
import time

import pytest
from playwright.sync_api import expect

from letterdesk.demo.company import PASSWORD
from tests.rig.ports import free_port, wait_for_port

DEMO = [sys.executable, "-m", "letterdesk", "demo"]


@pytest.fixture
def demo(tmp_path):
    """The running demo: its address, and the port of its SMTP server as it says itself."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LETTERDESK_", "DATABASE_"))}
    log = tmp_path / "demo.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*DEMO, "--listen", f"127.0.0.1:{port}", "--imap-port", "0", "--smtp-port", "0"],
            env={**kept, "LETTERDESK_DATA": str(tmp_path / "data"), "LETTERDESK_URL": f"http://127.0.0.1:{port}"},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    wait_for_port(port, timeout=120, alive=lambda: process.poll() is None)
    said = " ".join(log.read_text().split())
    yield f"http://127.0.0.1:{port}", int(re.search(r"SMTP 127\.0\.0\.1:(\d+)", said)[1])
    process.terminate()
    assert process.wait(30) == 0


def test_a_newcomer_signs_in_reads_and_sees_a_letter_arrive(chromium, demo):
    address, smtp_port = demo
    page = chromium.new_page(base_url=address)
    page.goto("/")
    page.get_by_label("Email").fill("ines@nordlicht.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    end = time.monotonic() + 30
    while not page.locator("#rows > .row").count() and time.monotonic() < end:
        page.goto("/")
        page.wait_for_timeout(300)
    expect(page.locator("#rows > .row").first).to_be_visible()
    page.mouse.move(1200, 600)  # while the pointer is over the list, new letters wait behind a pill
    with smtplib.SMTP("127.0.0.1", smtp_port) as client:
        client.sendmail(
            "you@example.org",
            ["ines@nordlicht.example"],
            b"From: you@example.org\r\nSubject: Hello from outside\r\n\r\nIt works.\r\n",
        )
    expect(page.get_by_text("Hello from outside").first).to_be_visible(timeout=30_000)
    page.goto("/tasks?view=board")
    told = page.locator('[data-value="doing"] [data-card]', has_text="Send the signed quote to Amara")
    expect(told.locator(".chip.accent")).to_be_visible(timeout=30_000)  # with its letter, which the sync has brought
    page.close()
