"""Keeps the three processes of `letterdesk run` alive under one roof."""

import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

RESTART_AFTER = 1.0  # seconds, doubled with each crash that follows within a minute
RESTART_AT_MOST = 30.0
STOP_WITHIN = 15.0  # seconds that a process has for ending by itself


@dataclass
class _Child:
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    wait: float = RESTART_AFTER
    due_at: float = field(default=0.0)


class Supervisor:
    """Starts `letterdesk <arguments>` for each entry, restarts what ends, and stops all together."""

    def __init__(self, commands: list[list[str]]) -> None:
        self._children = [_Child(arguments) for arguments in commands]
        self._stop = threading.Event()

    def run(self) -> None:
        """Keep the processes running until `stop` or SIGINT/SIGTERM."""
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, lambda *_: self._stop.set())
        try:
            while not self._stop.wait(0.2):
                for child in self._children:
                    self._keep(child, time.monotonic())
        finally:
            self._stop_all()

    def stop(self) -> None:
        """Ask `run` to end; safe from any thread."""
        self._stop.set()

    def _keep(self, child: _Child, now: float) -> None:
        if child.process is not None and child.process.poll() is None:
            return
        if child.process is not None:
            steady = now - child.started_at > 60
            child.wait = RESTART_AFTER if steady else min(child.wait * 2, RESTART_AT_MOST)
            child.due_at, child.process = now + child.wait, None
        if now >= child.due_at:
            child.process = subprocess.Popen([sys.executable, "-m", "letterdesk", *child.arguments])  # noqa: S603  ourselves
            child.started_at = now

    def _stop_all(self) -> None:
        running = [child.process for child in self._children if child.process and child.process.poll() is None]
        for process in running:
            process.terminate()
        until = time.monotonic() + STOP_WITHIN
        for process in running:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
