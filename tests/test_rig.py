"""The rig itself has to be right before it judges."""

import imaplib
import socket
import ssl
import time
from datetime import UTC, datetime

import pytest

from letterdesk.lib import crashpoint
from tests.rig.boxes import letter
from tests.rig.crashes import Point, dies, points_reached
from tests.rig.independent import Independent
from tests.rig.liar import Liar
from tests.rig.mutator import Mutator
from tests.rig.proxy import CutProxy, Fault
from tests.rig.standin import StandIn

LETTER = b"From: a@example.com\r\nSubject: One\r\nMessage-ID: <1@example.com>\r\n\r\nHello\r\n"


@pytest.mark.dovecot
def test_a_server_starts_quickly(dovecot_server):
    begun = time.monotonic()
    server = dovecot_server(without={"IDLE"})
    assert time.monotonic() - begun < 1.5
    with server.client(server.add_user()) as client:
        assert "IDLE" not in client.capabilities


@pytest.mark.dovecot
def test_a_delivered_letter_is_read_back_byte_for_byte(dovecot):
    user = dovecot.add_user()
    uid = dovecot.deliver(user, LETTER, flags=["\\Seen", "work"], date=datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC))
    with dovecot.client(user) as client:
        uidvalidity, held = client.contents("INBOX")
        assert uidvalidity > 0
        assert [(each.uid, each.flags) for each in held] == [(uid, frozenset({"\\Seen", "work"}))]
        assert set(client.folders()) == {"INBOX", "Sent", "Drafts", "Trash", "Junk", "Archive"}
        assert client.ask("UID", "FETCH", "1", "INTERNALDATE")[0].find(b"06-May-2024 07:08:09 +0000") > 0


@pytest.mark.dovecot
def test_the_servers_own_log_counts_commands_but_not_the_rigs(dovecot):
    user = dovecot.add_user()
    dovecot.deliver(user, LETTER)
    client = imaplib.IMAP4(dovecot.host, dovecot.port)
    client.login(user.name, user.password)
    client.select()
    client.uid("STORE", "1", "+FLAGS", "(\\Deleted)")
    client.expunge()
    client.logout()
    counted = dovecot.commands(user)
    assert counted["EXPUNGE"] == 1
    assert counted["STORE +\\Deleted"] == 1
    assert counted["APPEND"] == 0


@pytest.mark.dovecot
def test_doveadm_changes_the_uidvalidity(dovecot):
    user = dovecot.add_user()
    dovecot.deliver(user, LETTER)
    dovecot.doveadm("mailbox", "update", "--uid-validity", "777", "INBOX", user=user)
    with dovecot.client(user) as client:
        assert client.contents("INBOX")[0] == 777


@pytest.mark.dovecot
@pytest.mark.parametrize("kind", ["valid", "expired", "wrong-name", "self-signed"])
def test_only_the_valid_certificate_is_accepted(dovecot_server, authority, kind):
    server = dovecot_server(certificate=kind)
    context = ssl.create_default_context(cafile=str(authority.file))
    with socket.create_connection((server.host, server.tls_port)) as plain:
        if kind == "valid":
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                assert secured.recv(4) == b"* OK"
        else:
            with pytest.raises(ssl.SSLCertVerificationError):
                context.wrap_socket(plain, server_hostname="localhost")


def test_the_liar_speaks_imap_correctly_when_no_script_interferes():
    with Liar() as server:
        server.inbox.add(letter(1), flags={"\\Seen"})
        server.inbox.add(letter(2))
        with Independent(server.host, server.port) as client:
            client.login("any", "secret")
            assert set(client.folders()) == {"INBOX", "Sent", "Trash"}
            assert client.store_letter("INBOX", letter(3), flags=["\\Flagged"]) == 3
            uidvalidity, held = client.contents("INBOX")
            assert uidvalidity == 1000
            assert [sorted(each.flags) for each in held] == [["\\Seen"], [], ["\\Flagged"]]
            assert client.ask("UID", "SEARCH", "HEADER", "Message-ID", '"letter-2@example.com"') == [b"2"]
            assert client.ask("UID", "FETCH", "9:*", "(UID)") == [b"3 (UID 3)"]  # A07
            client.ask("UID", "STORE", "1", "+FLAGS", "(\\Deleted)")
            client.ask("UID", "EXPUNGE", "1")
            assert client.ask("UID", "SEARCH", "ALL") == [b"2 3"]
            client.ask("UID", "MOVE", "2", "Trash")
            assert server.inbox.uids() == [3]
            assert [each.raw for each in server.boxes["Trash"].letters] == [letter(2)]
            assert b"* OK [COPYUID 1002 2 1]" in server.sent
        assert server.commands["UID EXPUNGE"] == 1


def test_the_proxy_cuts_at_the_byte_and_remembers_what_passed():
    with Liar() as server, CutProxy(server.host, server.port) as proxy:
        proxy.faults = [Fault(after=20), None, Fault(after=4, side="client", kind="reset")]
        with pytest.raises(Independent.error):
            Independent(proxy.host, proxy.port)
        assert len(proxy.recorded[0].server) == 20
        with Independent(proxy.host, proxy.port) as client:
            client.login("any", "secret")
        assert proxy.commands["LOGIN"] == 1
        with pytest.raises((Independent.error, ConnectionResetError)):
            Independent(proxy.host, proxy.port)
        assert len(proxy.recorded[2].client) == 4


def test_the_proxy_changes_lines_of_the_server():
    with Liar() as server, CutProxy(server.host, server.port) as proxy:
        proxy.rewrite = lambda line: line.replace(b" CONDSTORE", b"")
        with Independent(proxy.host, proxy.port) as client:
            assert "CONDSTORE" not in client.capabilities
            assert "MOVE" in client.capabilities


@pytest.mark.dovecot
def test_the_mutator_is_repeatable_and_does_all_kinds_of_change(dovecot):
    logs = []
    for _ in range(2):
        user = dovecot.add_user()
        with Mutator(dovecot, user, seed=5) as mutator:
            mutator.run(80)
        logs.append(mutator.log)
    assert logs[0] == logs[1]
    done = {line.split()[0] for line in logs[0] if "refused" not in line}
    assert done >= {"append", "store", "copy", "move", "expunge", "create"}


def test_the_crash_driver_finds_each_point_and_dies_there():
    done = []

    def scenario():
        done.clear()
        for number in range(5):
            crashpoint.reach("a.before")
            done.append(number)
        crashpoint.reach("b.end")

    assert [str(point) for point in points_reached(scenario)] == ["a.before:1", "a.before:2", "a.before:5", "b.end:1"]
    assert dies(scenario, Point("a.before", 3))
    assert done == [0, 1]
    assert not dies(scenario, Point("a.before", 6))


def test_pymap_stands_in_where_dovecot_is_missing():
    server = StandIn(users=1)
    try:
        user = server.add_user()
        server.deliver(user, LETTER, flags=["\\Seen"])
        with server.client(user) as client:
            assert client.contents("INBOX")[1][0].flags == {"\\Seen"}
    finally:
        server.stop()
