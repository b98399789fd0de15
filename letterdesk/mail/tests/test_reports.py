"""Reports of mail systems: read as RFC 3464 has them, in prose with care, and nothing else is taken for one."""

import time
import tomllib
from pathlib import Path

import pytest

from letterdesk.mail.parse import parse_letter
from letterdesk.mail.reports import MOST_REASON, MOST_RECIPIENTS, Fate, read_report

SAMPLES = tomllib.loads(Path(__file__).with_name("reports.toml").read_text("utf-8"))["report"]


def raw_of(sample, ends):
    return sample["raw"].lstrip("\n").replace("\n", ends).encode()


def report(status, *, boundary="b"):
    """A report around the fields of one recipient."""
    head = f'From: MAILER-DAEMON@x.example\nContent-Type: multipart/report; boundary="{boundary}"\n\n'
    part = f"--{boundary}\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n{status}\n\n"
    original = f"--{boundary}\nContent-Type: text/rfc822-headers\n\nMessage-ID: <a@acme.example>\n\n--{boundary}--\n"
    return (head + part + original).encode()


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["name"])
def test_a_report_is_read_and_nothing_else(sample, ends):
    found = read_report(raw_of(sample, ends))
    if "told" not in sample:
        assert found is None
        return
    assert found is not None
    assert found.message_ids == (sample["id"],)
    assert [[each.address, each.fate, each.status] for each in found.recipients] == sample["told"]
    assert found.recipients[0].original in {sample.get("original", found.recipients[0].address), ""}


def test_the_reason_is_the_servers_own_in_one_line():
    [told] = read_report(raw_of(SAMPLES[0], "\r\n")).recipients
    assert told.reason == "550 5.1.1 <bo@client.example>: Recipient address rejected: User unknown"


@pytest.mark.parametrize(
    ("status", "fate"),
    [("5.1.1", "hard"), ("5.1.2", "hard"), ("5.2.1", "hard"), ("5.2.2", "soft"), ("5.7.1", "soft"), ("5.0.0", "soft"),
     ("5.3.4", "soft"), ("5.4.4", "soft"), ("4.1.1", "soft"), ("5.11.1", "soft"), ("", "soft")],
)  # fmt: skip
def test_only_a_code_that_says_there_is_no_such_address_is_for_good(status, fate):
    raw = report(f"Final-Recipient: rfc822; bo@client.example\nAction: failed\nStatus: {status}")
    assert read_report(raw).recipients[0].fate == fate


@pytest.mark.parametrize(
    "reason",
    ["smtp; 550 reached 192.5.1.1 and 10.5.1.1.2", "smtp; 550 version 15.1.10", "smtp; 550 4.1.1 later",
     "smtp; 550 no such user"],
)  # fmt: skip
def test_numbers_in_a_reason_are_no_code(reason):
    raw = report(
        f"Final-Recipient: rfc822; bo@client.example\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: {reason}"
    )
    assert read_report(raw).recipients[0].fate == Fate.SOFT


def test_a_hostile_report_costs_little_and_says_little():
    many = "\n\n".join(f"Final-Recipient: rfc822; a{n}@x.example\nAction: failed\nStatus: 5.1.1" for n in range(5000))
    assert len(read_report(report(many)).recipients) == MOST_RECIPIENTS
    long = "x" * 100_000
    [told] = read_report(
        report(f"Final-Recipient: rfc822; a@x.example\nAction: failed\nDiagnostic-Code: smtp; {long}")
    ).recipients
    assert len(told.reason) == MOST_REASON
    marked = "Final-Recipient: rfc822; a@x.example\nAction: failed\nDiagnostic-Code: smtp; 550 \x00\x1b[31m\u202eno"
    assert read_report(report(marked)).recipients[0].reason.isprintable()


@pytest.mark.parametrize(
    "page", ["<a@b>:\n" * 20_000, "\n\n" * 30_000, "-" * 60_000, "a@b.c " * 10_000, "Message-ID: <" * 5_000]
)
def test_prose_of_any_shape_is_read_in_no_time(page):
    began = time.process_time()
    read_report(b"From: MAILER-DAEMON@x.example\nSubject: failure notice\n\n" + page.encode())
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "raw", [b"", b"\n", b"From: MAILER-DAEMON@x", b"Content-Type: multipart/report; boundary=b\n\n--b\n\n"]
)
def test_what_is_no_letter_is_no_report(raw):
    assert read_report(raw) is None


# Automatic answers

AWAY = [
    ("Auto-Submitted: auto-replied", "Re: Offer"),
    ("Auto-Submitted: auto-replied (vacation)", "I am on the sea"),
    ("Auto-Submitted: auto-replied\nReturn-Path: <>", "Away"),
    ("Auto-Submitted: auto-generated\nX-Auto-Response-Suppress: All", "Automatic reply: Offer"),
    ("X-Auto-Response-Suppress: All", "Automatische Antwort: Angebot"),
    ("X-Auto-Response-Suppress: OOF", "Автоматический ответ: Счёт"),
    ("X-Autoreply: yes", "Re: Offer"),
    ("Precedence: auto_reply", "Out of Office"),
]
NOT_AWAY = [
    ("", "Automatic reply: Offer"),  # whoever writes so by hand has answered
    ("Auto-Submitted: no", "Out of office next week?"),
    ("Auto-Submitted: auto-generated", "Your invoice"),
    ("Precedence: bulk\nList-Id: <news.example>", "News"),
    ("Auto-Submitted: auto-replied\nX-Failed-Recipients: bo@client.example", "Mail delivery failed"),
    ("X-Auto-Response-Suppress: All", "Your ticket was closed"),
]


@pytest.mark.parametrize(
    ("head", "subject", "expected"),
    [(*each, True) for each in AWAY] + [(*each, False) for each in NOT_AWAY],
)
def test_an_automatic_answer_is_known(head, subject, expected):
    lines = [line for line in ("From: Bo <bo@client.example>", head, f"Subject: {subject}") if line]
    letter = parse_letter("\n".join([*lines, "", "I am away."]).encode())
    assert letter.is_auto_reply is expected
    assert letter.is_automatic or not letter.is_auto_reply


def test_a_report_is_no_automatic_answer():
    assert not any(parse_letter(raw_of(sample, "\n")).is_auto_reply for sample in SAMPLES if "told" in sample)
