"""Named places at which a test kills the process, one after the other, to prove that a resume ends the same.

`reach("receive.before_commit")` costs a set look-up in production, where nothing is armed.
`CRASH_AT=name` (or `name:3`, the third time it is reached) ends the process there by SIGKILL;
tests in one process arm `interrupt` instead, which raises `Crashed`.
"""

import os
import signal
from collections import Counter


class Crashed(BaseException):
    """The process would be dead here. BaseException, so that no handler mistakes it for an error."""


class _Armed:
    def __init__(self) -> None:
        name, _, nth = os.environ.get("CRASH_AT", "").partition(":")
        self.name = name
        self.nth = int(nth or 1)
        self.kill = True
        self.reached: Counter[str] = Counter()
        self.recording = False


_armed = _Armed()


def reach(name: str) -> None:
    """Mark a commit or I/O boundary; dies here when the test asked for it."""
    if not _armed.name and not _armed.recording:
        return
    _armed.reached[name] += 1
    if name == _armed.name and _armed.reached[name] == _armed.nth:
        if _armed.kill:
            os.kill(os.getpid(), signal.SIGKILL)
        raise Crashed(name)


def interrupt(name: str, nth: int = 1) -> None:
    """Arm one point: the nth reaching raises `Crashed` in this process."""
    _armed.name, _armed.nth, _armed.kill = name, nth, False
    _armed.reached.clear()


def record() -> Counter[str]:
    """Only count what is reached; returns the live counter."""
    disarm()
    _armed.recording = True
    return _armed.reached


def disarm() -> None:
    """Back to production behaviour."""
    _armed.name, _armed.recording = "", False
    _armed.reached.clear()
