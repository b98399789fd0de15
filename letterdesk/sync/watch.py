"""The sync process: one thread watches all idle connections, a small pool takes the turns.

Several of these processes share the mailboxes by leases (claims.py). Killed at any moment, the others take over
when the leases have run out; nothing is kept here that the database does not know.
"""

import logging
import os
import queue
import selectors
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from django.db import DatabaseError, close_old_connections, connections
from django.utils import timezone

from letterdesk.lib.ids import new_public_id
from letterdesk.mail.errors import MailError
from letterdesk.mailboxes.models import PendingChange

from . import claims
from .connections import Connections
from .turn import Watched, hang_up, take_turn

logger = logging.getLogger(__name__)
CLOSE_WITHIN = 20.0  # seconds that turns under way have when the process ends


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds. Tests shorten them."""

    lease: float = 30.0
    renew: float = 5.0
    look: float = 0.5  # for intentions that are due and passes that people asked for
    poll: float = 60.0  # every folder of a mailbox, whatever IDLE says
    idle: float = 25 * 60.0  # RFC 2177: less than 29 minutes
    select: float = 0.25


class Watcher:
    """One sync process. `run` returns when `stop` is set, with all leases given back."""

    def __init__(self, *, workers: int = 4, capacity: int = 500, timings: Timings | None = None) -> None:
        self.name = f"{socket.gethostname()[:30]}-{os.getpid()}-{new_public_id()[:6]}"
        self._capacity = capacity
        self._timings = timings or Timings()
        self._watched: dict[int, Watched] = {}
        self._selector = selectors.DefaultSelector()
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="turn")
        self._finished: queue.SimpleQueue[Watched] = queue.SimpleQueue()
        self._connections = Connections()
        self._renew_at = self._look_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set."""
        self._bell, self._rope = socket.socketpair()
        self._selector.register(self._bell, selectors.EVENT_READ)
        try:
            while not stop.is_set():
                self._round()
        finally:
            self._leave()
            self._rope.close()
            self._bell.close()

    def _round(self) -> None:
        for key, _ in self._selector.select(self._timings.select):
            if key.fileobj is self._bell:
                self._bell.recv(4096)
            else:
                self._heard(key.data)
        now = time.monotonic()
        try:
            self._take_back_finished()
            self._keep_leases(now)
            self._look_for_wishes(now)
        except DatabaseError:
            logger.exception("The database does not answer; trying again")
            close_old_connections()
            time.sleep(self._timings.look)
        self._start_due(now)

    def _heard(self, watched: Watched) -> None:
        """An idle connection has something to say: any news of the inbox wakes the mailbox."""
        try:
            news = watched.connection.idle_events() if watched.connection else []
        except MailError:  # the connection has closed itself
            self._silence(watched)
            news = ["BYE"]
            watched.all_folders = True
        if any(not line.upper().startswith("OK") for line in news):
            watched.woken = True

    def _take_back_finished(self) -> None:
        while not self._finished.empty():
            watched = self._finished.get()
            watched.busy = False
            if watched.ended or watched.mailbox_id not in self._watched:
                self._give_up(watched)
            elif watched.connection is not None and not watched.woken:
                watched.listening = watched.connection.fileno()
                self._selector.register(watched.listening, selectors.EVENT_READ, watched)
                self._heard(watched)  # what came with the answer to IDLE lies in the buffer already

    def _keep_leases(self, now: float) -> None:
        if now < self._renew_at:
            return
        close_old_connections()
        self._renew_at = now + self._timings.renew
        held = claims.renew(self.name, seconds=self._timings.lease)
        for mailbox, watched in list(self._watched.items()):
            if held.get(mailbox) != watched.fence:
                self._drop(watched)
        if unknown := held.keys() - self._watched.keys():  # the database was lost while they were taken or given back
            claims.give_back(self.name, unknown)
        share = min(claims.show_alive(self.name, seconds=3 * self._timings.renew), self._capacity)
        for watched in [one for one in self._watched.values() if not one.busy][: max(0, len(self._watched) - share)]:
            self._drop(watched)
            claims.give_back(self.name, [watched.mailbox_id])
        room = share - len(self._watched)
        if room > 0:
            taken = claims.claim(self.name, limit=room, seconds=self._timings.lease)
            self._watched |= {mailbox: Watched(mailbox, fence) for mailbox, fence in taken.items()}

    def _look_for_wishes(self, now: float) -> None:
        if now < self._look_at:
            return
        self._look_at = now + self._timings.look
        due = PendingChange.objects.filter(
            mailbox__lease__holder=self.name, state=PendingChange.State.WAITING, due_at__lte=timezone.now()
        )
        asked = claims.wanted(self.name) | set(due.values_list("mailbox", flat=True).distinct())
        for mailbox in asked & self._watched.keys():
            self._watched[mailbox].due_at = 0.0

    def _start_due(self, now: float) -> None:
        for watched in self._watched.values():
            if watched.busy:
                continue
            if now >= watched.due_at:
                watched.all_folders = True
            elif not watched.woken and not self._idled_too_long(watched, now):
                continue
            self._silence(watched)
            watched.busy = True
            self._pool.submit(self._turn, watched)

    def _turn(self, watched: Watched) -> None:
        try:
            take_turn(watched, self._connections, self._timings.poll)
        except Exception as error:
            logger.exception("A turn ended unexpectedly")
            watched.ended = type(error).__name__
        self._finished.put(watched)
        self._rope.send(b"\0")

    def _idled_too_long(self, watched: Watched, now: float) -> bool:
        return watched.connection is not None and now - watched.idle_since > self._timings.idle

    def _silence(self, watched: Watched) -> None:
        """Stop listening to an idle connection, also when it is closed by now and has no descriptor any more."""
        if watched.listening >= 0:
            self._selector.unregister(watched.listening)
            watched.listening = -1

    def _drop(self, watched: Watched) -> None:
        """The mailbox is no longer ours; a turn that runs is refused by its fence and ends by itself."""
        self._watched.pop(watched.mailbox_id, None)
        if not watched.busy:
            self._silence(watched)
            hang_up(watched, self._connections)

    def _give_up(self, watched: Watched) -> None:
        """After a failure: the lease goes back, its `retry_at` says when somebody tries again."""
        hang_up(watched, self._connections)
        if self._watched.get(watched.mailbox_id) is watched:
            del self._watched[watched.mailbox_id]
            claims.give_back(self.name, [watched.mailbox_id])

    def _close_databases(self) -> None:
        """Each thread of the pool closes its own database connection; the barrier gives every thread one turn."""
        together = threading.Barrier(self._workers, timeout=CLOSE_WITHIN)

        def close() -> None:
            connections.close_all()
            with suppress(threading.BrokenBarrierError):
                together.wait()

        for _ in range(self._workers):
            self._pool.submit(close)

    def _leave(self) -> None:
        self._close_databases()
        self._pool.shutdown(wait=True)
        for watched in list(self._watched.values()):
            watched.busy = False
            self._drop(watched)
        claims.leave(self.name)
        self._selector.close()
