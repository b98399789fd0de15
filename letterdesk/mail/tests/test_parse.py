"""Letters are read: what they say, and what they bring along."""

import base64
from datetime import UTC, datetime

import pytest

from letterdesk.mail.letters import Address, Letter
from letterdesk.mail.parse import parse_many, read_body

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


def test_the_fields_of_an_ordinary_letter():
    raw = (
        b"From: =?utf-8?q?J=C3=B6rg_M=C3=BCller?= <Joerg@Example.DE>\r\n"
        b'To: "Doe, Jane" <jane@example.org>, Team: a@example.org, b@example.org;\r\n'
        b"Cc: (nobody) c@example.org\r\nReply-To: reply@example.de\r\n"
        b"Subject: =?iso-8859-1?q?Gr=FC=DFe?= aus\r\n =?utf-8?b?S8O2bG4=?=\r\n"
        b"Date: Mon, 23 Nov 2026 10:00:00 +0300\r\nMessage-ID: <1@example.de>\r\n"
        b"In-Reply-To: <0@example.org>\r\nReferences: <a@x>\r\n <0@example.org>\r\n"
        b"List-Id: Our list <News.example.de>\r\n\r\nHello\r\n"
    )
    assert letter(raw) == Letter(
        subject="Grüße aus Köln",
        sender=Address("Jörg Müller", "Joerg@example.de"),
        message_id="1@example.de",
        in_reply_to=("0@example.org",),
        references=("a@x", "0@example.org"),
        reply_to=(Address("", "reply@example.de"),),
        to=(Address("Doe, Jane", "jane@example.org"), Address("", "a@example.org"), Address("", "b@example.org")),
        cc=(Address("nobody", "c@example.org"),),
        sent_at=datetime(2026, 11, 23, 7, 0, tzinfo=UTC),
        text="Hello",
        snippet="Hello",
        list_id="news.example.de",
    )


@pytest.mark.parametrize(
    ("fields", "automatic"),
    [
        (b"", False),
        (b"Auto-Submitted: no\r\n", False),
        (b"Auto-Submitted: auto-replied; owner-email=x\r\n", True),
        (b"Auto-Submitted: auto-generated\r\n", True),
        (b"Precedence: bulk\r\n", True),
        (b"Precedence: first-class\r\n", False),
        (b"X-Auto-Response-Suppress: All\r\n", True),
        (b"X-Auto-Response-Suppress: none\r\n", False),
    ],
)
def test_letters_by_programs_are_known(fields, automatic):
    assert letter(fields + HEAD + b"\r\nx").is_automatic is automatic


CYRILLIC = "Здравствуйте, договор во вложении."


@pytest.mark.case("B01")
@pytest.mark.parametrize(
    ("label", "raw", "text"),
    [
        ("utf-8", "Grüße".encode(), "Grüße"),
        ("utf-8", "Größe für Käufer".encode("latin-1"), "Größe für Käufer"),
        ("us-ascii", "Grüße".encode(), "Grüße"),
        ("ansi_x3.110-1983", "Grüße".encode("cp1252"), "Grüße"),
        ("unknown-8bit", "Grüße".encode("cp1252"), "Grüße"),
        ("unknown-8bit", "Grüße".encode(), "Grüße"),
        ("x-nonsense", CYRILLIC.encode("cp1251"), CYRILLIC),
        ("utf-8", CYRILLIC.encode("koi8-r"), CYRILLIC),
        ("windows-1251", CYRILLIC.encode("cp1251"), CYRILLIC),
        ("koi8-r", CYRILLIC.encode("koi8-r"), CYRILLIC),
        ("KOI8-U", "Привіт".encode("koi8-u"), "Привіт"),
        ("cp-850", "Grüße".encode("cp850"), "Grüße"),
        ("windows-1252", "“€”".encode("cp1252"), "“€”"),
        ("iso-8859-1", "“€”".encode("cp1252"), "“€”"),
        ("windows-1250", "Zażółć".encode("cp1250"), "Zażółć"),
        ("iso-8859-2", "Zażółć".encode("iso-8859-2"), "Zażółć"),
        ("gb2312", "你好，㐂".encode("gb18030"), "你好，㐂"),
        ("gb18030", "你好".encode("gb18030"), "你好"),
        ("", "你好，世界，今天怎么样？".encode("gb18030"), "你好，世界，今天怎么样？"),
        ("big5", "你好".encode("big5"), "你好"),
        ("iso-2022-jp", "こんにちは".encode("iso-2022-jp"), "こんにちは"),
        ("utf-8", "こんにちは".encode("iso-2022-jp"), "こんにちは"),
        ("shift_jis", "こんにちは①".encode("cp932"), "こんにちは①"),
        ("ks_c_5601-1987", "안녕".encode("cp949"), "안녕"),
        ("utf-16le", "Hi".encode("utf-16-le"), "Hi"),
        ("punycode", b"plain", "plain"),
        ("idna", b"plain", "plain"),
        ("hex", b"6869", "6869"),
        ("unicode_escape", rb"\u0041", r"\u0041"),
        ("../../etc/passwd", b"plain", "plain"),
        ("x" * 10_000, b"plain", "plain"),
    ],
)
def test_text_is_readable_whatever_the_label_says(label, raw, text):
    kind = f'text/plain; charset="{label}"'
    assert letter(single(raw, kind)).text == text
    assert read_body(single(raw, kind)).text == text


@pytest.mark.case("B01")
def test_every_charset_of_ours_exists_and_none_of_them_raises():
    from letterdesk.mail import charsets

    for codec in [*charsets._KNOWN, *charsets._MEANT.values()]:
        assert isinstance(charsets.decode(bytes(range(256)) * 3, codec), str)


@pytest.mark.case("B01")
def test_raw_8_bit_in_header_fields_is_read_with_the_charset_of_the_text():
    raw = b"Subject: \xc4\xee\xe3\xee\xe2\xee\xf0\r\nFrom: \xc8\xe2\xe0\xed <i@example.ru>\r\n"
    raw += b"Content-Type: text/plain; charset=windows-1251\r\n\r\n\xc4\xe0"
    read = letter(raw)
    assert (read.subject, read.sender.name, read.text) == ("Договор", "Иван", "Да")


@pytest.mark.case("B01")
def test_html_says_its_charset_in_a_meta_element():
    page = "<meta http-equiv=Content-Type content='text/html; charset=koi8-r'><p>Мир".encode("koi8-r")
    assert "Мир" in read_body(single(page, "text/html")).html
    assert letter(single(page, "text/html")).text == "Мир"


@pytest.mark.case("A35")
@pytest.mark.parametrize(
    "date",
    [
        b"",
        b"Mon, 1 Jan 1601 00:00:00 +0000",
        b"Fri, 31 Dec 9999 23:59:59 +0000",
        b"Mon, 23 Nov 2026 10:00:00 +2400",
        b"Mon, 23 Nov 2026 10:00:00 -9999",
        b"Wed, 31 Dec 1969 23:59:59 +0000",
        b"yesterday",
        b"99999999999999999999 Jan 2026 10:00:00 +0000",
        b"Mon, 23 Nov 99999999999999999999 10:00:00 +0000",
        b"\xff\xfe\x00",
        b"(" * 50_000,
        b"1 " * 50_000,
    ],
)
def test_an_absurd_date_is_no_date(date):
    assert letter(b"Date: " + date + b"\r\nSubject: x\r\n\r\nx").sent_at is None


@pytest.mark.case("A35")
@pytest.mark.parametrize(
    "date",
    [
        b"Mon, 23 Nov 2026 10:00:00 +0300",
        b"23 Nov 26 07:00 GMT",
        b"Mon, 23 Nov 2026 07:00:00",
        b"Mon, 23 Nov 2026 02:00:00 EST",
        b"Mon,23 Nov 2026 10:00:00 +0300 (MSK (winter))",
    ],
)
def test_a_date_is_understood_in_its_many_forms(date):
    assert letter(b"Date: " + date + b"\r\n\r\nx").sent_at == datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


@pytest.mark.case("A38")
def test_no_text_holds_what_a_database_refuses():
    bad = b"a\x00b\xed\xa0\x80c\x1b\x7f\xff"
    raw = (
        b"Subject: "
        + bad
        + b"\r\nFrom: "
        + bad
        + b" <x\x00@y>\r\nMessage-ID: <\x00\xed\xa0\x80@z>\r\nReferences: <"
        + bad
    )
    raw += (
        b">\r\nList-Id: <" + bad + b'>\r\nContent-Type: multipart/mixed; boundary="limit"\r\n\r\n--limit\r\n\r\n' + bad
    )
    raw += (
        b"\r\n--limit\r\nContent-Type: image/png; name="
        + bad
        + b"\r\nContent-ID: <"
        + bad
        + b">\r\n\r\nx\r\n--limit--\r\n"
    )
    read = letter(raw)
    shown = [
        read.subject,
        read.sender.name,
        read.sender.address,
        read.message_id,
        *read.references,
        read.text,
        read.snippet,
    ]
    shown += [read.list_id, read.parts[0].filename, read.parts[0].content_id, read.parts[0].content_type]
    for text in shown:
        text.encode("utf-8")  # raises for a lone surrogate
        assert "\x00" not in text
    assert read.text.startswith("ab")


@pytest.mark.case("A46")
def test_letters_without_an_identifier_have_none():
    assert letter(b"Subject: x\r\n\r\nx").message_id == ""


@pytest.mark.case("A46")
def test_an_identifier_of_64_kb_is_cut_and_stays_its_own():
    first, second = (b"Message-ID: <" + b"x" * 65_000 + end + b"@y>\r\n\r\nx" for end in (b"1", b"2"))
    assert letter(first).message_id != letter(second).message_id
    assert letter(first).message_id == letter(first).message_id
    assert len(letter(first).message_id) <= 250


@pytest.mark.case("A46")
@pytest.mark.parametrize(
    ("field", "ids"),
    [
        (b"<a@b> <c@d>", ("a@b", "c@d")),
        (b"<a@b>\r\n\t<c@d>", ("a@b", "c@d")),
        (b"a@b c@d", ("a@b", "c@d")),
        (b"a@b, c@d", ("a@b", "c@d")),
        (b"(a comment <a@b>", ("a@b",)),
        (b'Your message of "Mon" <a@b>', ("a@b",)),
        (b"<a@b><c@d>", ("a@b", "c@d")),
        (b"<a @ b> <a@b>", ("a@b",)),
        (b"<a@b", ("a@b",)),
        (b"nonsense", ()),
        (b"", ()),
    ],
)
def test_references_are_found_in_whatever_stands_there(field, ids):
    assert letter(b"References: " + field + b"\r\nSubject: x\r\n\r\nx").references == ids


@pytest.mark.case("A46", "B14")
def test_of_10000_references_the_first_and_the_last_100_are_kept():
    field = b"\r\n ".join(b"<%d@x>" % number for number in range(5_000))
    references = letter(b"References: " + field + b"\r\nSubject: x\r\n\r\nx").references
    assert references[0] == "0@x"
    assert len(references) == 101
