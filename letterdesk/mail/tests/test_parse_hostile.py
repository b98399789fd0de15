"""Letters that were made to hurt: they cost themselves, never their neighbours."""

import base64
import os
import resource
import signal
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letterdesk.mail import limited, parse
from letterdesk.mail.letters import Letter, Unreadable
from letterdesk.mail.parse import MOST_ADDRESSES, parse_many, read_body, read_part
from letterdesk.mail.tests.test_parse import HEAD, letter, multi, part, single
from letterdesk.mail.text import MOST_TEXT

KB = 1024
FILLINGS = {
    "semicolons": b";",
    "quotes": b'"',
    "dots": b".",
    "encoded words": b"=?utf-8?q?a?= ",
    "torn encoded words": b"=?utf-8?q?",
    "parentheses": b"(",
    "brackets": b"<",
    "commas": b",",
    "addresses": b"a@b,",
    "backslashes": b"\\",
    "escaped quotes": b'"\\',
    "parameters": b"; a*0*=x''y",
    "folds": b"\r\n ",
    "colons": b":",
}
FIELDS = [b"From", b"To", b"Subject", b"References", b"Date", b"Content-Type", b"Content-Disposition", b"List-Id"]


def filled(field, filling, size):
    value = filling * (size // len(filling))
    before = {b"Content-Type": b"text/plain; ", b"Content-Disposition": b"attachment; "}.get(field, b"")
    return field + b": " + before + value + b"\r\nMessage-ID: <1@x>\r\n\r\nwords\r\n"


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@pytest.mark.case("B02")
@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize("size", [2 * KB, 8 * KB, 32 * KB, 128 * KB])
def test_long_fields_cost_next_to_nothing(filling, size):
    raws = [filled(field, FILLINGS[filling], size) for field in FIELDS]
    before = cpu_seconds()
    read = parse_many(raws)
    assert cpu_seconds() - before < 2  # all eight of them, in this process
    assert len(read) == len(raws)
    for one in read:
        assert isinstance(one, Unreadable) or one.message_id == "1@x"


@pytest.mark.case("B02")
def test_a_letter_whose_types_take_the_stdlib_minutes_is_stopped_in_the_child_and_the_next_one_is_read():
    trap = b"Content-Type: text/plain; " + b";" * 8000 + b"\r\n"
    evil = multi("mixed", *[trap + b"\r\nx"] * 150, part("message/rfc822", HEAD + b"\r\nx"))
    started = time.monotonic()
    read = parse_many([evil, multi("mixed", part("message/rfc822", HEAD + b"\r\nx")), single(b"fine")])
    assert time.monotonic() - started < 30
    assert isinstance(read[0], Unreadable | Letter)
    assert isinstance(read[1], Letter)
    assert read[2].text == "fine"


def nested(depth):
    kind = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
    return b"Subject: deep\r\n" + b"".join(kind % (level, level) for level in range(depth)) + b"\r\nwords"


@pytest.mark.case("B03")
@pytest.mark.parametrize("depth", [10, 60, 190, 250, 900, 2_000, 5_000, 50_000])
def test_nesting_never_breaks_the_process(depth):
    raw = nested(depth)
    [read] = parse_many([raw])
    if isinstance(read, Letter):
        assert read.subject == "deep"
        assert ("parts-cut" in read.repairs) == (depth > 50)
    else:
        assert depth > 50
        assert "nested" in read.reason or "boundaries" in read.reason or "computing" in read.reason
    assert parse_many([single(b"still here")])[0].text == "still here"


@pytest.mark.case("B03")
def test_nesting_is_harmless_in_a_thread_with_a_small_stack():
    found = []
    before = threading.stack_size(256 * KB)
    try:
        thread = threading.Thread(target=lambda: found.extend(parse_many([nested(199), nested(50_000)])))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert len(found) == 2


@pytest.mark.case("B03")
@pytest.mark.parametrize("depth", [10, 60, 300, 5_000])
def test_letters_in_letters_stay_one_file(depth):
    read = letter(HEAD + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"words")
    assert [one.content_type for one in read.parts] == ["message/rfc822"]


@pytest.mark.case("B03")
def test_a_letter_hidden_in_base64_is_not_unfolded():
    hidden = part("message/rfc822", base64.encodebytes(nested(50_000)), "Content-Transfer-Encoding: base64")
    raw = multi("mixed", hidden)
    disguised = raw.replace(b"message/rfc822", b"=?utf-8?q?message=2Frfc822?=")
    assert [len(letter(one).parts) for one in (raw, disguised)] == [1, 1]


@pytest.mark.case("B03")
@pytest.mark.parametrize("depth", [10, 900, 50_000])
def test_comments_in_comments_are_no_recursion(depth):
    raw = b"From: " + b"(" * depth + b"x" + b")" * depth + b" a@example.com\r\nDate: " + b"(" * depth + b"\r\n\r\nx"
    read = letter(raw)
    assert read.sender is None or read.sender.address in {"a@example.com", ""}


@pytest.mark.case("B04", "A37")
def test_100000_parts_are_cut_to_what_a_person_can_look_through():
    raw = multi("mixed", *[part("image/png", b"x")] * 100_000)
    read = letter(raw)
    assert 0 < len(read.parts) <= 1_000
    assert "parts-cut" in read.repairs
    assert read_part(raw, read.parts[-1].index) == b"x"


@pytest.mark.case("B04")
@pytest.mark.parametrize("filling", [b"X-A: abc\r\n", b"X-A: a\r\n b\r\n"], ids=["many fields", "folded fields"])
def test_10_mb_of_header_are_looked_at_to_a_limit(filling):
    raw = b"Subject: big\r\n" + filling * (10_000_000 // len(filling)) + b"\r\nwords"
    read = letter(raw)
    assert (read.subject, read.text) == ("big", "words")
    assert "header-cut" in read.repairs


@pytest.mark.case("B04")
def test_a_part_with_2_mb_of_header_is_read_elsewhere():
    raw = multi("mixed", part("text/plain", b"words"), b"X-A: a\r\n b\r\n" * 150_000 + b"\r\nx")
    assert "limited-parser" in letter(raw).repairs


@pytest.mark.case("B04", "B17")
@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_a_line_of_50_mb_is_searchable_to_a_limit(kind):
    before = cpu_seconds()
    read = letter(single(b"first " + b"a" * 50_000_000, kind))
    assert cpu_seconds() - before < 5
    assert read.text.startswith("first aaa")
    assert len(read.text) == MOST_TEXT
    assert "text-cut" in read.repairs


@pytest.mark.case("A37")
def test_10000_recipients_are_cut():
    read = letter(b"To: " + b",\r\n ".join(b"P %d <p%d@x.example>" % (n, n) for n in range(10_000)) + b"\r\n\r\nx")
    assert 0 < len(read.to) <= MOST_ADDRESSES
    assert read.to[0].address == "p0@x.example"


@pytest.mark.case("A37")
def test_a_letter_of_90_mb_does_not_multiply_in_memory():
    rows = (b"A" * 76 + b"\r\n") * 1_200_000
    zipped = part("application/zip; name=a.zip", rows, "Content-Transfer-Encoding: base64")
    raw = multi("mixed", part("text/plain", b"words"), zipped)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read = letter(raw)
    assert read.text == "words"
    assert abs(read.parts[0].size - 57 * 1_200_000) < 100_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150 * KB  # ru_maxrss counts KB


@pytest.mark.case("B17")
@pytest.mark.parametrize(
    "body",
    [
        "\u200b" * 1_000_000,
        "e" + "\u0301" * 1_000_000,
        "\u202e" * 500_000,
        "\n" * 1_000_000,
        "𝕏" * 500_000,
        "> " * 500_000,
    ],
    ids=["zero width", "marks", "turning", "lines", "astral", "quotes"],
)
def test_odd_characters_without_end_are_cut_and_never_fail(body):
    read = letter(single(f"first {body} last".encode(), "text/plain; charset=utf-8"))
    assert read.text.startswith("first")
    assert len(read.text) <= MOST_TEXT
    assert len(read.snippet) <= 200


@pytest.mark.case("B01")
@pytest.mark.parametrize("label", [b"\x00", b"idna", b"rot13", b"\xff", b'"'])
def test_a_label_that_no_codec_has_is_no_trouble_in_the_child_either(label):
    read = letter(b"Subject : x\r\nContent-Type: text/plain; charset=" + label + b"\r\n\r\nGr\xc3\xbc\xc3\x9fe")
    assert read.text == "Grüße"
    assert "limited-parser" in read.repairs


@pytest.mark.case("G14")
def test_a_child_that_is_killed_takes_no_letter_with_it():
    raw = multi("mixed", part("message/rfc822", HEAD + b"\r\nx"))
    letter(raw)
    for process in limited._idle:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert isinstance(parse_many([raw])[0], Letter)


@pytest.mark.case("G14")
def test_a_fault_of_ours_costs_one_letter(monkeypatch):
    read_tree = parse.read_tree

    def fails_once(raw):
        if b"poison" in raw:
            raise ZeroDivisionError
        return read_tree(raw)

    monkeypatch.setattr(parse, "read_tree", fails_once)
    first, second = parse_many([single(b"poison"), single(b"fine")])
    assert first == Unreadable("Reading it failed (ZeroDivisionError).")
    assert second.text == "fine"


def test_children_have_nothing_of_our_environment(monkeypatch):
    monkeypatch.setenv("LETTERDESK_SECRET", "hush")
    process = limited._start()
    try:
        assert b"hush" not in Path(f"/proc/{process.pid}/environ").read_bytes()
    finally:
        process.kill()
        process.communicate()


def test_several_threads_may_ask_at_once():
    raw = multi("mixed", part("message/rfc822", HEAD + b"\r\nx"))
    found = []
    threads = [threading.Thread(target=lambda: found.extend(parse_many([raw] * 20))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 120
    assert all(isinstance(one, Letter) for one in found)
    assert len(limited._idle) <= limited.MOST_CHILDREN


SEEDS = [
    HEAD + b"\r\nplain words\r\n",
    single(b"Gr=C3=BC=C3=9Fe", "text/plain; charset=utf-8", Content_Transfer_Encoding="quoted-printable"),
    multi("alternative", part("text/plain", b"words"), part("text/html", b"<p>words")),
    multi(
        "mixed",
        part("text/plain", b"x"),
        part("application/pdf; name*=utf-8''%C3%A9.pdf", b"aGVsbG8=", "Content-Transfer-Encoding: base64"),
    ),
    multi("mixed", part("text/plain", b"x"), part("message/rfc822", HEAD + b"\r\ninner")),
    b'From: =?utf-8?b?SsO2cmc=?= <j@x>, "a, b" <c@d>\r\nTo: T: e@f;\r\nDate: Mon, 23 Nov 2026 10:00:00 +0300\r\n\r\nx',
]
PIECES = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\x00",
    b"--limit",
    b"--",
    b"\r\n\r\n",
    b'"',
    b";",
    b"=?utf-8?q?",
    b"?=",
    b"(",
    b"<",
    b"\xff",
]
PIECES += [
    b"\xed\xa0\x80",
    b"Content-Type: ",
    b"multipart/mixed; boundary=limit",
    b"message/rfc822",
    b"base64",
    b":",
    b"\\",
]


@st.composite
def mutated(draw):
    raw = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(raw)))
        length = draw(st.integers(0, 12))
        raw[at : at + length] = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=6)))
    return bytes(raw)


@pytest.mark.case("A38", "B05", "B06")
@given(st.lists(mutated(), max_size=4))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_mutation_is_lost_or_fails(raws):
    read = parse_many(raws)
    assert len(read) == len(raws)
    for raw, one in zip(raws, read, strict=True):
        if isinstance(one, Unreadable):
            assert "failed" not in one.reason  # a fault of ours would hide behind it
            continue
        texts = [one.subject, one.text, one.snippet, one.message_id, one.list_id, *one.references]
        texts += [one_part.filename for one_part in one.parts] + [address.name + address.address for address in one.to]
        for text in texts:
            assert "\x00" not in text
            text.encode()
        for one_part in one.parts:
            assert len(read_part(raw, one_part.index)) == one_part.size
        read_body(raw)
