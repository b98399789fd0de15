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
from urllib.parse import quote

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "letterdesk.config.settings")
os.environ.setdefault("LETTERDESK_ALLOWED_NETWORKS", "127.0.0.0/8")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from django.utils import timezone  # noqa: E402

from letterdesk.accounts.models import Employee  # noqa: E402
from letterdesk.lib import garbage  # noqa: E402
from letterdesk.mailboxes.importing import import_maildir  # noqa: E402
from letterdesk.mailboxes.lists import list_folder  # noqa: E402
from letterdesk.mailboxes.models import Conversation, Folder, Listing, Mailbox, Message  # noqa: E402
from letterdesk.mailboxes.reading import conversation_letters, find_conversation  # noqa: E402
from letterdesk.mailboxes.search import letters as search  # noqa: E402
from letterdesk.mailboxes.sidebar import sidebar  # noqa: E402
from letterdesk.plans.open import open_account  # noqa: E402
from letterdesk.sync import lease  # noqa: E402
from letterdesk.sync.connections import guard, sign_in  # noqa: E402
from letterdesk.sync.once import sync_once  # noqa: E402
from letterdesk.sync.passes import sync_mailbox  # noqa: E402

READABLE = 50  # conversations
garbage.settle()  # as config/command.py does


def prepare(host: str, port: str, *users: str) -> list[Mailbox]:
    """On tables without rows: one mailbox for each user of the server."""
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
    with sign_in(mailbox, guard()) as open_connection:
        go: Callable[[], object] = lambda: sync_mailbox(mailbox, open_connection, fence=fence, now=timezone.now())  # noqa: E731
        go()
        on_open = _median(go, 20)
    lease.release(mailbox, fence)
    return {"seconds": on_open, "with_sign_in_seconds": _median(lambda: sync_once(mailbox), 5)}


def fill(maildir: str) -> dict[str, Any]:
    """The letters of a Maildir in our store."""
    prepare("", "0", "archive@bench.example")
    begin = time.perf_counter()
    import_maildir(Mailbox.objects.get(), Path(maildir), now=timezone.now())
    taken = time.perf_counter() - begin
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum does by itself, where it is on
    return {"letters": Message.objects.count(), "seconds": taken}


def pages(*words: str) -> dict[str, Any]:
    """List, conversation and search out of what `fill` made: what is asked of the store, and the whole page."""
    ada = Employee.objects.get(email="ada@bench.example")
    inbox = largest_folder()
    conversation = typical_conversation(inbox)
    browser = Client(HTTP_HOST="127.0.0.1", HTTP_ACCEPT_ENCODING="gzip")
    browser.force_login(ada, settings.AUTHENTICATION_BACKENDS[0])
    list_address = f"/mail/{inbox.public_id}"

    def list_rows() -> None:
        list_folder(inbox, employee=ada, now=timezone.now())
        sidebar(ada, timezone.now())

    def letters() -> None:
        found = find_conversation(ada, conversation.public_id)
        assert found is not None
        conversation_letters(found, employee=ada, now=timezone.now())

    def page(address: str, **headers: Any) -> None:
        answer = browser.get(address, **headers)
        assert answer.status_code == 200, (address, answer.status_code)

    measured = {
        "list": list_rows,
        "conversation": letters,
        "list_page": lambda: page(list_address),
        "conversation_page": lambda: page(f"{list_address}/{conversation.public_id}", HTTP_HX_REQUEST="true"),
    }
    got: dict[str, Any] = {"letters": Message.objects.count()}
    for name, work in measured.items():
        got[f"{name}_queries"] = _queries(work)
        got[f"{name}_seconds"] = _median(work, 50)
    got["search_seconds"] = {
        word: _median(lambda w=word: search.search(ada, w, now=timezone.now()), 20) for word in words
    }
    got["search_page_seconds"] = {word: _median(lambda w=word: page(f"/search?q={quote(w)}"), 20) for word in words}
    return got


def largest_folder() -> Folder:
    """The folder with the most conversations."""
    return max(Folder.objects.all(), key=lambda folder: folder.listings.count())


def typical_conversation(folder: Folder) -> Conversation:
    """The newest one of five letters there."""
    listing = folder.listings.filter(conversation__message_count=5).order_by("-newest_at").first()
    assert listing is not None
    return listing.conversation


def _queries(work: Callable[[], object]) -> int:
    """Queries of one turn after the first, whose caches are cold."""
    work()
    with CaptureQueriesContext(connection) as queries:
        work()
    return len(queries)


def _median(work: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def _peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


COMMANDS = {"initial": initial, "noop": noop, "fill": fill, "pages": pages}

if __name__ == "__main__":
    print(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])))
