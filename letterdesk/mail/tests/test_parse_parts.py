"""Letters are read: their parts, whole and broken, and the files that they bring along."""

import base64
import hashlib

import pytest

from letterdesk.mail.letters import Address, Letter, Unreadable
from letterdesk.mail.parse import NoSuchPart, parse_many, read_body, read_part

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
HEAD = b"From: Ann <ann@example.com>\r\nTo: Ben <ben@example.org>\r\nSubject: Hello\r\nMIME-Version: 1.0\r\n"


def letter(raw):
    [read] = parse_many([raw])
    assert isinstance(read, Letter), read
    return read


def single(body, content_type="text/plain", **fields):
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items()).encode()
    return HEAD + b"Content-Type: " + content_type.encode() + b"\r\n" + more + b"\r\n" + body


def multi(kind, *parts, limit=b"limit"):
    body = b"".join(b"--" + limit + b"\r\n" + part + b"\r\n" for part in parts)
    kind = kind.encode() + b"; boundary=" + limit
    return HEAD + b"Content-Type: multipart/" + kind + b"\r\n\r\n" + body + b"--" + limit + b"--\r\n"


def part(content_type, body, *more):
    return "\r\n".join([f"Content-Type: {content_type}", *more, "", ""]).encode() + body


def test_of_alternatives_the_richest_is_shown_and_the_plainest_is_searched():
    raw = multi("alternative", part("text/plain", b"plain words"), part("text/html", b"<p>rich words</p>"))
    assert read_body(raw).html == "<p>rich words</p>"
    assert read_body(raw).text == "plain words"
    assert letter(raw).text == "plain words"
    assert letter(raw).has_html
    assert letter(raw).parts == ()


def test_a_plain_part_that_says_nothing_does_not_hide_the_html_from_search():
    raw = multi(
        "alternative", part("text/plain", b"Use HTML."), part("text/html", b"<p>" + b"invoice " * 500 + b"</p>")
    )
    assert "invoice invoice" in letter(raw).text


def test_text_and_html_one_after_the_other_are_both_searched():
    raw = multi("mixed", part("text/plain", b"first " * 400), part("text/html", b"<p>second</p>"))
    assert "first" in letter(raw).text
    assert "second" in letter(raw).text


def test_a_footer_below_html_is_not_lost():
    raw = multi("mixed", part("text/html", b"<p>rich</p>"), part("text/plain", b"-- list footer"))
    assert "rich" in read_body(raw).html
    assert "list footer" in read_body(raw).html
    assert letter(raw).parts == ()


def test_inline_pictures_are_told_from_files():
    raw = multi(
        "related",
        part("text/html", b'<img src="cid:logo@x">'),
        part("image/png", base64.b64encode(PNG), "Content-Transfer-Encoding: base64", "Content-ID: <logo@x>"),
        part("image/png", base64.b64encode(PNG), "Content-Transfer-Encoding: base64", "Content-ID: <other@x>"),
    )
    logo, other = letter(raw).parts
    assert (logo.inline, other.inline) == (True, False)
    assert read_body(raw).inline == {"logo@x": logo.index, "other@x": other.index}
    assert read_part(raw, logo.index) == PNG
    assert logo.size == len(PNG)


@pytest.mark.case("B19")
@pytest.mark.parametrize("beside", ["image/png", "message/rfc822"], ids=["by the fast parser", "by the limited one"])
def test_a_part_is_given_back_byte_by_byte(beside):
    content = bytes(range(256)) * 50
    raw = multi(
        "mixed",
        part("text/plain", b"see attached"),
        part("application/pdf; name=a.pdf", base64.encodebytes(content), "Content-Transfer-Encoding: base64"),
        part(
            "application/x; name=b",
            content.replace(b"\r", b"").replace(b"\n", b""),
            "Content-Transfer-Encoding: binary",
        ),
    )
    raw = raw.removesuffix(b"--limit--\r\n") + b"--limit\r\n" + part(beside, b"x") + b"\r\n--limit--\r\n"
    before = hashlib.sha256(raw).digest()
    first, second, _ = letter(raw).parts
    assert read_part(raw, first.index) == content
    assert read_part(raw, second.index) == content.replace(b"\r", b"").replace(b"\n", b"")
    assert hashlib.sha256(raw).digest() == before


def test_a_part_that_is_not_there_has_a_name_for_its_error():
    with pytest.raises(NoSuchPart):
        read_part(single(b"x"), 5)


@pytest.mark.case("B08")
@pytest.mark.parametrize("kind", ["message/rfc822", "message/global"])
def test_a_letter_inside_is_one_file_and_its_own_files_are_not_counted(kind):
    inner = multi("mixed", part("text/plain", b"inner words"), part("image/png; name=inner.png", b"x"), limit=b"i")
    raw = multi("mixed", part("text/plain", b"outer words"), part(kind, inner))
    read = letter(raw)
    assert [one.filename for one in read.parts] == ["Hello.eml"]
    assert read.text == "outer words"
    assert letter(read_part(raw, read.parts[0].index)).parts[0].filename == "inner.png"


@pytest.mark.case("B08")
def test_a_letter_inside_base64_is_read_too():
    inner = HEAD + b"\r\ninner words"
    raw = multi("mixed", part("message/rfc822", base64.encodebytes(inner), "Content-Transfer-Encoding: base64"))
    assert read_part(raw, letter(raw).parts[0].index) == inner


@pytest.mark.case("B08")
def test_a_digest_is_a_row_of_letters():
    raw = multi("digest", b"\r\nSubject: one\r\n\r\nfirst", b"\r\nSubject: two\r\n\r\nsecond")
    assert [one.filename for one in letter(raw).parts] == ["one.eml", "two.eml"]


@pytest.mark.case("B08")
def test_a_report_shows_its_words_and_keeps_its_parts():
    raw = multi(
        "report; report-type=delivery-status",
        part("text/plain", b"It could not be delivered."),
        part("message/delivery-status", b"Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b\r\nAction: failed"),
        part("message/rfc822", HEAD + b"\r\nthe original"),
    )
    read = letter(raw)
    assert read.text == "It could not be delivered."
    assert [one.content_type for one in read.parts] == ["message/delivery-status", "message/rfc822"]
    assert b"Action: failed" in read_part(raw, read.parts[0].index)


@pytest.mark.case("B08")
def test_a_piece_of_a_letter_in_pieces_is_a_file():
    read = letter(single(b"Subject: x\r\n\r\nhalf", "message/partial; id=1; number=1; total=2"))
    assert [one.content_type for one in read.parts] == ["message/partial"]


@pytest.mark.case("B09")
def test_winmail_dat_is_a_file_and_is_never_opened():
    bomb = bytes.fromhex("789f3e22") + b"\xff" * 5000
    raw = multi(
        "mixed",
        part("text/plain", b"x"),
        part("application/ms-tnef", bomb.replace(b"\n", b""), "Content-Transfer-Encoding: binary"),
    )
    [file] = letter(raw).parts
    assert (file.filename, file.size) == ("winmail.dat", len(bomb))
    assert read_part(raw, file.index) == bomb


B05 = {
    "no end": (b"multipart/mixed; boundary=B", b"--B\n\nwords\n--B\nContent-Type: image/png\n\nx", "words", 1),
    "no boundary named": (b"multipart/mixed", b"--B\n\nwords\n--B--\n", "words", 0),
    "boundary never used": (b"multipart/mixed; boundary=B", b"words\n", "words", 0),
    "empty boundary": (b'multipart/mixed; boundary=""', b"words\n", "words", 0),
    "same boundary inside": (
        b"multipart/mixed; boundary=B",
        b"--B\nContent-Type: multipart/related; boundary=B\n\n--B\n\nwords\n--B\nContent-Type: image/png\n\nx\n--B--",
        "words",
        1,
    ),
    "one boundary begins the other": (
        b"multipart/mixed; boundary=B",
        b"--B\nContent-Type: multipart/mixed; boundary=BB\n\n--BB\n\nwords\n--BB\nContent-Type: image/png\n\n--BB--\n",
        "words",
        1,
    ),
    "boundary in the preamble": (b"multipart/mixed; boundary=B", b"text --B in it\n--B\n\nwords\n--B--\n", "words", 0),
    "text behind the end": (b"multipart/mixed; boundary=B", b"--B\n\nwords\n--B--\nepilogue\n", "words", 0),
    "blanks behind the boundary": (b"multipart/mixed; boundary=B", b"--B  \n\nwords\n--B--  \n", "words", 0),
    "quoted boundary": (b'multipart/mixed; boundary="=_ (x)/?:"', b"--=_ (x)/?:\n\nwords\n--=_ (x)/?:--\n", "words", 0),
}


@pytest.mark.case("B05")
@pytest.mark.parametrize("name", B05)
def test_broken_boundaries_lose_no_words(name):
    kind, body, words, files = B05[name]
    read = letter(b"Subject: x\nContent-Type: " + kind + b"\n\n" + body)
    assert words in read.text
    assert len(read.parts) == files
    assert words in (read_body(b"Subject: x\nContent-Type: " + kind + b"\n\n" + body).text or "")


@pytest.mark.case("B06")
@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        ("base64", b"aGVsbG8gd29ybGQ", "hello world"),
        ("base64", b"aGVs!!bG8g*d29ybGQ=", "hello world"),
        ("base64", b"aGVsbG8gd29ybGQ=\r\n-- \r\nfooter of a list", "hello world"),
        ("BASE64", b"aGVsbG8gd29ybGQ=", "hello world"),
        ("base64 (really)", b"aGVsbG8gd29ybGQ=", "hello world"),
        ("quoted-printable", b"hello=20world=", "hello world"),
        ("quoted-printable", b"hello=ZZ w=6Frld", "hello=ZZ world"),
        ("x-uuencode", b"begin 644 x\n+:&5L;&\\@=V]R;&0\n`\nend\n", "hello world"),
        ("uuencode", b"begin 644 x\n+:&5L;&\\@=V]R;&", "hello worl"),
        ("x-yenc", b"=ybegin line=128\r\nabc", "=ybegin line=128\nabc"),
        ("x-unknown", b"hello world", "hello world"),
        ("8bit", "hällo".encode(), "hällo"),
        ("", b"hello world", "hello world"),
    ],
)
def test_broken_encodings_are_read_as_well_as_they_can_be(encoding, body, text):
    assert letter(single(body, Content_Transfer_Encoding=encoding)).text.startswith(text)


@pytest.mark.case("B06")
def test_a_broken_attachment_is_given_as_far_as_it_goes():
    raw = multi(
        "mixed",
        part("text/plain", b"x"),
        part("application/pdf; name=a.pdf", b"aGVs*bG8", "Content-Transfer-Encoding: base64"),
    )
    [file] = letter(raw).parts
    assert read_part(raw, file.index) == b"hello"
    assert file.size == 5


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n\r\nSubject: x\r\n\r\nwords",
        b"From a@b Mon Jan  1 00:00:00 2026\r\nSubject: x\r\n\r\nwords",
        b">From a@b Mon Jan  1 00:00:00 2026\nSubject: x\n\nwords",
        b"Subject: x\rTo: a@b\r\rwords",
        b"Subject: x\r\r\nTo: a@b\r\r\n\r\r\nwords",
        b"Subject: x\nthis is no field\nTo: a@b\n\nwords",
        b"Subject : x\nContent-Type : text/plain\n\nwords",
        b"Subject: x\nContent-Type: text\n\nwords",
        b'Subject: x\nContent-Type: "text/plain"\n\nwords',
        b"Subject: x\nContent-Type: ; charset=utf-8\n\nwords",
        b"Subject: x\nContent-Type: multipart/mixed; boundary=B\n\n--B\n: no name\n\nwords\n--B--",
        b"Subject: x\nContent-Type: text/plain\nContent-Type: text/html\n\nwords",
    ],
)
def test_torn_header_blocks_lose_neither_subject_nor_words(raw):
    read = letter(raw)
    assert (read.subject, read.text) == ("x", "words")


def test_a_text_without_any_header_is_a_letter():
    assert letter(b"hello world\nthis is text\n").text == "hello world\nthis is text"


def test_an_empty_letter_is_unreadable():
    assert parse_many([b""]) == [Unreadable("It is empty.")]


@pytest.mark.case("B18")
def test_two_senders_are_marked():
    read = letter(b"From: a@example.com, b@example.com\r\n\r\nx")
    assert read.sender == Address("", "a@example.com")
    assert "several-senders" in read.repairs


def test_the_snippet_begins_with_what_is_new():
    raw = HEAD + b"\r\n> old words\r\n\r\nOn 23 Nov 2026 John wrote:\r\n> older\r\n\r\nNew words.\r\n\r\n-- \r\nAnn"
    assert letter(raw).snippet == "New words."


def test_the_snippet_is_at_most_200_characters():
    assert len(letter(HEAD + b"\r\n" + b"word " * 500).snippet) <= 200
