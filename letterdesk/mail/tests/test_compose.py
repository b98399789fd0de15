"""Letters of ours: well-formed, with nothing in their head that people did not mean."""

from datetime import UTC, datetime

import pytest

from letterdesk.mail.compose import File, NotComposable, Outgoing, compose, needs_utf8, new_message_id, wire_address
from letterdesk.mail.letters import Address
from letterdesk.mail.parse import parse_letter, read_body, read_part
from letterdesk.mail.plain import plain_of

INES = Address("Ines Müller", "ines@bücher.example")
BO = Address('Bo, "the" <boss@x.example>', "bo@client.example")


def made(**fields):
    given = {
        "sender": INES,
        "date": datetime(2026, 3, 1, 12, tzinfo=UTC),
        "message_id": "one@acme.example",
        "to": (BO,),
    }
    return compose(Outgoing(**{**given, **fields}))


def test_what_is_written_is_read_again():
    references = tuple(f"{'r' * 200}{number}@client.example" for number in range(30))
    file = File("Büro 😀.pdf", "application/pdf", bytes(range(256)))
    image = File("a.png", "image/png", b"\x89PNG", "a1@inline")
    raw = made(subject="Ärger " * 60, text="Hi\n.\n..\n" + "x" * 3000, html='<p>Hi <img src="cid:a1@inline"></p>',
               references=references, in_reply_to=references[-1], files=(image, file))  # fmt: skip
    letter = parse_letter(raw)
    assert (letter.subject, letter.message_id) == (("Ärger " * 60).strip(), "one@acme.example")
    assert letter.sender == Address("Ines Müller", "ines@xn--bcher-kva.example") and letter.to == (BO,)
    assert letter.references == references and letter.in_reply_to == references[-1:]
    assert [part.filename for part in letter.parts] == ["a.png", "Büro 😀.pdf"]
    assert read_part(raw, letter.parts[1].index) == file.raw
    assert read_body(raw).text.startswith("Hi\n.\n..\nxxx") and list(read_body(raw).inline) == ["a1@inline"]


@pytest.mark.case("D05")
@pytest.mark.parametrize("mark", ["\r", "\n", "\r\n", "\0", "\x0b", "\x85", "\u2028", "\ud800"])
@pytest.mark.parametrize("field", ["subject", "sender", "to", "filename", "address", "message_id", "content_id"])
def test_nothing_becomes_a_header(field, mark):
    """D05."""
    evil = f"a{mark}Bcc: all@victims.example"
    fields = {
        "subject": {"subject": evil},
        "sender": {"sender": Address(evil, "ines@acme.example")},
        "to": {"to": (Address(evil, "bo@client.example"),)},
        "filename": {"files": (File(evil, "text/plain", b""),)},
        "address": {"to": (Address("", f"bo{mark}x@client.example"),)},
        "message_id": {"message_id": evil},
        "content_id": {"html": "<p>", "files": (File("a", "image/png", b"", evil),)},
    }
    with pytest.raises(NotComposable):
        made(**fields[field])


@pytest.mark.case("D07")
def test_no_line_ends_but_crlf_and_none_is_endless():
    """D07."""
    raw = made(text="a\nb\rc\r\nd\n.\nMAIL FROM:<x@y.example>\n" + "z" * 5000, html="<p>" + "z" * 5000 + "\r.\r</p>")
    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    "address",
    ["", "bo", "@x.example", "bo@", "bo@localhost", "b o@x.example", "bo@x..example", "<bo@x.example>", "a,b@x.example",
     ".bo@x.example", "bo@-x.example", '"b o"@x.example', "bo@[127.0.0.1]", "b" * 65 + "@x.example"],
)  # fmt: skip
def test_what_is_no_address_is_refused(address):
    with pytest.raises(NotComposable):
        wire_address(address)


def test_an_address_beyond_ascii_needs_smtputf8_only_before_the_at():
    assert wire_address("bo@bücher.example") == "bo@xn--bcher-kva.example" and not needs_utf8("bo@bücher.example")
    assert needs_utf8("jörg@acme.example")
    assert "jörg@acme.example".encode() in made(to=(Address("", "jörg@acme.example"),))


@pytest.mark.case("E07")
def test_a_message_id_tells_nothing_of_this_machine():
    """E07."""
    first, second = (new_message_id("ines@acme.example") for _ in range(2))
    assert first != second and first.endswith("@acme.example")


def test_a_letter_as_a_file_stays_the_same_bytes():
    inner = b"Subject: x\r\n\r\n\xff\x00" + b"y" * 2000
    raw = made(files=(File("x.eml", "message/rfc822", inner),))
    [part] = parse_letter(raw).parts
    assert read_part(raw, part.index) == inner


def test_plain_text_of_our_html():
    html = '<p>Hi <b>Bo</b>,<br>see <a href="https://x.example/">here</a></p>'
    html += "<ul><li>one</li></ul><blockquote>a<br>b</blockquote>"
    assert plain_of(html) == "Hi Bo,\nsee here <https://x.example/>\n\n- one\n\n> a\n> b"
