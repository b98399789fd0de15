"""Mailboxes polled for CRM alone are looked at by threads of the sync process, so that no slow server holds up jobs.

Several processes share them: `polled_claim.claim` gives each look to one of them.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import close_old_connections, connections
from django.utils import timezone

from .claim import Due, give_back, next_due
from .turn import take_turn

logger = logging.getLogger(__name__)
LOOKS = 4  # at the same time
EVERY = 2.0  # seconds between two questions whose turn it is
CLOSE_WITHIN = 5.0  # seconds that looks under way have when the process ends


@contextmanager
def polling(stop: threading.Event, *, looks: int = LOOKS, every: float = EVERY) -> Iterator[None]:
    """Look at what is due until the block ends, which sets `stop`; `every` in seconds. Looks under way are left."""
    turns = _Turns(looks)
    threads = [
        threading.Thread(target=_go_on, args=(turns, stop, every), name=f"poll-{number}", daemon=True)
        for number in range(looks)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        until = time.monotonic() + CLOSE_WITHIN
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        if left := turns.under_way():
            give_back(left)


class _Turns:
    """Which mailboxes this process looks at now. No account has more than half of the places, and those that fail have
    a quarter together: slow servers, however many, hold up no others (D13)."""

    def __init__(self, looks: int) -> None:
        self._most = max(1, looks // 2)
        self._most_ailing = max(1, looks // 4)
        self._busy: dict[int, Due] = {}
        self._lock = threading.Lock()

    def begin(self) -> int | None:
        """The next mailbox, which is ours in this process until `end`."""
        with self._lock:
            of_account = Counter(each.account for each in self._busy.values())
            full = [account for account, count in of_account.items() if count >= self._most]
            ailing = sum(each.is_ailing for each in self._busy.values()) < self._most_ailing
            found = next_due(timezone.now(), busy=list(self._busy), full=full, ailing=ailing)
            if found:
                self._busy[found.mailbox] = found
            return found.mailbox if found else None

    def end(self, mailbox_id: int) -> None:
        with self._lock:
            del self._busy[mailbox_id]

    def under_way(self) -> list[int]:
        with self._lock:
            return list(self._busy)


def _go_on(turns: _Turns, stop: threading.Event, every: float) -> None:
    try:
        while not stop.is_set():
            if not _take_one(turns):
                stop.wait(every)
    finally:
        connections.close_all()


def _take_one(turns: _Turns) -> bool:
    """Whether a mailbox had its turn. A database that does not answer is waited for."""
    close_old_connections()
    try:
        mailbox_id = turns.begin()
        if mailbox_id is None:
            return False
        try:
            take_turn(mailbox_id, now=timezone.now())
        finally:
            turns.end(mailbox_id)
    except Exception as error:
        logger.error("Polled mailboxes cannot be looked at: %s", type(error).__name__)
        return False
    return True
