"""Reads letters from the connection in a thread of its own, so that the next batch comes while one is stored.

The queue between the threads is short: memory stays flat whatever the size of the folder.
"""

import queue
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.imap import Connection, NotHanded
from letterdesk.mail.letters import Fetched
from letterdesk.mail.uidset import UidSet

FIRST = 60  # letters: enough for the first page within a second
BATCH = 200
BATCH_BYTES = 8 << 20
AHEAD = 1  # batches that wait between the threads


@dataclass(frozen=True, slots=True)
class Order:
    """UIDs to be fetched, in this order, handed out in batches of so many letters."""

    pieces: Iterable[UidSet]
    batch: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """A batch as the server handed it out. The hashes are computed on arrival, beside the thread that stores."""

    letters: list[Fetched]
    hashes: list[str]
    not_handed: list[NotHanded]

    @property
    def uids(self) -> list[int]:
        return [letter.uid for letter in self.letters] + [missing.uid for missing in self.not_handed]


_Box = queue.Queue[Arrived | BaseException | None]


def newest_first(uids: UidSet) -> Iterator[Order]:
    """The order of fetching: a small piece at first, so that something is to be seen, then large ones."""
    if not uids:
        return
    first = next(uids.newest_first(FIRST))
    yield Order([first], FIRST)
    yield Order((uids - first).newest_first(BATCH), BATCH)


def arrivals(connection: Connection, orders: Iterable[Order]) -> Iterator[Arrived]:
    """Letters in batches, each read while the one before is worked on.

    Raises what the connection raises. Left early, it closes the connection, which is in the midst of an answer then.
    """
    box: _Box = queue.Queue(maxsize=AHEAD)
    stop = threading.Event()

    def read() -> None:
        last: BaseException | None = None
        try:
            for order in orders:
                for items in connection.letters(order.pieces, batch=order.batch, batch_bytes=BATCH_BYTES):
                    if not _put(box, _arrived(items), stop):
                        return
        except BaseException as error:  # it is raised again in the thread that waits for us
            last = error
        _put(box, last, stop)

    thread = threading.Thread(target=read, name="fetch", daemon=True)
    thread.start()
    is_complete = False
    try:
        while (arrived := box.get()) is not None:
            if isinstance(arrived, BaseException):
                raise arrived
            reach("fetch.arrived")
            yield arrived
        is_complete = True
    finally:
        stop.set()
        if not is_complete:
            connection.close()
        thread.join()


def _arrived(items: list[Fetched | NotHanded]) -> Arrived:
    letters = [item for item in items if isinstance(item, Fetched)]
    hashes = [blobs.hash_of(letter.raw) for letter in letters]
    return Arrived(letters, hashes, [item for item in items if isinstance(item, NotHanded)])


def _put(box: _Box, item: Arrived | BaseException | None, stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            box.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
