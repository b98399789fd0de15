"""Our side of the measurements, in processes of their own so that memory is theirs: `python -m bench.engine initial …`.

The parent sets DATABASE_URL and LETTERDESK_DATA; every command prints one JSON object.
"""

import json
import os
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "letterdesk.config.settings")
os.environ.setdefault("LETTERDESK_ALLOWED_NETWORKS", "127.0.0.0/8")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.utils import timezone  # noqa: E402

from letterdesk.accounts.models import Employee  # noqa: E402
from letterdesk.lib import garbage  # noqa: E402
from letterdesk.mail.imap import Connection  # noqa: E402
from letterdesk.mailboxes import search  # noqa: E402
from letterdesk.mailboxes.importing import import_maildir  # noqa: E402
from letterdesk.mailboxes.lists import list_folder  # noqa: E402
from letterdesk.mailboxes.models import Folder, Listing, Mailbox, Message  # noqa: E402
from letterdesk.mailboxes.sidebar import sidebar  # noqa: E402
from letterdesk.plans.open import open_account  # noqa: E402
from letterdesk.sync import lease  # noqa: E402
from letterdesk.sync.connections import guard, login_of  # noqa: E402
from letterdesk.sync.once import sync_once  # noqa: E402
from letterdesk.sync.passes import sync_mailbox  # noqa: E402

READABLE = 50  # conversations
garbage.settle()  # as config/command.py does


def prepare(host: str, port: str, *users: str) -> list[Mailbox]:
    """A fresh database with one mailbox for each user of the server."""
    call_command("migrate", verbosity=0)
    account = open_account(
        "Bench", administrator_email="ada@bench.example", administrator_name="Ada",
        password="bench-bench-bench", now=timezone.now(),
    )  # fmt: skip
    ada = Employee.objects.get(email="ada@bench.example")
    return [
        Mailbox.objects.create(
            account=account, owner=ada, address=user, name=user, imap_host=host, imap_port=int(port),
            imap_security="none", imap_user=user, secret={"password": "secret"},
        )
        for user in users
    ]  # fmt: skip


def initial(host: str, port: str, user: str) -> dict[str, Any]:
    """The first sync, everything committed; when the newest 50 conversations could be read; memory."""
    mailbox = prepare(host, port, user)[0]
    readable: list[float] = []
    done = threading.Event()
    watcher = threading.Thread(target=_until_readable, args=(readable, done))
    before = _peak_memory()
    begin, cpu = time.perf_counter(), time.process_time()
    watcher.start()
    report = sync_once(mailbox)
    taken = time.perf_counter() - begin
    done.set()
    watcher.join()
    assert report.agrees, report.as_json()
    return {
        "letters": Message.objects.count(),
        "seconds": taken,
        "cpu_seconds": time.process_time() - cpu,
        "readable_seconds": readable[0] - begin if readable else None,
        "peak_mb": _peak_memory(),
        "before_mb": before,
    }


def _until_readable(readable: list[float], done: threading.Event) -> None:
    while not done.is_set():
        if Listing.objects.order_by()[: READABLE + 1].count() >= READABLE:
            readable.append(time.perf_counter())
            break
        time.sleep(0.02)
    connection.close()


def noop(host: str, port: str, user: str) -> dict[str, Any]:
    """A pass over the mailbox that changed nowhere: on an open connection, and with a new one each time."""
    mailbox = Mailbox.objects.get(imap_user=user)
    fence = lease.acquire(mailbox, holder="bench", seconds=600)
    assert fence is not None
    with Connection.open(login_of(mailbox), guard()) as open_connection:
        go: Callable[[], object] = lambda: sync_mailbox(mailbox, open_connection, fence=fence, now=timezone.now())  # noqa: E731
        go()
        on_open = _median(go, 20)
    lease.release(mailbox, fence)
    return {"seconds": on_open, "with_sign_in_seconds": _median(lambda: sync_once(mailbox), 5)}


def pages(maildir: str, *words: str) -> dict[str, Any]:
    """List page and search over letters of a Maildir: server time and queries. Imports the Maildir first."""
    if maildir:
        prepare("", "0", "archive@bench.example")
        begin = time.perf_counter()
        import_maildir(Mailbox.objects.get(), Path(maildir), now=timezone.now())
        print(f"imported in {time.perf_counter() - begin:.0f} s", file=sys.stderr)
    ada = Employee.objects.get(email="ada@bench.example")
    inbox = max(Folder.objects.all(), key=lambda folder: folder.listings.count())

    def list_page() -> None:
        list_folder(inbox, employee=ada, now=timezone.now())
        sidebar(ada, timezone.now())

    list_page()
    with CaptureQueriesContext(connection) as queries:
        list_page()
    return {
        "letters": Message.objects.count(),
        "list_seconds": _median(list_page, 50),
        "list_queries": len(queries),
        "search_seconds": {
            word: _median(lambda w=word: search.search(ada, w, now=timezone.now()), 20) for word in words
        },
    }


def _median(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def _peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


COMMANDS = {"initial": initial, "noop": noop, "pages": pages}

if __name__ == "__main__":
    print(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])))
