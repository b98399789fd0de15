"""A39, A42: idle connections that say nothing, too much, or goodbye; and two workers at one mailbox."""

import threading
from contextlib import contextmanager

import pytest
import time_machine
from django.db import connections as databases

from letterdesk.mailboxes.models import Placement
from letterdesk.sync.claims import claim
from letterdesk.sync.connections import guard, sign_in
from letterdesk.sync.lease import LeaseLost, acquire
from letterdesk.sync.models import Lease
from letterdesk.sync.once import Busy
from letterdesk.sync.passes import sync_mailbox
from letterdesk.sync.watch import Timings, Watcher
from tests.rig.boxes import letter
from tests.rig.dovecot import wait_until
from tests.rig.scripts import access, marks

QUICK = Timings(lease=5.0, renew=0.2, look=0.1, poll=0.5, idle=0.6, select=0.02)


@contextmanager
def watching(timings: Timings = QUICK):
    """A Watcher in a thread of its own."""
    stop = threading.Event()

    def run() -> None:
        try:
            Watcher(timings=timings, workers=2).run(stop)
        finally:
            databases.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=20)
        assert not thread.is_alive()


def arrives(copy, count: int, *, within: float = 10) -> None:
    wait_until(lambda: Placement.objects.filter(folder__mailbox=copy.mailbox).count() == count, timeout=within)


@pytest.mark.case("A39")
def test_a_server_whose_idle_says_nothing_is_polled(invent, connected):
    server = invent(access.SilentIdle)
    copy = connected(server)
    with watching():
        arrives(copy, 2)
        server.inbox.add(letter(3))
        arrives(copy, 3)


@pytest.mark.case("A39", "A27")
def test_a_server_without_idle_is_polled(invent, connected):
    server = invent(marks.NothingSpecial)
    copy = connected(server)
    with watching():
        arrives(copy, 5)
        server.inbox.add(letter(6))
        server.inbox.drop([1])
        wait_until(lambda: copy.uids() == [2, 3, 4, 5, 6], timeout=10)


@pytest.mark.case("A39")
def test_idle_is_renewed_before_the_server_loses_patience(invent, connected):
    server = invent(access.SilentIdle)
    connected(server)
    with watching(Timings(lease=5.0, renew=0.2, look=0.1, poll=60, idle=0.4, select=0.02)):
        wait_until(lambda: server.commands["IDLE"] >= 3, timeout=10)


@pytest.mark.case("A39")
@pytest.mark.parametrize("script", [access.ByeInIdle, access.StormInIdle])
def test_an_idle_that_ends_or_floods_does_not_stop_new_letters(invent, connected, script):
    server = invent(script)
    copy = connected(server)
    with watching():
        arrives(copy, 2)
        server.striking = True
        server.inbox.add(letter(3))
        wait_until(lambda: server.visits["IDLE"] >= 2, timeout=10)
        server.striking = False
        Lease.objects.update(retry_at=None)
        arrives(copy, 3)


@pytest.mark.dovecot
@pytest.mark.case("A39")
def test_an_idle_connection_cut_in_its_sleep_is_made_anew(dovecot, connected, cutproxy):
    proxy = cutproxy(dovecot)
    copy = connected(dovecot, through=proxy)
    copy.deliver([letter(1)])
    with watching():
        arrives(copy, 1)
        proxy.break_all()
        copy.deliver([letter(2)])
        wait_until(lambda: Lease.objects.update(retry_at=None) and len(proxy.recorded) > 1, timeout=10)
        arrives(copy, 2)
    copy.settle()
    copy.agrees_and_stays()


@pytest.mark.case("A42")
def test_who_has_lost_the_mailbox_writes_nothing_any_more(invent, connected):

    server = invent(access.SilentIdle)
    copy = connected(server)
    slow = acquire(copy.mailbox, holder="slow", seconds=30)
    Lease.objects.update(expires_at="2000-01-01T00:00:00Z")  # it slept too long
    assert copy.mailbox.pk in claim("quick", limit=5, seconds=30)
    with sign_in(copy.mailbox, guard(), timeout=5) as connection, pytest.raises(LeaseLost):
        sync_mailbox(copy.mailbox, connection, fence=slow, now=copy.now)
    assert not Placement.objects.exists()


@pytest.mark.case("A42")
def test_a_mailbox_that_another_process_has_is_not_synced_beside_it(invent, connected):
    copy = connected(invent(access.SilentIdle))
    acquire(copy.mailbox, holder="other", seconds=30)
    with pytest.raises(Busy):
        copy.sync()
    assert not Placement.objects.exists()


@pytest.mark.case("A36")
def test_a_worker_whose_clock_is_wrong_does_not_take_a_lease_that_is_held(connected, invent):
    copy = connected(invent(access.SilentIdle))
    assert acquire(copy.mailbox, holder="right", seconds=30) is not None
    with time_machine.travel("2035-01-01 00:00:00Z", tick=True):  # Python's clock; the database's stays right
        assert acquire(copy.mailbox, holder="wrong", seconds=30) is None
        assert claim("wrong", limit=5, seconds=30) == {}
    with time_machine.travel("2001-01-01 00:00:00Z", tick=True):
        assert acquire(copy.mailbox, holder="wrong", seconds=30) is None
