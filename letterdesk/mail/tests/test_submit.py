"""Handing over takes its time, and no more: a slow line that goes on is no error, a server that drips is one."""

import contextlib
import ipaddress
import socket
import threading
import time

import pytest

from letterdesk.mail import submit as module
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap_types import Login
from letterdesk.mail.submit import Answer, submit

GREETING = (b"220 hi\r\n", b"250-x\r\n250 AUTH PLAIN\r\n", b"235 ok\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n")


@pytest.fixture
def attempt(allow_loopback):
    """Hand a letter to a server that does as it is told once it has said DATA's 354."""

    def tried(then, raw=b"A: b\r\n\r\nx\r\n", patience=1.0):
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            server = threading.Thread(target=_serve, args=(listening, then))
            server.start()
            login = Login(host="127.0.0.1", port=listening.getsockname()[1], security="none", user="u", password="p",
                          oauth_token="")  # fmt: skip
            guard = Guard(allowed=(ipaddress.ip_network("127.0.0.0/8"),))
            found = submit(login, guard, raw, sender="a@b.example", recipients=["c@d.example"],
                           before_dot=lambda: True, patience=patience)  # fmt: skip
            server.join(10)
        return found

    return tried


def _serve(listening, then):
    connection, _peer = listening.accept()
    with connection, connection.makefile("rb", buffering=0) as lines, contextlib.suppress(OSError):
        for number, said in enumerate(GREETING):
            if number:
                lines.readline()
            connection.sendall(said)
        then(connection)


def _taken(connection, *, wait=0.0):
    tail = b""
    while not tail.endswith(b"\r\n.\r\n"):
        got = connection.recv(64 << 10)
        if not got:
            return
        tail = (tail + got)[-5:]
        time.sleep(wait)


def test_an_answer_that_drips_ends_by_the_clock(attempt):
    def drip(connection):
        _taken(connection)
        for _ in range(50):
            connection.sendall(b"2")
            time.sleep(0.05)

    began = time.monotonic()
    found = attempt(drip, patience=0.3)
    assert found.phase == "dot" and found.last.code == 0 and time.monotonic() - began < 1.5


def test_a_slow_line_that_goes_on_is_no_timeout(attempt, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", 0.4)

    def slow(connection):
        _taken(connection, wait=0.002)
        connection.sendall(b"250 taken\r\n")

    began = time.monotonic()
    found = attempt(slow, raw=b"A: b\r\n\r\n" + (b"y" * 76 + b"\r\n") * 70_000, patience=10)
    assert found.last == Answer(250, "taken") and time.monotonic() - began > 0.4


def test_the_whole_attempt_has_an_end_before_the_dot(attempt, monkeypatch):
    monkeypatch.setattr(module, "BEFORE_DOT", 0.0)
    found = attempt(lambda connection: None)
    assert found.phase == "envelope" and found.last == Answer(0, "the letter took too long")
