"""The processes: `run` is all of them, `web`, `work`, `sync` and `intake` are one each."""

import signal
import threading
from typing import Annotated

import typer
from django.conf import settings
from django.core.management import call_command
from granian.constants import Interfaces
from granian.server import Server

from letterdesk.crm.polled.watch import LOOKS, polling
from letterdesk.intake.serve import NotSetUp, serve
from letterdesk.lib.jobs import run_worker
from letterdesk.sync.watch import Watcher

from .output import console, fail
from .supervisor import Supervisor

Listen = Annotated[str, typer.Option(envvar="LETTERDESK_LISTEN", help="HOST:PORT on which the pages are served.")]


def run(listen: Listen = "127.0.0.1:8000", threads: int = 2) -> None:
    """Run everything: bring the database up to date, then serve pages, work on jobs and sync mailboxes."""
    migrate()
    console.print(f"Letterdesk is starting on http://{listen} – stop it with Ctrl-C.", markup=False)
    intake = [["intake"]] if settings.INBOUND.is_on else []
    Supervisor([["web", "--listen", listen], ["work", "--threads", str(threads)], ["sync"], *intake]).run()


def web(listen: Listen = "127.0.0.1:8000", workers: int = 1) -> None:
    """Serve the pages (ASGI)."""
    host, _, port = listen.rpartition(":")
    Server(
        "letterdesk.config.asgi:application",
        address=host.strip("[]"),
        port=int(port),
        interface=Interfaces.ASGINL,
        workers=workers,
        websockets=False,
        log_access=False,
        workers_kill_timeout=5,  # seconds: an event stream never ends by itself
    ).serve()


def work(threads: int = 2) -> None:
    """Work on jobs and the schedule."""
    run_worker(threads=threads, stop=_stop_on_signals())


def sync(
    workers: Annotated[int, typer.Option(help="How many mailboxes are worked on at the same time.")] = 4,
    capacity: Annotated[int, typer.Option(help="How many mailboxes this process watches at the most.")] = 500,
    looks: Annotated[int, typer.Option(help="How many mailboxes for CRM alone are looked at at once.")] = LOOKS,
) -> None:
    """Watch mailboxes and keep them in step; look at those for CRM alone. Several of these share both among them."""
    stop = _stop_on_signals()
    with polling(stop, looks=looks):
        Watcher(workers=workers, capacity=capacity).run(stop)


def intake() -> None:
    """Take letters for secret addresses in by SMTP, where LETTERDESK_INBOUND_DOMAIN is set."""
    try:
        serve(settings.INBOUND, _stop_on_signals())
    except (NotSetUp, OSError) as error:
        raise fail("not_set_up", str(error)) from error


def migrate() -> None:
    """Bring the database up to date."""
    call_command("migrate", verbosity=0, interactive=False)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda *_: stop.set())
    return stop
