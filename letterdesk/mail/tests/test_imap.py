"""The connection against a real Dovecot."""

import hashlib
import select
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest

from letterdesk.mail import errors
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Connection, Login, NotHanded
from letterdesk.mail.tests.scripted import LOOPBACK
from letterdesk.mail.uidset import UidSet

pytestmark = pytest.mark.dovecot
SEEN, DELETED = frozenset({"\\Seen"}), frozenset({"\\Deleted"})


def raw(number, size=300):
    return f"Message-ID: <m{number}@rig.example>\r\nSubject: {number}\r\n\r\n".encode() + b"x" * size + b"\r\n"


@contextmanager
def signed_in(server, user, folder="INBOX", **login):
    settings = {"host": server.host, "port": server.port, "security": "none", **login}
    connection = Connection.open(Login(user=user.name, password=user.password, **settings), LOOPBACK, timeout=10)
    try:
        if folder:
            connection.select(folder)
        yield connection
    finally:
        connection.close()


def fill(server, user, count, size=300):
    with server.client(user) as other:
        for number in range(1, count + 1):
            other.append("INBOX", None, None, raw(number, size))


@pytest.fixture
def user(dovecot):
    return dovecot.add_user()


@pytest.mark.parametrize(("security", "port"), [("tls", "tls_port"), ("starttls", "port"), ("none", "port")])
def test_each_security_signs_in(dovecot, authority, user, security, port):
    guard = Guard(("127.0.0.0/8",), str(authority.file))
    login = Login("localhost", getattr(dovecot, port), security, user.name, user.password)
    with Connection.open(login, guard) as connection:
        assert connection.has_qresync
        assert connection.has_condstore
        assert connection.has_move
        assert connection.has_uidplus
        assert connection.has_idle
        assert connection.has_special_use
        assert connection.status("INBOX").messages == 0
        connection.logout()


def test_folders_have_roles_and_any_name_round_trips(dovecot, user):
    with signed_in(dovecot, user, "") as connection:
        made = [connection.create(name) for name in ("Müll & Co", "Вход", "a (b) %x", "日本/子")]
        folders = {folder.wire_name: folder for folder in connection.folders()}
        assert {folder.role: folder.name for folder in folders.values() if folder.role} == {
            "inbox": "INBOX", "sent": "Sent", "drafts": "Drafts",
            "trash": "Trash", "spam": "Junk", "archive": "Archive",
        }  # fmt: skip
        assert [folders[wire].name for wire in made] == ["Müll & Co", "Вход", "a (b) %x", "日本/子"]
        assert all(connection.select(wire).exists == 0 for wire in made)
        assert connection.statuses([*made, "INBOX", "Nowhere"]).keys() == {*made, "INBOX"}


@pytest.mark.parametrize("without", [set(), {"LIST-STATUS", "LIST-EXTENDED", "CONDSTORE", "QRESYNC"}])
def test_the_status_of_many_folders_takes_few_round_trips(dovecot_server, without):
    server = dovecot_server(without=without)
    user = server.add_user()
    with signed_in(server, user, "") as connection:
        names = ["INBOX", *(connection.create(f"Folder {number}") for number in range(45))]
        server.deliver(user, raw(1), folder="Folder 7")
        found = connection.statuses([*names, "Nowhere"])
        assert found.keys() == set(names)
        assert found["Folder 7"] == connection.status("Folder 7")
        assert found["Folder 7"].messages == 1
        assert found["Folder 7"].uidnext == 2
        assert connection.commands["STATUS"] == (48 if without else 2)  # without LIST-STATUS one each, pipelined
        with pytest.raises(errors.ServerSaysNo) as caught:
            connection.status("Nowhere")
        assert "Nowhere" in caught.value.detail


def test_selecting_tells_the_marks_and_what_may_be_stored(dovecot, user):
    fill(dovecot, user, 3)
    with signed_in(dovecot, user, "") as connection:
        selected = connection.select("INBOX")
        assert (selected.exists, selected.uidnext, selected.readonly) == (3, 4, False)
        assert selected.highestmodseq
        assert selected.accepts_keywords
        assert "\\Seen" in selected.permanent_flags
        assert connection.select("INBOX", readonly=True).readonly
        with pytest.raises(errors.ServerSaysNo):
            connection.select("Nowhere")


def test_resync_tells_what_changed_and_what_vanished(dovecot, user):
    fill(dovecot, user, 10)
    with signed_in(dovecot, user) as connection:
        before = connection.select("INBOX")
        connection.select("Sent")
        with dovecot.client(user) as other:
            other.select("INBOX")
            other.uid("STORE", "2", "+FLAGS", "(\\Flagged)")
            other.uid("STORE", "4:6,9", "+FLAGS", "(\\Deleted)")
            other.expunge()
        after = connection.select("INBOX", resync=(before.uidvalidity, before.highestmodseq, UidSet.parse("1:10")))
        assert after.resynced
        assert after.vanished == UidSet.parse("4:6,9")
        assert {(each.uid, each.flags) for each in after.changed} == {(2, frozenset({"\\Flagged"}))}
        other_time = connection.select("INBOX", resync=(before.uidvalidity + 1, before.highestmodseq, None))
        assert not other_time.resynced
        assert not other_time.vanished


def test_uids_are_complete_and_days_limit_them(dovecot, user):
    moment = datetime(2024, 5, 10, 12, tzinfo=UTC)
    for number in range(5):
        dovecot.deliver(user, raw(number), date=moment + timedelta(days=number))
    with signed_in(dovecot, user) as connection:
        assert connection.uids() == UidSet.parse("1:5")
        assert connection.uids(since=date(2024, 5, 12)) == UidSet.parse("3:5")
        assert connection.uids(before=date(2024, 5, 12)) == UidSet.parse("1:2")
        assert connection.uids(since=date(2030, 1, 1)) == UidSet()


def test_plain_search_answers_are_read_as_well(dovecot_server):
    server = dovecot_server(without={"ESEARCH"})
    user = server.add_user()
    with signed_in(server, user) as connection:
        assert connection.uids() == UidSet()
        fill(server, user, 4)
        connection.noop()
        assert connection.uids() == UidSet.parse("1:4")
        assert connection.find("<m3@rig.example>") == UidSet([3])


@pytest.mark.case("A46")
@pytest.mark.parametrize("message_id", ["<m2@rig.example>", 'a"b\\c', "é\r\nX EXPUNGE", "x" * 65536, "", "{5}"])
def test_any_message_id_can_be_asked_for(dovecot, user, message_id):
    fill(dovecot, user, 2)
    with signed_in(dovecot, user) as connection:
        found = connection.find(message_id)
        assert found == (UidSet([2]) if "m2" in message_id else UidSet() if message_id else UidSet([1, 2]))
        assert connection.uids() == UidSet([1, 2])


def test_letters_come_whole_with_their_date_and_flags(dovecot, user):
    moment = datetime(2021, 2, 3, 4, 5, 6, tzinfo=UTC)
    dovecot.deliver(user, raw(1, 70_000), flags=["\\Seen", "$work"], date=moment)
    with signed_in(dovecot, user) as connection:
        [[letter]] = connection.letters(UidSet([1]))
        assert hashlib.sha256(letter.raw).digest() == hashlib.sha256(raw(1, 70_000)).digest()
        assert letter.internal_date == moment
        assert letter.internal_date.tzinfo is UTC
        assert letter.flags == {"\\Seen", "$work"}
        assert letter.modseq
        [summary] = connection.envelopes(UidSet([1]))
        assert (summary.uid, summary.internal_date, summary.flags) == (1, moment, letter.flags)
        assert summary.size == len(letter.raw)


def test_reading_a_letter_does_not_mark_it_read(dovecot, user):
    fill(dovecot, user, 1)
    with signed_in(dovecot, user) as connection:
        list(connection.letters(connection.uids()))
        assert [each.flags for each in connection.flags(UidSet([1]))] == [frozenset()]


def test_not_one_letter_is_missing_from_a_bulk_although_answers_to_two_commands_mix(dovecot, user):
    fill(dovecot, user, 1200, size=6000)
    with signed_in(dovecot, user) as connection:
        for sets in (connection.uids(), connection.uids().newest_first(50), connection.uids().chunks(7)):
            got = {}
            for batch in connection.letters(sets, batch=50):
                assert len(batch) <= 50
                got |= {letter.uid: letter.raw for letter in batch}
                time.sleep(0.001)
            assert len(got) == 1200
            assert all(f"<m{uid}@rig.example>".encode() in octets for uid, octets in got.items())


def test_batches_hold_to_their_bytes(dovecot, user):
    fill(dovecot, user, 40, size=10_000)
    with signed_in(dovecot, user) as connection:
        batches = list(connection.letters(connection.uids(), batch_bytes=25_000))
        assert [len(batch) for batch in batches[:-1]] == [3] * (len(batches) - 1)
        assert sum(len(batch) for batch in batches) == 40


def test_the_newest_come_first_when_asked_so(dovecot, user):
    fill(dovecot, user, 10)
    with signed_in(dovecot, user) as connection:
        batches = list(connection.letters(connection.uids().newest_first(4), batch=4))
        assert [[letter.uid for letter in batch] for batch in batches] == [[7, 8, 9, 10], [3, 4, 5, 6], [1, 2]]


@pytest.mark.case("A07")
def test_only_letters_asked_for_are_handed_out(dovecot, user):
    fill(dovecot, user, 3)
    with signed_in(dovecot, user) as connection:
        assert list(connection.letters(UidSet.parse("4:99"))) == []
        assert list(connection.flags(UidSet.parse("4:99"))) == []
        assert list(connection.envelopes(UidSet.parse("4:99"))) == []


@pytest.mark.case("A08")
def test_the_largest_numbers_pass(dovecot, user):
    dovecot.deliver(user, raw(0))
    dovecot.doveadm("mailbox", "update", "--min-next-uid", "4294967290", "INBOX", user=user)
    dovecot.doveadm("mailbox", "update", "--uid-validity", "4294967295", "INBOX", user=user)
    dovecot.doveadm("mailbox", "update", "--min-highest-modseq", str(2**62), "INBOX", user=user)
    uid = dovecot.deliver(user, raw(1))
    assert uid >= 4294967290
    with signed_in(dovecot, user, "") as connection:
        selected = connection.select("INBOX")
        assert (selected.uidvalidity, selected.uidnext) == (4294967295, uid + 1)
        assert selected.highestmodseq >= 2**62
        assert [letter.uid for batch in connection.letters(connection.uids()) for letter in batch] == [1, uid]
        assert connection.store(UidSet([uid]), add=SEEN, unchanged_since=selected.highestmodseq) == UidSet()


@pytest.mark.case("A37")
def test_a_letter_above_the_limit_is_named_and_the_others_still_come(dovecot, user):
    for size in (100, 300_000, 100):
        dovecot.deliver(user, raw(1, size))
    with signed_in(dovecot, user) as connection:
        [batch] = connection.letters(connection.uids(), max_size=100_000)
        assert [type(each).__name__ for each in batch] == ["Fetched", "NotHanded", "Fetched"]
        assert (batch[1].uid, batch[1].reason, batch[1].size) == (2, "too_large", len(raw(1, 300_000)))
        assert batch[1].internal_date
        connection.noop()


@pytest.mark.case("A37")
def test_a_letter_far_above_the_limit_costs_the_connection_but_not_the_others(dovecot, user):
    for size in (100, 6_000_000, 100):
        dovecot.deliver(user, raw(1, size))
    handed = []
    with signed_in(dovecot, user) as connection, pytest.raises(errors.ProtocolError):
        for batch in connection.letters(connection.uids(), max_size=100_000):
            handed += batch
    assert [each.uid for each in handed] == [1, 2]
    assert isinstance(handed[1], NotHanded)
    with signed_in(dovecot, user) as connection:
        [[third]] = connection.letters(UidSet([3]), max_size=100_000)
        assert third.uid == 3


def test_leaving_a_bulk_early_leaves_the_connection_usable(dovecot, user):
    fill(dovecot, user, 100, size=20_000)
    with signed_in(dovecot, user) as connection:
        for _ in connection.letters(connection.uids().newest_first(5), batch=5):
            break
        assert len(connection.uids()) == 100
        assert sum(len(batch) for batch in connection.letters(connection.uids())) == 100


def test_asking_for_something_else_within_a_bulk_is_an_error_not_a_loss(dovecot, user):
    fill(dovecot, user, 30, size=20_000)
    with signed_in(dovecot, user) as connection:
        bulk = connection.letters(connection.uids().newest_first(5), batch=5)
        next(bulk)
        connection.noop()
        with pytest.raises(RuntimeError, match="something else"):
            list(bulk)


def test_flags_change_and_only_changes_are_told(dovecot, user):
    fill(dovecot, user, 10)
    with signed_in(dovecot, user) as connection:
        mark = connection.select("INBOX").highestmodseq
        assert connection.store(UidSet.parse("2:4"), add=frozenset({"\\Seen", "$work"})) == UidSet()
        assert connection.store(UidSet([3]), remove=frozenset({"$work"})) == UidSet()
        changed = {each.uid: each for each in connection.flags(UidSet.parse("1:10"), changed_since=mark)}
        assert {uid: set(each.flags) for uid, each in changed.items()} == {
            2: {"\\Seen", "$work"}, 3: {"\\Seen"}, 4: {"\\Seen", "$work"},
        }  # fmt: skip
        assert all(each.modseq > mark for each in changed.values())
        assert len(list(connection.flags(connection.uids()))) == 10


@pytest.mark.case("A29")
def test_a_flag_is_not_pushed_over_a_change_that_we_have_not_seen(dovecot, user):
    fill(dovecot, user, 3)
    with signed_in(dovecot, user) as connection:
        mark = connection.select("INBOX").highestmodseq
        with dovecot.client(user) as other:
            other.select("INBOX")
            other.uid("STORE", "2", "+FLAGS", "(\\Flagged)")
        refused = connection.store(UidSet.parse("1:3"), add=SEEN, remove=frozenset({"\\Draft"}), unchanged_since=mark)
        assert refused == UidSet([2])
        found = {each.uid: set(each.flags) for each in connection.flags(UidSet.parse("1:3"))}
        assert found == {1: {"\\Seen"}, 2: {"\\Flagged"}, 3: {"\\Seen"}}


def test_move_copy_append_and_expunge_tell_where_things_went(dovecot, user):
    fill(dovecot, user, 6)
    with signed_in(dovecot, user) as connection:
        assert connection.move(UidSet([2, 4]), "Trash") == {2: 1, 4: 2}
        assert connection.copy(UidSet([1]), "Archive") == {1: 1}
        validity, uid = connection.append("Sent", raw(9), flags=SEEN, internal_date=datetime(2020, 1, 1, tzinfo=UTC))
        connection.store(UidSet([5, 6]), add=DELETED)
        connection.expunge(UidSet([6]))
        assert connection.uids() == UidSet([1, 3, 5])
        assert connection.select("Sent").uidvalidity == validity
        [[sent]] = connection.letters(UidSet([uid]))
        assert (sent.raw, sent.internal_date, sent.flags) == (raw(9), datetime(2020, 1, 1, tzinfo=UTC), SEEN)
        assert connection.commands["UID EXPUNGE"] == 1
        assert connection.commands["EXPUNGE"] == 0


@pytest.mark.case("A18")
def test_without_the_extension_nothing_destructive_is_sent(dovecot_server):
    server = dovecot_server(without={"MOVE", "UIDPLUS", "CONDSTORE", "QRESYNC", "IDLE"})
    user = server.add_user()
    fill(server, user, 2)
    with signed_in(server, user) as connection:
        for refused in (
            lambda: connection.move(UidSet([1]), "Trash"),
            lambda: connection.expunge(UidSet([1])),
            lambda: connection.store(UidSet([1]), add=SEEN, unchanged_since=1),
            lambda: connection.flags(UidSet([1]), changed_since=1),
            connection.idle,
        ):
            with pytest.raises(errors.NotSupported):
                refused()
        assert {name for name in connection.commands if name.startswith("UID")} == set()
        assert connection.select("INBOX", resync=(1, 1, None)).resynced is False
        assert [each.modseq for each in connection.flags(UidSet([1]))] == [None]


def test_a_set_of_very_many_ranges_is_split_over_command_lines(dovecot, user):
    fill(dovecot, user, 5)
    scattered = UidSet([1, 3, 5, *range(1001, 12001, 2)])
    with signed_in(dovecot, user) as connection:
        assert {each.uid for each in connection.flags(scattered)} == {1, 3, 5}
        assert connection.store(scattered, add=SEEN) == UidSet()
        assert connection.commands["UID STORE"] > 1
        assert all(len(line) < 8192 for line in dovecot.wire(user))


@pytest.mark.parametrize("security", ["none", "tls"])
def test_idle_wakes_a_selector_when_a_letter_arrives(dovecot, authority, user, security):
    port = dovecot.tls_port if security == "tls" else dovecot.port
    guard = Guard(("127.0.0.0/8",), str(authority.file))
    with Connection.open(Login("localhost", port, security, user.name, user.password), guard) as connection:
        connection.select("INBOX")
        connection.idle()
        assert connection.idle_events() == []
        dovecot.deliver(user, raw(1))
        assert select.select([connection], [], [], 5)[0] == [connection]
        events = connection.idle_events()
        assert "1 EXISTS" in events
        assert not connection.has_pending()
        assert connection.exists == 1
        connection.done()
        assert connection.uids() == UidSet([1])


def test_thirty_idle_connections_are_watched_together(dovecot):
    users = [dovecot.add_user() for _ in range(30)]
    connections = [
        Connection.open(Login(dovecot.host, dovecot.port, "none", user.name, user.password), LOOPBACK) for user in users
    ]
    for connection in connections:
        connection.select("INBOX")
        connection.idle()
    for user in users[::3]:
        dovecot.deliver(user, raw(1))
    woken = set()
    deadline = time.monotonic() + 10
    while len(woken) < 10 and time.monotonic() < deadline:
        for ready in select.select(connections, [], [], 1)[0]:
            if any("EXISTS" in event for event in ready.idle_events()):
                woken.add(connections.index(ready))
    assert woken == set(range(0, 30, 3))
    for connection in connections:
        connection.logout()
