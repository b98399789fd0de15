"""Real processes of ours on the test's database and blobs, to be killed.

with Process("sync", mailbox.pk) as process: ... process.kill()         # SIGKILL, as a power cut ends it
run_once(mailbox, crash_at="pull.batch.before_commit:2")                # dies there by itself
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from django.conf import settings
from django.db import connection

from letterdesk.mailboxes.models import Mailbox
from letterdesk.sync.models import Lease

ROOT = Path(__file__).resolve().parent.parent.parent
ONCE = """
import sys, django
django.setup()
from letterdesk.mailboxes.models import Mailbox
from letterdesk.sync.once import sync_once
sync_once(Mailbox.objects.get(pk=int(sys.argv[1])))
"""
WATCH = """
import sys, threading, django
django.setup()
from letterdesk.sync.watch import Timings, Watcher
quick = Timings(lease=2.0, renew=0.3, look=0.1, poll=float(sys.argv[1]), select=0.05)
Watcher(timings=quick).run(threading.Event())
"""
POLL = """
import threading, django
django.setup()
from letterdesk.crm.polled.watch import polling
stop = threading.Event()
with polling(stop, looks=2, every=0.05):
    stop.wait()
"""


def environment(**more: str) -> dict[str, str]:
    """What a child needs to work on the same data as this test."""
    blobs = settings.STORAGES["blobs"]["OPTIONS"]["location"]
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "letterdesk.config.settings",
        "DATABASE_URL": database_url(),
        "BLOBS_URL": f"file://{blobs}",
        "LETTERDESK_ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS),
        "LETTERDESK_SECRET_KEY": settings.SECRET_KEY,
        "LETTERDESK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "PYTHONPATH": str(ROOT),
        **more,
    }


def database_url() -> str:
    """The test's database as an address."""
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{facts['NAME']}"
    user = facts["USER"] + (f":{facts['PASSWORD']}" if facts["PASSWORD"] else "")
    return f"postgresql://{user}@{facts['HOST']}:{facts['PORT'] or 5432}/{facts['NAME']}"


class Process:
    """A child that runs one of the programs above. A context manager that kills it."""

    def __init__(self, program: str, *words: object, **more: str) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  closed by __exit__; a pipe that nobody reads would stop who has much to say
        self._child = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", program, *map(str, words)],
            env=environment(**more),
            cwd=ROOT,
            stdout=self._said,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._said.close()

    def kill(self) -> None:
        """SIGKILL, whatever it is doing."""
        self._child.send_signal(signal.SIGKILL)
        self.wait()

    def wait(self, timeout: float = 60) -> int:
        """Its exit code; -9 when it was killed. Keeps what it printed in `output`."""
        self._child.wait(timeout)
        self._said.seek(0)
        self.output = self._said.read().decode(errors="replace")
        return self._child.returncode

    @property
    def is_running(self) -> bool:
        return self._child.poll() is None


def run_once(mailbox: Mailbox, *, crash_at: str = "") -> int:
    """`sync_once` in a process of its own; returns its exit code. Afterwards its lease has run out."""
    with Process(ONCE, mailbox.pk, **({"CRASH_AT": crash_at} if crash_at else {})) as process:
        code = process.wait()
    forget_leases()
    assert code in {0, -9}, process.output
    return code


def forget_leases() -> None:
    """As if the time of every lease had passed."""
    Lease.objects.update(holder="", expires_at=None, retry_at=None)
