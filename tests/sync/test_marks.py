"""A21–A27: MODSEQ marks that are wrong, late, or not there at all."""

from datetime import timedelta

import pytest

from tests.rig.boxes import letter
from tests.rig.scripts import marks

WITHOUT = [
    {"QRESYNC"},
    {"QRESYNC", "CONDSTORE"},
    {"QRESYNC", "CONDSTORE", "ESEARCH", "LIST-STATUS", "LITERAL+", "SPECIAL-USE", "ENABLE", "MOVE", "IDLE"},
]
LYING = [
    marks.ZeroMark,
    marks.JunkMark,
    marks.NullMark,
    marks.HugeMark,
    marks.NoMark,
    marks.FallingMark,
    marks.EmptyEnabled,
    marks.NoEnable,
    marks.QuietChanges,
    marks.NothingSpecial,
]


def change_everything(server) -> None:
    server.inbox.flag(server.inbox.letters[0], {"\\Seen", "work"})
    server.inbox.drop([2])
    server.inbox.add(letter(6))


@pytest.mark.case("A21", "A26", "A27")
@pytest.mark.parametrize("script", LYING)
def test_whatever_the_mark_says_flags_expunges_and_new_letters_are_found(invent, connected, script):
    server = invent(script)
    copy = connected(server)
    copy.settle()
    copy.agrees()
    for _ in range(2):
        change_everything(server)
        copy.settle()
        copy.agrees()
    copy.agrees_and_stays()


@pytest.mark.case("A21")
@pytest.mark.parametrize("script", LYING)
def test_whatever_the_mark_says_a_quiet_folder_costs_few_commands(invent, connected, script):
    server = invent(script)
    copy = connected(server)
    copy.settle()
    before = sum(server.commands.values())
    copy.sync()
    assert sum(server.commands.values()) - before <= 25


@pytest.mark.case("A22")
def test_new_letters_are_found_by_their_uid_when_the_mark_stands_still(invent, connected):
    server = invent(marks.FlatMark)
    copy = connected(server)
    copy.settle()
    server.inbox.add(letter(6))
    copy.sync()
    assert copy.uids() == [1, 2, 3, 4, 5, 6]
    server.inbox.flag(server.inbox.letters[0], {"\\Flagged"})
    copy.later = timedelta(hours=25)  # the full look at all flags
    copy.settle()
    copy.agrees()


@pytest.mark.case("A24")
def test_changes_that_become_visible_after_the_mark_are_found(invent, connected):
    server = invent(marks.MarkAhead)
    copy = connected(server)
    copy.settle()
    server.inbox.flag(server.inbox.letters[1], {"\\Flagged"})
    server.hiding = 1
    copy.sync()
    copy.sync()
    copy.later = timedelta(hours=25)
    copy.settle()
    assert copy.flags(2) == {"\\Flagged"}
    copy.agrees_and_stays()


@pytest.mark.case("A25")
def test_an_expunge_told_after_a_higher_mark_is_not_missed(invent, connected):
    server = invent(marks.LateExpunge)
    copy = connected(server)
    copy.settle()
    server.hiding = True
    server.inbox.drop([3])
    server.inbox.flag(server.inbox.letters[0], {"\\Seen"})
    copy.sync()
    server.hiding = False
    copy.settle()
    assert copy.uids() == [1, 2, 4, 5]
    copy.agrees_and_stays()


@pytest.mark.dovecot
@pytest.mark.case("A23", "A27")
@pytest.mark.parametrize("without", WITHOUT, ids=["no-qresync", "no-condstore", "bare"])
def test_a_real_server_with_less_to_offer_is_kept_in_step(dovecot_server, connected, without):
    server = dovecot_server(without=without)
    copy = connected(server)
    copy.deliver([letter(number) for number in range(1, 21)])
    copy.settle()
    with server.client(copy.user) as other:
        other.enter("INBOX")
        other.ask("UID", "STORE", "1,7", "+FLAGS", "(\\Seen work)")
        other.ask("UID", "STORE", "4:5", "+FLAGS", "(\\Deleted)")
        other.ask("UID", "EXPUNGE", "4:5")
        other.store_letter("INBOX", letter(21))
    copy.settle()
    assert copy.flags(7) == {"\\Seen", "work"}
    copy.agrees_and_stays()
