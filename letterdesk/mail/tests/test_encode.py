"""The one encoder: nothing that people or letters wrote can end a line or an argument (D04)."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letterdesk.mail.encode import Atom, Flag, Literal, Ways, encode
from letterdesk.mail.errors import NotSendable
from letterdesk.mail.uidset import UidSet

WAIT = Ways()
FREE = Ways(free=-1)

pytestmark = pytest.mark.case("D04")


def outside_of_literals(wire: bytes) -> bytes:
    """What a server reads as syntax when the literals are cut out."""
    rest, out = wire, b""
    while b"\r\n" in rest:
        line, _, rest = rest.partition(b"\r\n")
        out += line
        size = int(line.rsplit(b"{")[-1].rstrip(b"+}"))
        rest = rest[size:]
    return out + rest


@given(st.binary(max_size=200).filter(lambda octets: 0 not in octets), st.sampled_from([WAIT, FREE, Ways(free=8)]))
def test_no_text_escapes_from_its_argument(octets, ways):
    wire = b"".join(encode([Atom("SEARCH"), octets, Atom("END")], ways=ways))
    syntax = outside_of_literals(wire)
    assert syntax.startswith(b"SEARCH ")
    assert syntax.endswith(b" END")
    middle = syntax[7:-4]
    if middle.startswith(b'"'):
        inner = middle[1:-1]
        assert inner.replace(b"\\\\", b"").replace(b'\\"', b"").count(b'"') == 0
        assert inner.replace(b'\\"', b'"').replace(b"\\\\", b"\\") == octets
    else:
        assert middle.strip(b"{+}").isdigit()


@given(st.binary(max_size=50))
def test_nul_is_refused_everywhere(octets):
    poisoned = octets + b"\0" + octets
    for argument in (poisoned, Literal(poisoned), [poisoned]):
        with pytest.raises(NotSendable):
            encode([argument], ways=FREE)


@pytest.mark.parametrize("text", ["a\r\nA2 EXPUNGE", "a\nb", "a\rb", "naïve", "\x80".encode(), "x" * 2000])
def test_line_ends_eight_bit_and_long_text_go_as_literal(text):
    octets = text.encode() if isinstance(text, str) else text
    assert encode([text], ways=WAIT) == [b"{%d}\r\n" % len(octets), octets]
    assert encode([text], ways=FREE) == [b"{%d+}\r\n" % len(octets) + octets]


def test_literals_wait_for_the_server_unless_it_said_otherwise():
    assert Ways.of(["IMAP4REV1"]) == Ways(free=0)
    assert Ways.of(["LITERAL-"]) == Ways(free=4096)
    assert Ways.of(["LITERAL-", "LITERAL+"]) == Ways(free=-1)
    assert len(encode([Literal(b"x" * 4096)], ways=Ways(free=4096))) == 1
    assert len(encode([Literal(b"x" * 4097)], ways=Ways(free=4096))) == 2


@pytest.mark.parametrize("word", ["", "A B", "A\r\n", "A{3}", 'A"', "A(", "A)", "\\Seen", "é", "A\0"])
def test_an_atom_is_one_word_of_the_protocol(word):
    with pytest.raises(NotSendable):
        Atom(word)


@pytest.mark.parametrize(
    "name", ["", "\\", "a b", "a\r\nb", "a)", "a(", "\\Seen\\Draft", "\\*", "%", '"', "é", "a\0", "a]", "{1}"]
)
def test_what_is_no_flag_is_refused(name):
    with pytest.raises(NotSendable):
        Flag(name)


@pytest.mark.parametrize("name", ["\\Seen", "$Forwarded", "NonJunk", "Label-7", "a/b"])
def test_flags_and_keywords_pass_unchanged(name):
    assert encode([[Flag(name)]], ways=WAIT) == [f"({name})".encode()]


def test_numbers_dates_sets_and_lists():
    moment = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=2)))
    arguments = [7, date(2026, 3, 4), moment, UidSet([1, 2, 9]), [], [Atom("A"), [1]]]
    assert encode(arguments, ways=WAIT) == [b'7 4-Mar-2026 " 4-Mar-2026 03:06:07 +0000" 1:2,9 () (A (1))']
    assert encode([datetime(999, 12, 31, tzinfo=UTC)], ways=WAIT) == [b'"31-Dec-0999 00:00:00 +0000"']


@pytest.mark.parametrize("argument", [None, True, -1, 2**63, 1.5, UidSet(), {"a": 1}, "\ud800"])
def test_what_is_no_argument_is_refused(argument):
    with pytest.raises(NotSendable):
        encode([argument], ways=WAIT)
