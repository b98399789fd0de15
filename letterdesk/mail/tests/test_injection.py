"""Nothing that people or letters wrote becomes a command: every call site, on a recording server (D04, hard rule 1)."""

import ast
import inspect
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import letterdesk.mail
from letterdesk.mail.errors import MailError, NotSendable
from letterdesk.mail.imap import Connection
from letterdesk.mail.tests.scripted import SELECTED, Scripted
from letterdesk.mail.uidset import UidSet

pytestmark = pytest.mark.case("D04")

EVIL = 'a"\r\nX1 UID EXPUNGE 1:*\r\n'
ONE = UidSet([1])
CALLS = {
    "select": lambda connection, text: connection.select(text),
    "status": lambda connection, text: connection.status(text),
    "statuses": lambda connection, text: connection.statuses([text]),
    "create": lambda connection, text: connection.create(text),
    "find": lambda connection, text: connection.find(text),
    "find_by": lambda connection, text: connection.find_by("Subject", text),
    "find_by header": lambda connection, text: connection.find_by(text, "x"),
    "move": lambda connection, text: connection.move(ONE, text),
    "copy": lambda connection, text: connection.copy(ONE, text),
    "append to": lambda connection, text: connection.append(text, b"x"),
    "append": lambda connection, text: connection.append("Sent", text.encode("utf-8", "surrogatepass")),
    "append flags": lambda connection, text: connection.append("Sent", b"x", flags=frozenset({text})),
    "store": lambda connection, text: connection.store(ONE, add=frozenset({text})),
    "unstore": lambda connection, text: connection.store(ONE, remove=frozenset({text})),
}
WITHOUT_TEXT = {
    "folders", "uids", "flags", "envelopes", "letters", "expunge", "idle", "done", "idle_events", "noop", "logout",
    "close", "open", "has", "fileno", "has_pending", "end_within",
}  # fmt: skip


def test_every_call_that_takes_text_is_tried_here():
    public = {name for name, _ in inspect.getmembers(Connection, callable) if not name.startswith("_")}
    tried = {name.split()[0].replace("unstore", "store") for name in CALLS}
    assert public == tried | WITHOUT_TEXT


def try_call(server, call, text):
    """What was heard; whether our side refused to send it."""
    connection = server.connect(timeout=2)
    connection.select("INBOX")
    before = len(server.heard)
    try:
        CALLS[call](connection, text)
    except NotSendable:
        return None
    except MailError:
        pass
    finally:
        connection.close()
    return server.heard[before:]


def syntax_of(command: bytes) -> bytes:
    """The command without the content of its literals and quoted strings."""
    out, rest = b"", command
    while match := re.search(rb"\{(\d+)\+?\}\r\n", rest):
        out += rest[: match.start()] + b"{}"
        rest = rest[match.end() + int(match[1]) :]
    return re.sub(rb'"(?:[^"\\]|\\.)*"', b'""', out + rest)


@pytest.mark.parametrize("offer", [b"IMAP4rev1 UIDPLUS MOVE", b"IMAP4rev1 UIDPLUS MOVE LITERAL+"])
@pytest.mark.parametrize("call", CALLS)
def test_text_that_looks_like_commands_stays_text(call, offer):
    for text in (
        EVIL,
        'x" (\\Deleted)',
        "{3}\r\nabc",
        "{3+}\r\nabc",
        "*",
        "a\nb",
        "a\rb",
        "é" * 3,
        "x" * 5000,
        "&-)",
        "",
    ):
        with Scripted({"SELECT": SELECTED}, offer=offer) as server:
            heard = try_call(server, call, text)
            if heard is None:
                continue
            assert len(heard) <= 1
            for command in heard:
                syntax = syntax_of(command)
                assert re.fullmatch(rb"L\d+ [A-Z ]+[^\r\n]*\r\n", syntax)
                assert b"EXPUNGE" not in syntax
                assert b"Deleted" not in syntax


@pytest.mark.parametrize("call", CALLS)
def test_nul_is_never_sent(call):
    with Scripted({"SELECT": SELECTED}) as server:
        heard = try_call(server, call, "a\0b")
        assert not heard
        assert b"\0" not in b"".join(server.heard)


@pytest.mark.parametrize("call", CALLS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.sampled_from('a é"\\\r\n{}()*%&3+\x01]'), max_size=25))
def test_no_text_at_all_adds_a_command(call, text):
    with Scripted({"SELECT": SELECTED}) as server:
        heard = try_call(server, call, text) or []
        assert len(heard) <= 1
        assert all(b"\r" not in syntax_of(command)[:-2] and b"\n" not in syntax_of(command)[:-2] for command in heard)


def test_a_date_and_an_unaware_time_are_no_way_in():
    with Scripted(offer=b"IMAP4rev1") as server:
        server.connect().append("Sent", b"x", internal_date=datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC))
        assert b'" 6-May-2024 07:08:09 +0000"' in server.heard[-1]


def test_only_the_wire_transmits_and_only_through_the_encoder():
    """`transmit` and `sendall` are called by the wire itself, and beside it only for fixed words and base64."""
    allowed = {
        ("imap_wire.py", "sendall"),
        ("imap_wire.py", "transmit"),
        ("imap_signin.py", "transmit"),  # base64 of SASL
        ("idle.py", "transmit"),  # DONE
        ("submit.py", "sendall"),  # SMTP: a command with a line end is refused there, a letter has its dots stuffed
    }
    found = set()
    for file in Path(letterdesk.mail.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            called = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
            if called in {"transmit", "sendall"}:
                found.add((file.name, called))
    assert found <= allowed
