"""How quick the rules are at size: `python -m bench.law sweep …` and `… plan …`; what deletes is a process of its own.

The parent sets DATABASE_URL and LETTERDESK_DATA; the letters are laid into the database without a mail server.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

os.environ["LETTERDESK_CATALOGUE"] = "commercial"

from .engine import prepare  # isort: skip  it sets Django up

from django.db.models import Sum
from django.test import Client
from django.urls import Resolver404, resolve
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes import follow as following
from letterdesk.mailboxes.models import Mailbox, Message, Receipt
from letterdesk.mailboxes.retention import sweep as sweeping
from letterdesk.plans.change import change_plan
from tests.rig.ports import free_port, wait_for_port

from .bulk import lay
from .watched import session_of_ada, started
from .web import HttpClient

PLAN, WITHOUT_WEBMAIL = "standard", "free"  # 30 days, and none
PAGES = {  # the month after this one is a whole month of the calendar
    "plan": "/plan", "preview": "/plan?to=free", "preview with days": "/plan?to=start",
    "calendar": "/plan/calendar?month=%Y-%m",
}  # fmt: skip


def sweep(letters: str, asked: str) -> dict[str, Any]:
    """Letters whose period is over, a third for each outcome, swept while somebody asks for the list of the inbox."""
    now = timezone.now()
    begin = time.perf_counter()
    mailbox = _mailbox()
    inbox = lay(mailbox, int(letters), newest=now - timedelta(days=31), over=timedelta(days=20), fates=True)
    filled = time.perf_counter() - begin
    listen = f"127.0.0.1:{free_port()}"
    with started("web", "--listen", listen) as web:
        wait_for_port(int(listen.rpartition(":")[2]), timeout=60, alive=lambda: web.poll() is None)
        client, path = HttpClient(listen, session_of_ada()), f"/mail/{inbox.public_id}"
        for _ in range(10):
            client.seconds(path)
        undisturbed = [client.seconds(path) for _ in range(int(asked))]
        with _beside("sweeping") as child:
            begin, disturbed = time.perf_counter(), []
            _go(child)
            while child.poll() is None:
                disturbed.append(client.seconds(path))
            taken = json.loads(_rest(child))
    assert Message.objects.filter(mailbox=mailbox, is_held=False).count() == 0
    return {
        **taken,
        "letters": int(letters),
        "left": Message.objects.filter(mailbox=mailbox).count(),
        "filled_seconds": filled,
        "undisturbed_seconds": sorted(undisturbed),
        "disturbed_seconds": sorted(disturbed),
    }


def plan(letters: str, seconds: str) -> dict[str, Any]:
    """An account with so many letters, a third held: its page of plan and usage; then to a plan without Webmail, for so
    long."""
    now = timezone.now()
    begin = time.perf_counter()
    mailbox = _mailbox()
    inbox = lay(mailbox, int(letters), newest=now, over=timedelta(days=25), fates=True)
    filled = time.perf_counter() - begin
    browser = Client(headers={"host": "127.0.0.1"})
    browser.force_login(Employee.objects.get())
    next_month = (now.replace(day=1) + timedelta(days=32)).date()
    pages = {name: _median(lambda path=path: _page(browser, next_month.strftime(path)), 20)
             for name, path in PAGES.items() if _is(path)}  # fmt: skip
    with _beside("following") as child:
        begin = time.perf_counter()
        change_plan(mailbox.account, WITHOUT_WEBMAIL, by=None, now=timezone.now())
        refused = browser.get(f"/mail/{inbox.public_id}").status_code == 403
        entrance = time.perf_counter() - begin
        assert refused
        memory = [_memory_mb(child)]
        begin = time.perf_counter()
        _go(child)
        _until(lambda: Receipt.objects.exists() or child.poll() is not None)
        first = time.perf_counter() - begin
        while child.poll() is None and time.perf_counter() - begin < float(seconds):
            memory.append(_memory_mb(child) or memory[-1])  # one that has just ended has none
            time.sleep(0.2)
        taken = time.perf_counter() - begin
        is_done = child.poll() is not None
        cpu = 0.0 if is_done else _cpu_seconds(child)
        child.kill()
    purged = Receipt.objects.aggregate(number=Sum("count"))["number"]
    assert Message.objects.count() == int(letters) - purged  # whole pieces, though the process was killed
    return {
        "letters": int(letters), "filled_seconds": filled, "page_seconds": pages, "entrance_seconds": entrance,
        "first_piece_seconds": first, "seconds": taken, "purged": purged, "is_done": is_done, "memory_mb": memory,
        "cpu_seconds": cpu,
    }  # fmt: skip


def sweeping_process() -> dict[str, Any]:
    """The job of the schedule, when the parent says so."""
    before = _memory_mb()
    _wait_for_go()
    begin, cpu = time.perf_counter(), time.process_time()
    removed = sweeping.sweep(now=timezone.now())
    taken, cpu = time.perf_counter() - begin, time.process_time() - cpu
    return {"seconds": taken, "cpu_seconds": cpu, "removed": removed, "memory_mb": [before, _memory_mb()]}


def following_process() -> dict[str, Any]:
    """What a changed plan wakes, when the parent says so."""
    _wait_for_go()
    return {"purged": following.follow(now=timezone.now())}


def _mailbox() -> Mailbox:
    mailbox = prepare("imap.bench.example", "993", "ada")[0]
    change_plan(mailbox.account, PLAN, by=None, now=timezone.now())
    following.follow(now=timezone.now())
    return mailbox


def _page(browser: Client, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code)


def _is(path: str) -> bool:
    """Whether there is such a page."""
    try:
        resolve(path.partition("?")[0])
    except Resolver404:
        return False
    return True


@contextmanager
def _beside(command: str) -> "Iterator[subprocess.Popen[str]]":
    """One of the commands below in a process that is ready to go; ended at the end of this."""
    words = [sys.executable, "-m", "bench.law", command]
    child = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
        yield child
    finally:
        child.kill()
        child.wait()


def _go(child: "subprocess.Popen[str]") -> None:
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()


def _rest(child: "subprocess.Popen[str]") -> str:
    assert child.stdout is not None
    return child.stdout.read()


def _wait_for_go() -> None:
    print("ready", flush=True)
    assert sys.stdin.readline() == "go\n"


def _memory_mb(child: "subprocess.Popen[str] | None" = None) -> float:
    """Resident memory of a process, or of this one."""
    status = Path(f"/proc/{child.pid if child else 'self'}/status").read_text().splitlines()
    return int(next((line.split()[1] for line in status if line.startswith("VmRSS")), 0)) / 1024


def _cpu_seconds(child: "subprocess.Popen[str]") -> float:
    """Processor time of a process that runs."""
    fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _median(work: Callable[[], object], times: int) -> dict[str, float]:
    """By the clock, and in processor time of this process."""
    work()
    taken: dict[str, list[float]] = {"clock": [], "cpu": []}
    for _ in range(times):
        begin, cpu = time.perf_counter(), time.process_time()
        work()
        taken["clock"].append(time.perf_counter() - begin)
        taken["cpu"].append(time.process_time() - cpu)
    return {name: statistics.median(each) for name, each in taken.items()}


def _until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < until, "not within 120 s"
        time.sleep(0.005)


COMMANDS = {"sweep": sweep, "plan": plan, "sweeping": sweeping_process, "following": following_process}

if __name__ == "__main__":
    print(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])))
