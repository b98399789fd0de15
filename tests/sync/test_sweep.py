"""R9 and R10 against a real server: what left does not come back, whatever happens there, and the server keeps it."""

from datetime import timedelta

import pytest

from letterdesk.mailboxes.models import Message, Placement, Tombstone
from letterdesk.mailboxes.sweep import sweep
from letterdesk.sync.ledger import ledger_of
from tests.rig.acting import let_the_month_end
from tests.rig.boxes import letter
from tests.rig.oracle import destroyed

DAY = timedelta(hours=24)


@pytest.fixture
def copy(nearly_over, dovecot):
    """A mailbox with five letters of 29 days ago."""
    return nearly_over(dovecot, 5)


@pytest.mark.dovecot
@pytest.mark.case("F15")
def test_what_left_does_not_come_back_and_the_server_keeps_it(copy, dovecot):
    before = copy.truth()
    let_the_month_end(copy)
    assert sweep(now=copy.now) == 5
    assert copy.settle().agrees
    copy.stays()
    assert not Message.objects.exists()
    assert copy.truth() == before  # R10: the original stays
    assert destroyed(dovecot.commands(copy.user)) == {}  # P4, R26
    counted = ledger_of(copy.folder())
    assert (counted.expected, counted.held, sum(counted.left_out.values())) == (5, 0, 5)
    assert counted.balanced


@pytest.mark.dovecot
@pytest.mark.case("F15")
def test_a_restored_backup_or_a_copy_brings_nothing_back(copy):
    let_the_month_end(copy)
    sweep(now=copy.now)
    stones = Tombstone.objects.count()
    copy.deliver([letter(number) for number in range(5)])  # the same bytes, received today
    copy.deliver([letter(99)])
    assert copy.settle().agrees
    assert [place.message.subject for place in Placement.objects.all()] == copy.subjects()
    assert Message.objects.count() == 1
    assert Tombstone.objects.count() == stones
    assert ledger_of(copy.folder()).balanced
