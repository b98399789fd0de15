"""A15–A19, A29, A30, R27: what people do here reaches the server once, and nothing else does (P4)."""

import re

import pytest

from letterdesk.mailboxes.models import PendingChange
from tests.rig.acting import mark, move_to, throw_away
from tests.rig.boxes import letter
from tests.rig.liar import Liar
from tests.rig.oracle import destroyed
from tests.rig.scripts import changes

NO_MOVE = {"MOVE"}
LETTERS = [letter(number) for number in range(1, 6)]


def waiting(copy) -> int:
    return PendingChange.objects.filter(mailbox=copy.mailbox, state="waiting").count()


@pytest.mark.dovecot
def test_flags_set_here_arrive_on_the_server(dovecot, connected):
    copy = connected(dovecot)
    copy.deliver(LETTERS)
    copy.settle()
    mark(copy, 1, 2, add=("\\Seen", "work"))
    mark(copy, 2, remove=("\\Seen",))
    copy.settle()
    _, held = copy.truth()["INBOX"]
    assert [sorted(each.flags) for each in held[:3]] == [["\\Seen", "work"], ["work"], []]
    assert waiting(copy) == 0
    copy.agrees_and_stays()


@pytest.mark.dovecot
def test_a_letter_moved_here_moves_on_the_server_and_stays_the_same_letter(dovecot, connected):
    copy = connected(dovecot)
    copy.deliver(LETTERS)
    copy.settle()
    before = {message.pk for message in copy.messages()}
    move_to(copy, "Archive", 2, 3)
    assert copy.subjects() == ["Letter 1", "Letter 4", "Letter 5"]
    assert sorted(copy.subjects("Archive")) == ["Letter 2", "Letter 3"]
    copy.settle()
    assert sorted(copy.subjects("Archive")) == ["Letter 2", "Letter 3"]
    assert {message.pk for message in copy.messages()} == before
    copy.agrees_and_stays()


def test_letters_whose_size_the_server_does_not_tell_come_move_and_go(invent, connected):  # A43
    class WithoutSizes(Liar):
        def alter(self, session, command, chunk):
            return chunk if b"BODY[]" in chunk else re.sub(rb" RFC822\.SIZE \d+", b"", chunk)

    copy = connected(invent(WithoutSizes))
    copy.server.boxes.make("Archive")
    copy.server.inbox.add(letter(1))
    copy.settle()
    for number in (2, 3):
        copy.server.inbox.add(letter(number))
    copy.settle()
    assert copy.subjects() == ["Letter 1", "Letter 2", "Letter 3"]
    move_to(copy, "Archive", 2)
    copy.settle()
    assert [len(copy.server.boxes[name].letters) for name in ("INBOX", "Archive")] == [2, 1]
    copy.agrees_and_stays()


@pytest.mark.dovecot
@pytest.mark.case("A18")
@pytest.mark.parametrize("without", [set(), NO_MOVE, NO_MOVE | {"UIDPLUS"}], ids=["move", "uidplus", "neither"])
def test_a_deleted_letter_lies_in_the_trash_and_nothing_else_was_expunged(dovecot_server, connected, without):
    server = dovecot_server(without=without)
    copy = connected(server)
    copy.deliver(LETTERS)
    with server.client(copy.user) as other:  # another program has marked a letter of its own
        other.enter("INBOX")
        other.ask("UID", "STORE", "5", "+FLAGS", "(\\Deleted)")
    copy.settle()
    throw_away(copy, 2)
    copy.settle()
    truth = copy.truth()
    assert len(truth["Trash"][1]) == 1
    assert 5 in [each.uid for each in truth["INBOX"][1]]
    commands = server.commands(copy.user)
    assert commands["EXPUNGE"] == commands["CLOSE"] == 0
    if "UIDPLUS" not in without:
        assert [each.uid for each in truth["INBOX"][1]] == [1, 3, 4, 5]
    copy.agrees()


@pytest.mark.case("A18")
@pytest.mark.parametrize("script", [changes.NoMove, changes.NoMoveNoUidplus])
def test_without_move_there_is_a_copy_in_the_trash_before_anything_is_expunged(invent, connected, script):
    server = invent(script)
    copy = connected(server)
    copy.settle()
    throw_away(copy, 2)
    copy.settle()
    assert [each.raw for each in server.boxes["Trash"].letters] == [letter(2)]
    names = [command.split()[1:3] for command in server.received]
    if script is changes.NoMove:
        assert server.inbox.uids() == [1, 3]
        assert names.index([b"UID", b"COPY"]) < names.index([b"UID", b"EXPUNGE"])
    assert server.commands["EXPUNGE"] == 0
    assert copy.subjects() == ["Letter 1", "Letter 3"]


@pytest.mark.case("A16")
@pytest.mark.parametrize("script", [changes.JunkCopyUid, changes.CopyUidEarly, changes.CopyUidLate])
@pytest.mark.case("A17")
def test_a_move_is_followed_whatever_copyuid_says(invent, connected, script):
    server = invent(script)
    copy = connected(server)
    copy.settle()
    before = {message.pk for message in copy.messages()}
    move_to(copy, "Sent", 1, 3)
    copy.settle()
    assert sorted(copy.subjects("Sent")) == ["Letter 1", "Letter 3"]
    assert copy.subjects() == ["Letter 2"]
    assert {message.pk for message in copy.messages()} == before
    assert server.commands["UID MOVE"] <= 2
    copy.agrees_and_stays()


@pytest.mark.case("A29")
def test_flags_changed_on_both_sides_are_merged_one_by_one(invent, connected):
    server = invent(changes.ConflictingStore)
    copy = connected(server)
    server.inbox.flag(server.inbox.letters[0], {"\\Flagged", "kept"})
    copy.settle()
    mark(copy, 1, add=("\\Seen",), remove=("\\Flagged",))
    copy.settle()
    assert server.inbox.letters[0].flags == {"\\Seen", "kept", "theirs"}
    copy.agrees_and_stays()


@pytest.mark.dovecot
@pytest.mark.case("A29")
def test_what_another_program_flags_while_ours_waits_is_not_undone(dovecot, connected):
    copy = connected(dovecot)
    copy.deliver(LETTERS[:2])
    copy.settle()
    mark(copy, 1, add=("\\Seen",))
    with dovecot.client(copy.user) as other:
        other.enter("INBOX")
        other.ask("UID", "STORE", "1:2", "+FLAGS", "(\\Answered important)")
    copy.settle()
    assert copy.flags(1) == {"\\Seen", "\\Answered", "important"}
    assert copy.flags(2) == {"\\Answered", "important"}
    copy.agrees_and_stays()


@pytest.mark.case("A30")
def test_keywords_that_the_server_cannot_keep_are_not_tried_forever(invent, connected):
    server = invent(changes.NoKeywords)
    copy = connected(server)
    copy.settle()
    mark(copy, 1, add=("\\Seen", "work"))
    for _ in range(5):
        copy.sync()
    assert server.refused <= 1
    assert "\\Seen" in server.inbox.letters[0].flags
    assert "\\Seen" in copy.flags(1)


@pytest.mark.case("A30")
def test_a_read_only_folder_is_not_stored_into_forever(invent, connected):
    server = invent(changes.ReadOnly)
    copy = connected(server)
    copy.settle()
    mark(copy, 1, add=("\\Seen",))
    for _ in range(6):
        copy.sync()
    assert server.refused <= 2
    assert server.inbox.letters[0].flags == set()


@pytest.mark.case("A18")
def test_where_there_is_no_trash_nothing_is_expunged_without_a_copy(invent, connected):
    server = invent(changes.NoTrash)
    copy = connected(server)
    copy.settle()
    throw_away(copy, 1)  # R27: one is made
    copy.settle()
    assert letter(1) in [each.raw for each in server.boxes.by_name["Trash"].letters]
    assert letter(1) not in [each.raw for each in server.inbox.letters]
    trash = copy.mailbox.folders.get(role="trash")
    assert (trash.is_wanted, trash.gone_at, trash.listings.count()) == (False, None, 1)


@pytest.mark.dovecot
def test_deleting_in_the_trash_deletes_for_good_and_nothing_but_that(dovecot, connected):
    copy = connected(dovecot)
    copy.deliver(LETTERS[:3], folder="Trash")
    copy.deliver(LETTERS[3:])
    copy.settle()
    throw_away(copy, 2, name="Trash")
    copy.settle()
    truth = copy.truth()
    assert [each.uid for each in truth["Trash"][1]] == [1, 3]
    assert len(truth["INBOX"][1]) == 2
    commands = dovecot.commands(copy.user)
    assert commands["UID EXPUNGE"] == 1
    assert commands["EXPUNGE"] == commands["UID MOVE"] == 0
    copy.agrees_and_stays()


@pytest.mark.dovecot
@pytest.mark.case("A19")
@pytest.mark.parametrize("seed", [1, 2])
def test_in_a_storm_of_moves_no_letter_is_ever_lost_to_the_reader(dovecot, connected, seed):
    from tests.rig.mutator import Mutator

    copy = connected(dovecot)
    copy.deliver([letter(number) for number in range(1, 16)])
    copy.settle()
    letters = {message.pk for message in copy.messages()}
    with Mutator(dovecot, copy.user, seed=seed, kinds={"move": 1}) as storm:
        for _ in range(8):
            storm.run(4)
            copy.sync()
            assert letters == {message.pk for message in copy.messages()}, storm.log
    copy.settle()
    assert letters == {message.pk for message in copy.messages()}
    copy.agrees_and_stays()
    assert destroyed(dovecot.commands(copy.user)) == {}
