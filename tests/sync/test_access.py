"""A40, A41, A44, D01: who is let in, how, and what a refusal means. Never an empty mailbox."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from letterdesk.mail import errors
from letterdesk.mailboxes.models import MailboxState
from letterdesk.sync.connections import AT_ONCE, Connections
from letterdesk.sync.models import Lease
from tests.rig.boxes import letter
from tests.rig.scripts import access


def state_of(copy) -> str:
    copy.mailbox.refresh_from_db()
    return copy.mailbox.state


@pytest.mark.case("A40")
@pytest.mark.parametrize(
    ("script", "error"),
    [
        (access.AuthRevoked, errors.AuthFailed),
        (access.BareNo, errors.AuthFailed),
        (access.AppPassword, errors.AppPasswordRequired),
    ],
)
def test_a_refused_sign_in_fails_the_mailbox_and_touches_no_letter(invent, connected, script, error):
    server = invent(script)
    copy = connected(server)
    copy.settle()
    server.striking = True
    with pytest.raises(error):
        copy.sync()
    assert state_of(copy) == MailboxState.FAILING
    assert copy.mailbox.error_code == error.code
    assert copy.uids() == [1, 2]


@pytest.mark.case("A40")
@pytest.mark.parametrize("script", [access.AuthUnavailable, access.AuthLimit, access.AuthInUse, access.TooMany])
def test_a_server_that_cannot_now_is_asked_later_and_nobody_is_blamed(invent, connected, script):
    server = invent(script)
    copy = connected(server)
    copy.settle()
    server.striking = True
    with pytest.raises(errors.MailError) as caught:
        copy.sync()
    assert caught.value.is_temporary
    assert not isinstance(caught.value, errors.AuthFailed)
    assert state_of(copy) == MailboxState.CONNECTED
    assert Lease.objects.get(mailbox=copy.mailbox).retry_at is not None
    assert copy.uids() == [1, 2]
    server.striking = False
    copy.settle()
    copy.agrees_and_stays()


@pytest.mark.case("A40")
@pytest.mark.parametrize("script", [access.FolderInUse, access.SignedOutMidway])
def test_a_pass_that_ends_in_the_middle_is_not_an_empty_mailbox(invent, connected, script):
    server = invent(script)
    copy = connected(server)
    copy.settle()
    server.striking = True
    for _ in range(3):
        with suppress(errors.MailError):
            copy.sync()
    assert copy.uids() == [1, 2]
    server.striking = False
    server.inbox.add(letter(3))
    copy.settle()
    copy.agrees_and_stays()


@pytest.mark.case("A40")
def test_the_password_mended_the_mailbox_recovers(invent, connected):
    server = invent(access.AuthRevoked)
    copy = connected(server)
    copy.settle()
    server.striking = True
    with pytest.raises(errors.AuthFailed):
        copy.sync()
    server.striking = False
    copy.settle()
    assert state_of(copy) == MailboxState.CONNECTED
    assert copy.mailbox.error_code == ""


@pytest.mark.dovecot
@pytest.mark.case("A41")
def test_a_server_with_one_connection_too_many_is_asked_later(dovecot_server, connected):
    server = dovecot_server(connections=2)
    copy = connected(server)
    copy.deliver([letter(1)])
    with server.client(copy.user), pytest.raises(errors.TooManyConnections):
        copy.sync()
    assert state_of(copy) == MailboxState.CONNECTED
    copy.settle()
    copy.agrees_and_stays()


@pytest.mark.case("A41")
def test_very_many_mailboxes_of_one_host_sign_in_a_few_at_a_time_and_never_too_many(invent, connected):
    server = invent(access.SlowSignIn)
    mailbox = connected(server).mailbox
    doors = Connections(per_host=20, timeout=5)
    with ThreadPoolExecutor(40) as crowd:
        tries = [crowd.submit(doors.open, mailbox) for _ in range(40)]
    opened = [each.result() for each in tries if each.exception() is None]
    refused = [each.exception() for each in tries if each.exception() is not None]
    for connection in opened:
        connection.close()
    assert len(opened) == 20
    assert {type(error) for error in refused} == {errors.Unavailable}
    assert 1 < server.most <= AT_ONCE


@pytest.mark.case("A44")
@pytest.mark.parametrize("script", [access.StarttlsStripped, access.StarttlsPreauth])
def test_without_starttls_no_password_is_sent(invent, connected, authority, script):
    server = invent(script, pair=authority.pair())
    copy = connected(server, imap_security="starttls", imap_host="localhost")
    with pytest.raises(errors.StarttlsMissing):
        copy.sync()
    assert server.commands["LOGIN"] == server.commands["AUTHENTICATE"] == 0


@pytest.mark.case("A44")
def test_plain_text_injected_behind_starttls_is_dropped_or_refused(invent, connected, authority, trust_rig):
    server = invent(access.StarttlsInjected, pair=authority.pair())
    copy = connected(server, imap_security="starttls", imap_host="localhost")
    with suppress(errors.MailError):
        copy.settle()
        assert copy.uids() == [1, 2]
    copy.mailbox.refresh_from_db()
    assert "INJECTED" not in copy.mailbox.capabilities


@pytest.mark.case("A44")
def test_honest_starttls_works(invent, connected, authority, trust_rig):
    server = invent(access.StarttlsHonest, pair=authority.pair())
    copy = connected(server, imap_security="starttls", imap_host="localhost")
    copy.settle()
    copy.agrees_and_stays()


@pytest.mark.dovecot
@pytest.mark.case("A44")
@pytest.mark.parametrize(
    ("certificate", "error"),
    [
        ("valid", None),
        ("expired", errors.TlsExpired),
        ("wrong-name", errors.TlsName),
        ("self-signed", errors.TlsSelfSigned),
    ],
)
@pytest.mark.usefixtures("trust_rig")
def test_a_bad_certificate_is_named_and_no_password_sent(dovecot_server, connected, certificate, error):
    server = dovecot_server(certificate=certificate)
    copy = connected(server, imap_security="tls", imap_host="localhost", imap_port=server.tls_port)
    if error is None:
        copy.settle()
        copy.agrees_and_stays()
        return
    with pytest.raises(error):
        copy.sync()
    assert copy.user.name not in server.log()


@pytest.mark.parametrize(
    ("script", "error"), [(access.NotImap, errors.NotImap), (access.SilentGreeting, errors.MailError)]
)
def test_what_is_not_an_imap_server_is_said_to_be_none(invent, connected, script, error):
    copy = connected(invent(script))
    with pytest.raises(error):
        copy.sync(timeout=0.5)
    assert not copy.mailbox.folders.exists()


@pytest.mark.case("D01")
def test_a_mailbox_on_loopback_is_refused_unless_the_operator_allows_it(invent, connected, settings):
    settings.ALLOWED_NETWORKS = []
    server = invent(access.AuthRevoked)
    copy = connected(server)
    with pytest.raises(errors.BlockedAddress):
        copy.sync()
    assert server.received == []
