"""How much later a first sync has ended where its letters are linked: `python -m bench.along lay …`, `sync …`.

The parent sets DATABASE_URL and LETTERDESK_DATA. As in production a worker process runs beside the sync, woken by the
events of the letters, and links what has come while the rest is still fetched; without linking it does all the rest.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .engine import prepare  # isort: skip  it sets Django up

from django.conf import settings
from django.db.models import Max
from django.utils.module_loading import import_string

from letterdesk.config.reactions import REACTIONS
from letterdesk.crm.jobs import after_receiving, link_missed
from letterdesk.crm.models import Activity, MailboxSaving
from letterdesk.lib.jobs import run_worker
from letterdesk.mailboxes.models import Mailbox, Message
from letterdesk.sync.once import sync_once

from .linking import lay_clients, lay_people

LATEST = 300.0  # seconds after the sync by which all is linked, or something is wrong
NOT_LINKING = {kind: tuple(each for each in all_ if each is not after_receiving) for kind, all_ in REACTIONS.items()}


def lay(host: str, port: str, user: str, contacts: str) -> dict[str, Any]:
    """A mailbox that was never synced, and so many contacts."""
    [mailbox] = prepare(host, port, user)
    lay_clients(mailbox.owner, int(contacts))
    return {"contacts": int(contacts)}


def sync(known: str) -> dict[str, Any]:
    """The first sync beside a worker: "without" linking, with "nobody" known, or a "tenth" of who writes.

    Seconds until all letters are stored, and until they are linked; CPU of the sync with its child, and of the worker.
    """
    mailbox = Mailbox.objects.select_related("account", "owner__account").get()
    if known == "tenth":
        lay_people(mailbox.owner, range(10, 901, 10))
    with _worker("without" if known == "without" else "with") as worker:
        begin, cpu, its_cpu = time.perf_counter(), _cpu(), _cpu_of(worker.pid)
        report = sync_once(mailbox)
        stored = time.perf_counter() - begin
        if known != "without":
            _until_linked(mailbox)
        linked = time.perf_counter() - begin
        time.sleep(1)  # the worker ends what it has begun
        got = {"stored_seconds": stored, "linked_seconds": linked, "cpu_seconds": _cpu() - cpu}
        got["worker_cpu_seconds"] = _cpu_of(worker.pid) - its_cpu
    assert report.agrees
    assert (Activity.objects.count() > 0) == (known == "tenth")
    return {"letters": Message.objects.count(), "saved": Activity.objects.count(), **got}


def work(linking: str) -> None:
    """The worker, until it is ended; says so when it is ready."""
    if linking == "without":
        settings.REACTIONS = f"{__name__}.NOT_LINKING"
    import_string(settings.REACTIONS)
    print("ready", flush=True)
    run_worker(threads=2, schedule=[line for line in import_string(settings.SCHEDULE) if line.job is not link_missed])


@contextmanager
def _worker(linking: str) -> Iterator["subprocess.Popen[bytes]"]:
    words = [sys.executable, "-m", "bench.along", "work", linking]
    with (settings.DATA_DIR / "worker.log").open("wb") as log:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log)
    try:
        assert process.stdout is not None
        assert process.stdout.readline(), (settings.DATA_DIR / "worker.log").read_text()[-1500:]
        yield process
    finally:
        process.kill()
        process.wait()


def _until_linked(mailbox: Mailbox) -> None:
    newest = Message.objects.aggregate(newest=Max("pk"))["newest"]
    until = time.monotonic() + LATEST
    while not MailboxSaving.objects.filter(mailbox=mailbox, considered__gte=newest).exists():
        assert time.monotonic() < until, "the letters were not linked"
        time.sleep(0.02)


def _cpu() -> float:
    """Seconds of a processor of this process; the child that reads large batches is not in it."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


def _cpu_of(process: int) -> float:
    """The same of another process (proc(5))."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    if sys.argv[1] == "work":
        work(sys.argv[2])
    else:
        print(json.dumps({"lay": lay, "sync": sync}[sys.argv[1]](*sys.argv[2:])))
