"""How long to wait after failures, and which hosts are to be left alone for a while."""

import random
import threading
import time
from collections.abc import Callable

FIRST = 5.0  # seconds
AT_MOST = 900.0


def delay(failures: int) -> float:
    """Seconds until the next try after so many failures in a row: 5, 10, 20 … 900, spread by 20 %."""
    steps = min(max(failures, 1) - 1, 20)
    return min(FIRST * 2.0**steps, AT_MOST) * random.uniform(0.8, 1.2)  # noqa: S311  spread, not secrecy


class Hosts:
    """Back-off per host: when a host does not answer, its other mailboxes do not knock either."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[str, int] = {}
        self._closed_until: dict[str, float] = {}

    def rest(self, host: str) -> float:
        """Seconds for which this host is still to be left alone; 0: it may be tried."""
        with self._lock:
            return max(0.0, self._closed_until.get(host, 0.0) - self._clock())

    def failed(self, host: str) -> None:
        """The host did not answer, or said that it cannot now."""
        with self._lock:
            failures = self._failures[host] = self._failures.get(host, 0) + 1
            self._closed_until[host] = self._clock() + delay(failures)

    def answered(self, host: str) -> None:
        """The host answered: all is forgotten."""
        with self._lock:
            self._failures.pop(host, None)
            self._closed_until.pop(host, None)
