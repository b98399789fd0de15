"""An ordinary day, on Dovecot and on pymap: pymap is another server, and stands in where Dovecot is missing."""

import pytest

from tests.rig.acting import mark, move_to, throw_away
from tests.rig.boxes import letter
from tests.rig.standin import StandIn


@pytest.fixture(scope="module")
def pymap():
    server = StandIn(users=2)
    yield server
    server.stop()


@pytest.mark.parametrize("name", ["mail_server", "pymap"])
def test_letters_come_are_read_moved_and_thrown_away(request, connected, name):
    server = request.getfixturevalue(name)
    copy = connected(server)
    copy.deliver([letter(number) for number in range(1, 8)])
    copy.deliver([letter(20)], folder="Sent", flags=["\\Seen"])
    copy.settle()
    copy.agrees_and_stays()
    first, second, third, *_ = copy.uids()
    mark(copy, first, add=("\\Seen", "\\Flagged"))
    move_to(copy, "Archive", second)
    throw_away(copy, third)
    copy.deliver([letter(30)])
    copy.settle()
    assert copy.flags(first) == {"\\Seen", "\\Flagged"}
    assert copy.subjects("Archive") == ["Letter 2"]
    assert copy.subjects("Trash") == ["Letter 3"]
    assert copy.subjects()[-1] == "Letter 30"
    copy.agrees_and_stays()
