"""The six steps of a sign-in, on real and on scripted servers."""

import base64
import socket
import ssl
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from letterdesk.mail import check, errors, smtp
from letterdesk.mail.check import STEPS
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Login
from letterdesk.mail.tests.scripted import LOOPBACK, Scripted
from tests.rig.liar import Liar

AUTH = b"250-hi\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN XOAUTH2\r\n"


@contextmanager
def smtp_server(answers=None, *, greeting=b"220 hi ESMTP\r\n", context=None):
    """Says `answers` by command word; gives its port and what it heard. None closes."""
    said = {
        "EHLO": AUTH,
        "AUTH": b"235 2.7.0 in\r\n",
        "QUIT": b"221 bye\r\n",
        "STARTTLS": b"220 go\r\n",
        **(answers or {}),
    }
    heard, held = [], []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk():
            with suppress(OSError, ValueError):
                connection, _ = listener.accept()
                held.append(connection)
                connection.sendall(greeting)
                lines = connection.makefile("rb")
                while line := lines.readline():
                    heard.append(line)
                    answer = said.get(
                        line.split()[0].decode("latin-1").upper() if line.strip() else "", b"500 what\r\n"
                    )
                    if answer is None:
                        break
                    connection.sendall(answer)
                    if line.upper().startswith(b"STARTTLS") and context and answer.startswith(b"220"):
                        connection = context.wrap_socket(connection, server_side=True)
                        held.append(connection)
                        lines = connection.makefile("rb")
                connection.shutdown(socket.SHUT_RDWR)

        talking = threading.Thread(target=talk, daemon=True)
        talking.start()
        yield listener.getsockname()[1], heard
        for each in [listener, *held]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        talking.join(timeout=5)
        for each in held:
            each.close()


def sending(port, **changes):
    return Login(
        **{"host": "127.0.0.1", "port": port, "security": "none", "user": "ines", "password": "sécret", **changes}
    )


def names(steps):
    return [(step.name, step.ok) for step in steps]


@pytest.mark.dovecot
def test_all_steps_pass_on_a_real_server(dovecot, authority):
    user = dovecot.add_user()
    login = Login("localhost", dovecot.tls_port, "tls", user.name, user.password)
    guard = Guard(("127.0.0.0/8",), str(authority.file))
    with smtp_server() as (port, heard):
        steps = list(check.test_login(login, guard, smtp_login=sending(port)))
    assert names(steps) == [(name, True) for name in STEPS]
    assert steps[0].detail == "127.0.0.1"
    assert steps[2].detail.startswith("TLSv1.")
    assert steps[4].detail == "6 folders, 0 letters in the inbox"
    assert all(step.error is None and step.milliseconds >= 0 for step in steps)
    assert heard[1] == b"AUTH PLAIN " + base64.b64encode("\0ines\0sécret".encode()) + b"\r\n"
    assert dovecot.commands(user).keys() <= {"CAPABILITY", "AUTHENTICATE", "LIST", "STATUS", "LOGOUT"}


def test_without_sending_settings_there_are_five_steps():
    with Scripted(
        {"LIST": b'* LIST () "/" INBOX\r\n%T OK\r\n', "STATUS": b"* STATUS INBOX (MESSAGES 3)\r\n%T OK\r\n"}
    ) as server:
        assert names(check.test_login(server.login(), LOOPBACK)) == [(name, True) for name in STEPS[:5]]


@pytest.mark.parametrize(
    ("changes", "failing", "kind"),
    [
        ({"host": "no-such-host.invalid"}, "resolve", errors.DnsNotFound),
        ({"host": "10.0.0.1"}, "resolve", errors.BlockedAddress),
        ({"port": 1}, "connect", errors.TcpRefused),
        ({"security": "tls"}, "secure", errors.TlsError),
        ({"security": "starttls"}, "secure", errors.StarttlsMissing),
    ],
)
def test_the_step_that_fails_is_the_last_and_has_its_error(changes, failing, kind):
    with Scripted() as server:
        steps = list(check.test_login(server.login(**changes), LOOPBACK, timeout=2))
    assert names(steps) == [(name, True) for name in STEPS[: STEPS.index(failing)]] + [(failing, False)]
    assert type(steps[-1].error) is kind


def test_a_wrong_password_and_a_failing_list_are_seen_at_their_step():
    with Scripted({"LOGIN": b"%T NO [AUTHENTICATIONFAILED] no\r\n"}) as server:
        steps = list(check.test_login(server.login(), LOOPBACK, timeout=2))
        assert (steps[-1].name, type(steps[-1].error)) == ("sign_in", errors.AuthFailed)
        assert "secret" not in repr(steps)
    with Scripted({"LIST": b"%T NO cannot\r\n"}) as server:
        steps = list(check.test_login(server.login(), LOOPBACK, timeout=2))
        assert (steps[-1].name, type(steps[-1].error)) == ("folders", errors.ServerSaysNo)
    with Scripted(greeting=b"220 smtp\r\n") as server:
        steps = list(check.test_login(server.login(), LOOPBACK, timeout=2))
        assert (steps[-1].name, type(steps[-1].error)) == ("secure", errors.NotImap)


def test_steps_come_one_by_one_and_leaving_early_closes_everything():
    with Scripted() as server:
        steps = check.test_login(server.login(), LOOPBACK)
        assert next(steps).name == "resolve"
        assert server.connections == 0
        for step in steps:
            if step.name == "secure":
                break
        steps.close()
        assert not any(b"LOGIN" in line for line in server.heard)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"535 5.7.8 Authentication credentials invalid\r\n", errors.AuthFailed),
        (b"534 5.7.9 Application-specific password required. google\r\n", errors.AppPasswordRequired),
        (b"535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.\r\n",
         errors.SmtpAuthDisabled),
        (b"454 4.7.0 Temporary authentication failure\r\n", errors.Unavailable),
        (b"421 4.7.0 Try again later\r\n", errors.Unavailable),
        (b"334 eyJzdGF0dXMiOiI0MDAifQ==\r\n", errors.AuthFailed),
        (None, errors.Disconnected),
        (b"535-" + b"x" * 300 + b"\r\n535 no\r\n", errors.AuthFailed),
    ],
)  # fmt: skip
def test_a_refused_smtp_sign_in_has_its_name(answer, kind):
    with smtp_server({"AUTH": answer, "": b"535 5.7.8 no\r\n"}) as (port, _), pytest.raises(errors.MailError) as caught:
        smtp.sign_in(sending(port), LOOPBACK, timeout=2)
    assert type(caught.value) is kind


def test_each_way_of_signing_in_to_smtp():
    with smtp_server() as (port, heard):
        smtp.sign_in(sending(port, oauth_token="tok"), LOOPBACK, timeout=2).close()
        assert heard[-1] == b"AUTH XOAUTH2 " + base64.b64encode(b"user=ines\1auth=Bearer tok\1\1") + b"\r\n"
    words = {
        "EHLO": b"250-hi\r\n250 AUTH LOGIN\r\n",
        "AUTH": b"334 VXNlcm5hbWU6\r\n",
        "AW5LCW==": b"334 UGFzc3dvcmQ6\r\n",
    }
    password = base64.b64encode(b"secret").decode()
    words |= {base64.b64encode(b"ines").decode().upper(): b"334 UGFzc3dvcmQ6\r\n", password.upper(): b"235 in\r\n"}
    with smtp_server(words) as (port, heard):
        smtp.sign_in(sending(port, password="secret"), LOOPBACK, timeout=2).close()
        assert heard[-1].strip().decode() == password


def test_smtp_without_auth_or_with_another_protocol_is_named():
    with smtp_server({"EHLO": b"250 hi\r\n"}) as (port, _), pytest.raises(errors.SmtpAuthDisabled):
        smtp.sign_in(sending(port), LOOPBACK, timeout=2)
    greetings = {
        b"* OK IMAP\r\n": errors.NotImap,
        b"554 no\r\n": errors.NotImap,
        b"": errors.TcpTimeout,
        b"421 busy\r\n": errors.Unavailable,
        b"220-x\r\n" * 50000: errors.NotImap,  # longer than any greeting
    }
    for greeting, kind in greetings.items():
        with smtp_server(greeting=greeting) as (port, _), pytest.raises(errors.MailError) as caught:
            smtp.sign_in(sending(port), LOOPBACK, timeout=0.5)
        assert type(caught.value) is kind


@pytest.mark.case("A44")
def test_smtp_never_goes_on_in_the_clear(authority):
    with smtp_server({"EHLO": b"250-hi\r\n250 AUTH PLAIN\r\n"}) as (port, heard), pytest.raises(errors.StarttlsMissing):
        smtp.sign_in(sending(port, security="starttls"), LOOPBACK, timeout=2)
    assert not any(line.startswith(b"AUTH") for line in heard)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = authority.pair()
    context.load_cert_chain(pair.certificate, pair.key)
    injected = b"220 go\r\n250 INJECTED\r\n235 in\r\n"
    guard = Guard(("127.0.0.0/8",), str(authority.file))
    with smtp_server({"STARTTLS": injected}, context=context) as (port, heard):
        client = smtp.sign_in(sending(port, security="starttls", host="localhost"), guard, timeout=2)
        assert not client.has_extn("injected")
        client.close()
    assert [line.split()[0].upper() for line in heard] == [b"EHLO", b"STARTTLS", b"EHLO", b"AUTH"]


@pytest.mark.case("D01")
def test_smtp_passes_the_guard():
    with smtp_server() as (port, heard), pytest.raises(errors.BlockedAddress):
        smtp.sign_in(sending(port), Guard(), timeout=2)
    assert heard == []


def test_a_server_that_talks_for_ever_does_not_hold_the_one_who_tries_it(invent, monkeypatch):
    class Talking(Liar):
        def before(self, session, command):
            while command.name == "LIST" and not self.stopping.is_set():
                session.raw(b"* OK wait\r\n")
                self.stopping.wait(0.05)

    monkeypatch.setattr(check, "WITHIN", 1.0)
    server = invent(Talking)
    began = time.monotonic()
    *before, last = check.test_login(Login(server.host, server.port, "none", server.user.name, "secret"), LOOPBACK)
    assert (last.name, last.ok, time.monotonic() - began < 8) == ("folders", False, True)
    assert all(step.ok for step in before)
