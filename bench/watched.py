"""What the sync process costs and how quick it is: `python -m bench.watched live …` and `… idle …`."""

import http.client
import imaplib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .engine import prepare  # isort: skip  it sets Django up

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Folder, Placement
from letterdesk.sync.watch import Timings, Watcher
from tests.rig.ports import free_port, wait_for_port

FIRST = 20  # mailboxes, before which nothing is measured: code and pools are loaded then


def live(host: str, port: str, user: str, rounds: str) -> dict[str, Any]:
    """Seconds from APPEND on the server to the list page with the letter; from STORE to our store."""
    prepare(host, port, user)
    imap = imaplib.IMAP4(host, int(port))
    imap.login(user, "secret")
    with _processes() as (listen, web):
        _until(lambda: Folder.objects.filter(role="inbox", cursor__isnull=False).exists(), 60)
        page = Page(listen, Folder.objects.get(role="inbox"))
        time.sleep(2)
        letters = [_new_letter(imap, page, number) for number in range(int(rounds))]
        imap.select("INBOX")
        flags = [_new_flag(imap, number) for number in range(int(rounds))]
        begin = time.perf_counter()
        web.terminate()
        web.wait(20)
        stopped = time.perf_counter() - begin
    return {"letter_seconds": sorted(letters), "flag_seconds": sorted(flags), "stop_seconds": stopped}


def _new_letter(imap: imaplib.IMAP4, page: "Page", number: int) -> float:
    time.sleep(0.3)
    subject = f"Fresh letter number {number}."
    raw = f"From: a@b.example\r\nSubject: {subject}\r\nMessage-ID: <fresh{number}@b.example>\r\n\r\nHello\r\n"
    begin = time.perf_counter()
    imap.append("INBOX", None, None, raw.encode())
    while True:
        page.wait_for_change()
        if subject in page.fetch():
            return time.perf_counter() - begin


def _new_flag(imap: imaplib.IMAP4, number: int) -> float:
    time.sleep(0.3)
    begin = time.perf_counter()
    imap.store(str(number + 1), "+FLAGS", "(\\Flagged)")
    _until(lambda: Placement.objects.filter(is_flagged=True).count() == number + 1, 30)
    return time.perf_counter() - begin


class Page:
    """A signed-in browser, as far as it listens to /live and fetches the list."""

    def __init__(self, listen: str, folder: Folder) -> None:
        self._listen = listen
        self._headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session_of_ada()}", "Host": "127.0.0.1"}
        self._path = f"/mail/{folder.public_id}"
        self._stream = http.client.HTTPConnection(listen, timeout=30)
        self._stream.request("GET", "/live", headers=self._headers)
        self._lines = self._stream.getresponse()

    def wait_for_change(self) -> None:
        """Wait for an event of the stream."""
        while not self._lines.readline().startswith(b"data:"):
            pass

    def fetch(self) -> str:
        """The list page as it is now."""
        asked = http.client.HTTPConnection(self._listen, timeout=30)
        asked.request("GET", self._path, headers=self._headers)
        answer = asked.getresponse()
        assert answer.status == 200, answer.status
        return answer.read().decode()


def session_of_ada() -> str:
    ada = Employee.objects.get(email="ada@bench.example")
    session = SessionStore()
    session[SESSION_KEY] = str(ada.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = ada.get_session_auth_hash()
    session.create()
    return str(session.session_key)


@contextmanager
def _processes() -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Pages and sync, as `letterdesk run` starts them: where the pages are, and their process."""
    listen = f"127.0.0.1:{free_port()}"
    with started("web", "--listen", listen) as web, started("sync"):
        wait_for_port(int(listen.rpartition(":")[2]), timeout=60, alive=lambda: web.poll() is None)
        yield listen, web


@contextmanager
def started(*words: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A process of Letterdesk while this lasts. One that does not end by itself is killed; the error has its log."""
    log = settings.DATA_DIR / f"{words[0]}.log"
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-m", "letterdesk", *words], stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise RuntimeError(f"{words[0]} did not end within 20 s:\n{log.read_text()[-1500:]}") from None


def idle(host: str, port: str, *users: str) -> dict[str, Any]:
    """Memory of one process that watches so many mailboxes, in KB for each idle one."""
    prepare(host, port, *users)
    stop = threading.Event()
    watcher = Watcher(workers=4, capacity=FIRST, timings=Timings(poll=3600))
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    _until(lambda: _idling(watcher) == FIRST, 120)
    before = _memory_kb()
    watcher._capacity = len(users)
    _until(lambda: _idling(watcher) == len(users), 600)
    time.sleep(1)
    after = _memory_kb()
    stop.set()
    thread.join(60)
    return {"mailboxes": len(users), "kb_each": (after - before) / (len(users) - FIRST), "process_mb": after / 1024}


def _idling(watcher: Watcher) -> int:
    return sum(1 for one in list(watcher._watched.values()) if one.connection is not None and not one.busy)


def _memory_kb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def _until(condition: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.01)


COMMANDS = {"live": live, "idle": idle}

if __name__ == "__main__":
    print(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])))
