"""P1–P5 and G01, with real processes that are really killed."""

import random
import time

import pytest

from letterdesk.mailboxes.models import Message
from tests.rig.boxes import letter
from tests.rig.crashes import points_reached
from tests.rig.liar import Liar
from tests.rig.mutator import Mutator
from tests.rig.oracle import destroyed, fingerprint
from tests.rig.processes import ONCE, Process, forget_leases, run_once

SEED = 20240506


@pytest.mark.dovecot
@pytest.mark.slow
@pytest.mark.case("G01", "A13")
def test_p1_p2_p3_killed_at_random_times_nothing_is_lost_invented_or_different(dovecot, connected):
    chance = random.Random(SEED)
    copy = connected(dovecot)
    with dovecot.client(copy.user) as client:
        for number in range(1, 401):
            client.store_letter("INBOX", letter(number, "x" * 2000))
    kept: set[str] = set()
    with Mutator(dovecot, copy.user, seed=SEED) as mutator:
        for _ in range(6):
            with Process(ONCE, copy.mailbox.pk) as process:
                time.sleep(0.6 + chance.random() * 0.8)
                process.kill()
            forget_leases()
            now_kept = set(Message.objects.filter(mailbox=copy.mailbox).values_list("blob", flat=True))
            assert kept <= now_kept, "P1: a letter that was here is not here any more"
            kept = now_kept
            mutator.run(5)
            kept -= now_kept - {each.digest for _, held in copy.truth().values() for each in held}
    assert run_once(copy.mailbox) == 0
    copy.settle()
    copy.agrees_and_stays()
    assert destroyed(dovecot.commands(copy.user)) == {}


@pytest.mark.slow
@pytest.mark.case("A13", "G01")
def test_p1_a_process_killed_at_a_named_point_is_resumed_by_the_next(invent, connected):
    server = invent(Liar)
    for number in range(1, 8):
        server.inbox.add(letter(number))
    points = points_reached(connected(server).sync, most=1)
    chosen = random.Random(SEED).sample(points, min(len(points), 5))
    for point in chosen:
        copy = connected(server)
        assert run_once(copy.mailbox, crash_at=str(point)) == -9, point
        copy.settle()
        found = copy.differences()
        assert not found, f"{point}: {found}"


@pytest.mark.dovecot
@pytest.mark.parametrize("seed", [SEED, SEED + 1, SEED + 2])
def test_p2_p3_after_random_changes_two_passes_make_both_sides_equal(dovecot, connected, seed):
    copy = connected(dovecot)
    copy.deliver([letter(number) for number in range(1, 11)])
    copy.settle()
    with Mutator(dovecot, copy.user, seed=seed) as mutator:
        for _ in range(4):
            mutator.run(25)
            copy.sync()
            copy.sync()
            found = copy.differences()
            assert not found, "\n".join([*found, *mutator.log[-60:]])
    copy.agrees_and_stays()


@pytest.mark.dovecot
@pytest.mark.parametrize(
    "without", [{"QRESYNC"}, {"QRESYNC", "CONDSTORE", "MOVE", "UIDPLUS", "ESEARCH"}], ids=["condstore", "bare"]
)
def test_p3_holds_on_servers_that_offer_less(dovecot_server, connected, without):
    server = dovecot_server(without=without)
    copy = connected(server)
    with Mutator(server, copy.user, seed=SEED) as mutator:
        for _ in range(3):
            mutator.run(30)
            copy.sync()
            copy.sync()
            found = copy.differences()
            assert not found, "\n".join([*found, *mutator.log[-60:]])


@pytest.mark.dovecot
def test_p2_syncing_again_changes_nothing_and_asks_little(dovecot, connected):
    copy = connected(dovecot)
    copy.deliver([letter(number) for number in range(1, 31)])
    copy.settle()
    before, asked = fingerprint(copy.mailbox), dovecot.commands(copy.user)
    for _ in range(3):
        assert not copy.sync().did_something
    assert fingerprint(copy.mailbox) == before
    spent = dovecot.commands(copy.user) - asked
    assert spent["UID FETCH"] == 0
    assert sum(spent.values()) <= 3 * 12


@pytest.mark.dovecot
def test_p4_reading_a_mailbox_changes_nothing_on_the_server(dovecot, connected):
    copy = connected(dovecot)
    copy.deliver([letter(number) for number in range(1, 31)], flags=["\\Deleted"])
    copy.deliver([letter(number) for number in range(31, 41)])
    before = copy.truth()
    copy.settle()
    assert copy.truth() == before
    assert destroyed(dovecot.commands(copy.user)) == {}
    assert dovecot.commands(copy.user)["APPEND"] == dovecot.commands(copy.user)["CREATE"] == 0
