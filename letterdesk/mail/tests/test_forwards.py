"""The letter inside of a forwarded one, in the words of many programs (R30)."""

import time
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from letterdesk.mail.dates import zone_of
from letterdesk.mail.forwards import Forwarded, forwarded_in, read_forward
from letterdesk.mail.parse import Body

CASES = tomllib.loads(Path(__file__).with_name("forwards.toml").read_text("utf-8"))


def check(case, found):
    if not case["sender"]:
        assert found is None or not found.sender.address
        return
    assert isinstance(found, Forwarded)
    assert found.sender.address == case["sender"]
    assert case.get("named", found.sender.name) == found.sender.name
    assert case.get("subject", found.subject) == found.subject
    assert case.get("to", [each.address for each in found.to]) == [each.address for each in found.to]
    if "sent_at" in case:
        assert found.sent_at.isoformat() == case["sent_at"]


@pytest.mark.parametrize("case", CASES["text"], ids=lambda case: case["name"])
def test_plain_text(case):
    check(case, forwarded_in(Body(None, case["body"], {})))


def test_a_time_is_in_the_zone_of_who_forwarded_it_and_of_the_right_half_of_the_day():
    head = "From: Amara <amara@okafor.example>\nSent: {}\nTo: Ines\nSubject: Offer\n\nHi"
    told = {
        "Monday, November 23, 2026 3:04 PM": 14,
        "Monday, November 23, 2026 3:04\u202fp.m.": 14,
        "Monday, November 23, 2026 12:04 AM": -1,
        "Monday, November 23, 2026 12:04 PM": 11,
        "Mon, 23 Nov 2026 15:04:00 -0500": 20,
    }
    midnight = datetime(2026, 11, 23, 0, 4, tzinfo=UTC)
    for written, hour in told.items():
        found = read_forward(head.format(written), timedelta(hours=1))
        assert found.sent_at == midnight + timedelta(hours=hour), written
    assert read_forward(head.format("Monday, November 23, 2026 3:04 PM")).sent_at is None  # nobody knows where
    assert zone_of("Mon, 23 Nov 2026 15:04:00 +0530 (IST)") == timedelta(hours=5.5)
    assert zone_of("Mon, 23 Nov 2026 15:04:00") is None


@pytest.mark.parametrize("case", CASES["html"], ids=lambda case: case["name"])
def test_html(case):
    check(case, forwarded_in(Body(case["body"], None, {})))


def test_what_the_inner_letter_says_stands_behind_its_head():
    bodies = {case["name"]: case["body"] for case in CASES["text"]}
    assert read_forward(bodies["Gmail, English"]).text == "Dear Ines,\nhere is our offer."
    assert read_forward(bodies["iPhone, German"]).text == "Guten Tag"
    assert read_forward(bodies["Gmail, a wrapped list of recipients"]).text == "Hello"


def test_a_head_in_html_is_found_where_the_plain_text_has_none():
    html = CASES["html"][0]["body"]
    assert forwarded_in(Body(html, "This letter is best read in HTML.", {})).sender.address == "amara@okafor.example"


@pytest.mark.parametrize(
    "text",
    [
        "From: " * 50_000,
        "> " * 200_000,
        "From: a@b.example\n" * 5_000,
        "*" * 100_000 + ":",
        "\n" * 100_000,
        f"From: a\nx{' ' * 5_000_000}y\nSent: b\nTo: c\nSubject: d",
    ],
    ids=range(6),
)
def test_what_is_made_to_take_long_does_not(text):
    began = time.process_time()
    read_forward(text)
    assert time.process_time() - began < 2
