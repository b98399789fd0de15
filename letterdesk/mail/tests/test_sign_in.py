"""Connecting and signing in: what goes wrong has its name, and nothing goes on in the clear."""

import base64
import ssl

import pytest

from letterdesk.mail import errors
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Connection, Login, Trace
from letterdesk.mail.tests.scripted import LOOPBACK, Scripted

REFUSALS = [
    (b"NO [AUTHENTICATIONFAILED] Authentication failed.", errors.AuthFailed),
    (b"NO [AUTHENTICATIONFAILED] LOGIN Invalid credentials", errors.AuthFailed),
    (b"NO [ALERT] Invalid credentials (Failure)", errors.AuthFailed),
    (b"NO LOGIN failed.", errors.AuthFailed),
    (b"NO", errors.AuthFailed),
    (b"BAD Invalid user name or password", errors.AuthFailed),
    (b"NO [AUTHENTICATIONFAILED] AUTHENTICATE invalid credentials or IMAP is disabled sc=abc", errors.AuthFailed),
    (b"NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)",
     errors.AppPasswordRequired),
    (b"NO [WEBALERT https://accounts.google.com/signin] Web login required.", errors.AppPasswordRequired),
    (b"NO [AUTHENTICATIONFAILED] Please use an app-specific password", errors.AppPasswordRequired),
    (b"NO [ALERT] Your account is not enabled for IMAP use. Please visit your settings.", errors.ImapDisabled),
    (b"NO [ALERT] IMAP access is disabled for your domain.", errors.ImapDisabled),
    (b"NO User is authenticated but not connected.", errors.ImapDisabled),
    (b"NO [ALERT] Too many simultaneous connections. (Failure)", errors.TooManyConnections),
    (b"NO [LIMIT] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
     errors.TooManyConnections),
    (b"NO [UNAVAILABLE] Temporary authentication failure", errors.Unavailable),
    (b"NO [INUSE] mailbox in use", errors.Unavailable),
    (b"NO [LIMIT] Rate limit hit", errors.Unavailable),
    (b"NO Internal server error, please try again later", errors.Unavailable),
    (b"NO [PRIVACYREQUIRED] encrypt first", errors.EncryptionWanted),
    (b"BAD Command unknown", errors.ServerSaysNo),
]  # fmt: skip


@pytest.mark.case("A40")
@pytest.mark.parametrize(("answer", "kind"), REFUSALS)
def test_a_refused_sign_in_has_its_name(answer, kind):
    with Scripted({"LOGIN": b"%T " + answer + b"\r\n"}) as server, pytest.raises(errors.MailError) as caught:
        server.connect()
    assert type(caught.value) is kind
    assert "secret" not in repr(caught.value) + caught.value.text + caught.value.detail
    assert caught.value.needs_person == isinstance(caught.value, errors.AuthFailed | errors.StarttlsMissing)


def test_the_provider_is_named_when_it_wants_an_app_password():
    with Scripted({"LOGIN": b"%T NO [ALERT] Application-specific password required: google.com\r\n"}) as server:
        with pytest.raises(errors.AppPasswordRequired) as caught:
            server.connect()
        assert caught.value.text == "Google needs an app password here, not the usual one."


@pytest.mark.parametrize("offer", [b"IMAP4rev1 AUTH=PLAIN SASL-IR", b"IMAP4rev1 AUTH=PLAIN", b"IMAP4rev1"])
def test_each_way_of_giving_a_password(offer):
    answers = {} if b"SASL-IR" in offer else {"AUTHENTICATE": b"+ \r\n", "": b"L1 OK\r\n"}
    with Scripted(answers, offer=offer) as server:
        server.connect(password='p"ä\\', user="ines@example.com")
        heard = b" ".join(server.heard)
    if b"AUTH=PLAIN" in offer:
        assert base64.b64encode('\0ines@example.com\0p"ä\\'.encode()) in heard
    else:
        assert b'LOGIN "ines@example.com" {5}\r\np"\xc3\xa4\\' in heard


def test_an_oauth_token_is_given_by_xoauth2_and_a_refusal_is_acknowledged():
    report = base64.b64encode(b'{"status":"400","schemes":"Bearer"}')
    answers = {"AUTHENTICATE": b"+ " + report + b"\r\n", "": b"L1 NO [AUTHENTICATIONFAILED] no\r\n"}
    with Scripted(answers, offer=b"IMAP4rev1 SASL-IR AUTH=XOAUTH2 AUTH=PLAIN") as server:
        with pytest.raises(errors.AuthFailed) as caught:
            server.connect(oauth_token="tok")
        assert '"status":"400"' in caught.value.detail
        assert base64.b64encode(b"user=ines\1auth=Bearer tok\1\1") in server.heard[0]
        assert server.heard[1] == b"\r\n"


def test_a_password_never_goes_where_login_is_disabled():
    with Scripted(offer=b"IMAP4rev1 LOGINDISABLED STARTTLS") as server:
        with pytest.raises(errors.StarttlsMissing):
            server.connect()
        assert server.heard == []


@pytest.mark.case("D04")
@pytest.mark.parametrize("field", ["user", "password", "oauth_token"])
def test_a_nul_never_reaches_the_server(field):
    with Scripted(offer=b"IMAP4rev1 SASL-IR AUTH=PLAIN") as server:
        with pytest.raises(errors.NotSendable):
            server.connect(**{field: "a\0b\1"})
        assert server.heard == []


@pytest.mark.parametrize(
    ("greeting", "kind"),
    [
        (b"220 smtp.example.com ESMTP\r\n", errors.NotImap),
        (b"+OK POP3 ready\r\n", errors.NotImap),
        (b"SSH-2.0-OpenSSH_9\r\n", errors.NotImap),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", errors.NotImap),
        (b"\x15\x03\x01\x00\x02\x02\x16\n", errors.NotImap),
        (b"x" * (2 << 20), errors.NotImap),
        (b"* BYE Too many connections from your address\r\n", errors.TooManyConnections),
        (b"* BYE [UNAVAILABLE] maintenance\r\n", errors.Unavailable),
        (b"* BYE go away\r\n", errors.Disconnected),
        (b"", errors.TcpTimeout),
    ],
)
def test_what_greets_like_no_imap_server_is_named(greeting, kind):
    with Scripted(greeting=greeting) as server, pytest.raises(errors.MailError) as caught:
        server.connect(timeout=0.5)
    assert type(caught.value) is kind


@pytest.mark.case("A44")
def test_encryption_that_is_not_offered_is_an_error_and_no_password_is_sent():
    with Scripted(offer=b"IMAP4rev1") as server:
        with pytest.raises(errors.StarttlsMissing):
            server.connect(security="starttls")
        assert server.heard == []
    with Scripted({"STARTTLS": b"%T NO not now\r\n"}, offer=b"IMAP4rev1 STARTTLS") as server:
        with pytest.raises(errors.StarttlsMissing):
            server.connect(security="starttls")
        assert server.commands() == [b"STARTTLS"]


@pytest.mark.case("A44")
def test_preauth_does_not_talk_us_out_of_encryption():
    greeting = b"* PREAUTH [CAPABILITY %C] hello\r\n"
    with Scripted(greeting=greeting, offer=b"IMAP4rev1 STARTTLS") as server, pytest.raises(errors.StarttlsMissing):
        server.connect(security="starttls")


@pytest.mark.case("A44")
def test_what_was_injected_after_starttls_counts_for_nothing(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = authority.pair()
    context.load_cert_chain(pair.certificate, pair.key)
    injected = b"%T OK begin\r\n* CAPABILITY IMAP4rev1 INJECTED LOGINDISABLED\r\nL2 OK\r\nL3 OK\r\n"
    with Scripted({"STARTTLS": injected}, offer=b"IMAP4rev1 STARTTLS", context=context) as server:
        guard = Guard(("127.0.0.0/8",), str(authority.file))
        connection = server.connect(security="starttls", host="localhost", guard=guard)
        assert not connection.has("INJECTED")
        assert [line.split()[0] for line in server.commands()] == [b"STARTTLS", b"CAPABILITY", b"LOGIN", b"CAPABILITY"]


@pytest.mark.case("A44")
@pytest.mark.dovecot
@pytest.mark.parametrize(
    ("certificate", "kind", "says"),
    [
        ("expired", errors.TlsExpired, "expired on 20"),
        ("wrong-name", errors.TlsName, "for mail.elsewhere.example"),
        ("self-signed", errors.TlsSelfSigned, "self-signed"),
    ],
)
def test_a_bad_certificate_is_named(dovecot_server, authority, certificate, kind, says):
    server = dovecot_server(certificate=certificate)
    guard = Guard(("127.0.0.0/8",), str(authority.file))
    for security, port in (("tls", server.tls_port), ("starttls", server.port)):
        with pytest.raises(errors.TlsError) as caught:
            Connection.open(Login("localhost", port, security, "x", "secret"), guard, timeout=5)
        assert type(caught.value) is kind
        assert security == "starttls" or says in caught.value.text


@pytest.mark.dovecot
def test_plain_on_a_tls_port_and_tls_on_a_plain_port_are_errors(dovecot, authority):
    guard = Guard(("127.0.0.0/8",), str(authority.file))
    with pytest.raises(errors.TlsError):
        Connection.open(Login("localhost", dovecot.port, "tls", "x", "secret"), guard, timeout=2)
    with pytest.raises((errors.TcpTimeout, errors.NotImap, errors.Disconnected)):
        Connection.open(Login("localhost", dovecot.tls_port, "none", "x", "secret"), guard, timeout=1)


@pytest.mark.dovecot
def test_a_wrong_password_is_refused_by_a_real_server(dovecot):
    user = dovecot.add_user()
    with pytest.raises(errors.AuthFailed):
        Connection.open(Login(dovecot.host, dovecot.port, "none", user.name, "wrong"), LOOPBACK)


@pytest.mark.dovecot
@pytest.mark.case("A41")
def test_the_connection_too_many_is_named(dovecot_server):
    server = dovecot_server(connections=2)
    user = server.add_user()
    login = Login(server.host, server.port, "none", user.name, user.password)
    held = [Connection.open(login, LOOPBACK) for _ in range(2)]
    with pytest.raises(errors.TooManyConnections):
        Connection.open(login, LOOPBACK)
    for each in held:
        each.logout()


@pytest.mark.case("A26")
@pytest.mark.parametrize(
    ("enabled", "expected"),
    [(b"* ENABLED QRESYNC\r\n%T OK\r\n", True), (b"* ENABLED\r\n%T OK\r\n", False), (b"%T OK\r\n", False),
     (b"%T BAD what\r\n", False), (b"%T NO\r\n", False)],
)  # fmt: skip
def test_qresync_counts_only_when_the_server_says_it_is_enabled(enabled, expected):
    with Scripted({"ENABLE": enabled}, offer=b"IMAP4rev1 ENABLE CONDSTORE QRESYNC ID") as server:
        connection = server.connect()
        assert connection.has_qresync is expected
        assert connection.has_condstore


def test_the_trace_tells_the_conversation_and_no_secret():
    trace = Trace()
    for offer in (b"IMAP4rev1", b"IMAP4rev1 AUTH=PLAIN SASL-IR"):
        with Scripted(offer=offer) as server:
            server.connect(trace=trace, user="ines@example.com").noop()
    text = str(trace)
    assert "NOOP" in text
    assert "secret" not in text
    assert base64.b64encode(b"\0ines@example.com\0secret").decode() not in text
    assert "secret" not in repr(server.login())
