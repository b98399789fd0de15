"""A43: servers whose lines are almost IMAP are read all the same."""

import pytest

from tests.rig.boxes import letter
from tests.rig.scripts import all_scripts, letters, lines

SLOPPY = [each for each in all_scripts() if each.__module__ == lines.__name__]


@pytest.mark.case("A43")
@pytest.mark.parametrize("script", SLOPPY)
def test_sloppy_lines_are_understood(invent, connected, script):
    server = invent(script)
    copy = connected(server)
    copy.settle()
    copy.agrees()
    server.inbox.add(letter(6))
    server.inbox.flag(server.inbox.letters[1], {"\\Flagged"})
    server.inbox.drop([4])
    copy.settle()
    copy.agrees_and_stays()


@pytest.mark.case("A43")
def test_a_letter_as_a_quoted_string_is_a_letter(invent, connected):
    server = invent(letters.QuotedBody)
    copy = connected(server)
    copy.settle()
    assert 3 in {**dict.fromkeys(copy.uids()), **copy.quarantined()}
    assert {1, 2, 4, 5} <= set(copy.uids())


def test_there_are_at_least_thirty_scripts():
    assert len(all_scripts()) >= 30
