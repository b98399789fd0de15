"""Several sync processes share the mailboxes; when one is killed, the others take its mailboxes over."""

import pytest

from letterdesk.mailboxes.models import Placement
from letterdesk.sync.models import Lease
from tests.rig.boxes import letter
from tests.rig.dovecot import wait_until
from tests.rig.processes import WATCH, Process
from tests.rig.world import make_account, make_mailbox

MAILBOXES = 20


def holders() -> dict[str, int]:
    """How many mailboxes each process holds now."""
    held: dict[str, int] = {}
    for holder in Lease.objects.exclude(holder="").values_list("holder", flat=True):
        held[holder] = held.get(holder, 0) + 1
    return held


def letters_here() -> int:
    return Placement.objects.filter(hidden_at=None).count()


@pytest.mark.dovecot
@pytest.mark.slow
@pytest.mark.case("A42", "G01")
def test_two_processes_share_twenty_mailboxes_and_the_survivor_takes_over(dovecot):
    account = make_account()
    users = [dovecot.add_user() for _ in range(MAILBOXES)]
    for number, user in enumerate(users):
        dovecot.deliver(user, letter(number))
        make_mailbox(dovecot, user, account=account)
    with Process(WATCH, 30) as first, Process(WATCH, 30) as second:
        wait_until(lambda: sorted(holders().values()) == [MAILBOXES // 2] * 2, timeout=40)
        wait_until(lambda: letters_here() == MAILBOXES, timeout=40)
        first.kill()
        for number, user in enumerate(users):
            dovecot.deliver(user, letter(100 + number))
        wait_until(lambda: letters_here() == 2 * MAILBOXES, timeout=40)
        wait_until(lambda: list(holders().values()) == [MAILBOXES], timeout=20)
        assert second.is_running
    assert Placement.objects.count() == 2 * MAILBOXES  # nothing twice (P2)
