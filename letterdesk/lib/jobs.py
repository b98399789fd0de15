"""Jobs: functions that a worker runs soon. Huey is behind this file, and nothing outside of it knows.

A job is only a wake-up. What is durable lies in the database; so a job takes ids and plain values, is idempotent,
may run twice, and may get lost: the sweeps of config/schedule.py wake again what is due (G05).

`JOBS_URL` says where jobs wait: `sqlite:///file`, `redis://host/db`, `postgresql://…/database`,
or `memory://`: no queue at all, each job runs in this process as soon as its transaction is committed (tests).
"""

import hashlib
import hmac
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any, Generic, ParamSpec, cast
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections, connections, transaction
from django.utils.module_loading import import_string
from huey import Huey, PostgresHuey, PriorityRedisHuey, SqliteHuey, crontab
from huey.consumer import Consumer
from huey.exceptions import CancelExecution
from huey.serializer import SignedSerializer

from .blame import places_of

logger = logging.getLogger(__name__)
P = ParamSpec("P")

LATENCY = 0.5  # seconds: the longest sleep of an idle worker on SQLite; the other queues wake it themselves
GRACE = 20.0  # seconds that running jobs get to end when the worker stops


class Job(Generic[P]):
    """A function that a worker can run: `later()` wakes it there, `now()` runs it here."""

    def __init__(self, run: Callable[P, object], *, name: str, retries: int, retry_delay: int, priority: int) -> None:
        self.run = run
        self.name = name
        self.retries = retries
        self.retry_delay = retry_delay
        self.priority = priority

    def later(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Hand the job to a worker once the current transaction is committed (at once outside of one).

        Takes plain values only (numbers, text, None and lists of these), else TypeError.
        A queue that does not answer is logged and forgotten: the schedule's sweep will wake what is due.
        """
        for value in (*args, *kwargs.values()):
            _must_be_plain(value, job=self.name)
        if is_immediate():
            transaction.on_commit(lambda: self.run(*args, **kwargs))
            return
        transaction.on_commit(lambda: _enqueue(self, args, kwargs), robust=True)

    def after(self, seconds: float, *args: P.args, **kwargs: P.kwargs) -> None:
        """As `later`, but not before so many seconds have passed; `memory://` runs only what is due."""
        if seconds <= 0:
            self.later(*args, **kwargs)
        if seconds <= 0 or is_immediate():
            return
        transaction.on_commit(lambda: _enqueue(self, args, kwargs, delay=seconds), robust=True)

    def now(self, *args: P.args, **kwargs: P.kwargs) -> object:
        """Run the job here and now, and return what it returns."""
        return self.run(*args, **kwargs)


JOBS: dict[str, Job[Any]] = {}


def job(
    name: str, *, retries: int = 3, retry_delay: int = 10, priority: int = 0
) -> Callable[[Callable[P, object]], Job[P]]:
    """Make a job of a function. `name` is "room.verb"; `retry_delay` in seconds, doubled at each retry."""

    def make(run: Callable[P, object]) -> Job[P]:
        made = Job(run, name=name, retries=retries, retry_delay=retry_delay, priority=priority)
        if name in JOBS and JOBS[name].run.__module__ != run.__module__:
            raise ValueError(f"Two jobs are named {name!r}.")
        JOBS[name] = made
        return made

    return make


@dataclass(frozen=True)
class Every:
    """A line of config/schedule.py: when (minute hour day month weekday, in UTC), and which job."""

    when: str
    job: Job[[]]


def every(when: str, job: Job[[]]) -> Every:
    """A line of the schedule: `every("7 * * * *", collect_blobs)`, five crontab fields in UTC."""
    if len(when.split()) != 5:
        raise ValueError(f"{when!r} is no crontab line: minute hour day month weekday.")
    crontab(*when.split(), strict=True)
    return Every(when=when, job=job)


def is_immediate() -> bool:
    """Whether jobs run in this process right after the commit (`memory://`)."""
    return urlsplit(settings.JOBS_URL).scheme == "memory"


def waiting() -> int:
    """How many jobs wait in the queue now."""
    return 0 if is_immediate() else int(_queue().pending_count())


def run_worker(
    *, threads: int = 2, schedule: Sequence[Every] | None = None, stop: threading.Event | None = None
) -> None:
    """Run jobs until `stop` is set (or Ctrl-C), then let running ones end for up to 20 s.

    Installs no signal handlers, so it can live in a thread of any process. `schedule` is config/schedule.py's
    unless given. Two workers on one queue share its jobs; each also wakes the schedule's, which are idempotent.
    """
    if is_immediate():
        raise ImproperlyConfigured("JOBS_URL=memory:// has no queue to work on.")
    stop = stop or threading.Event()
    huey = _queue()
    _lay_out_schedule(huey, import_string(settings.SCHEDULE) if schedule is None else schedule)
    consumer = _Consumer(huey, workers=threads, max_delay=LATENCY, shutdown_timeout=GRACE)
    consumer.start()
    try:
        while not stop.wait(1):
            consumer.check_worker_health()
    finally:
        consumer.stop(graceful=True)


class _Consumer(Consumer):  # type: ignore[misc]  # huey has no types
    """Huey's consumer, which would take the process's signals."""

    def _set_signal_handlers(self) -> None:
        return


class _Signed(SignedSerializer):  # type: ignore[misc]
    """Payloads signed with SHA-256; what was altered or made by another is refused before it is unpickled."""

    def _signature(self, message: bytes) -> bytes:
        return hmac.new(self._key, message, hashlib.sha256).hexdigest().encode()


_building = threading.Lock()


def _queue() -> Huey:
    with _building:  # two threads must not build two
        return _queue_of(settings.JOBS_URL, os.getpid())  # a forked child must not share its parent's connection


@lru_cache(maxsize=8)
def _queue_of(url: str, _process: int) -> Huey:
    huey = _open(url, {"results": False, "serializer": _Signed(settings.SECRET_KEY, salt="letterdesk.jobs")})
    # One Huey task carries every job, so that the queue can be built before or after the jobs are imported.
    huey.run_job = huey.task(name="run_job")(_run)
    huey.on_shutdown(name="database")(connections.close_all)  # both run in each worker's thread when it ends
    huey.on_shutdown(name="queue")(huey.storage.close)
    return huey


def _open(url: str, options: dict[str, Any]) -> Huey:
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return SqliteHuey("letterdesk", filename=unquote(parts.path[1:]), fsync=False, timeout=30, **options)
    if parts.scheme in {"redis", "rediss"}:
        return PriorityRedisHuey("letterdesk", url=url, **options)
    if parts.scheme in {"postgres", "postgresql"}:
        return PostgresHuey("letterdesk", dsn=url, table_prefix="letterdesk_jobs", **options)
    raise ImproperlyConfigured(
        f"JOBS_URL begins with {parts.scheme!r}: use sqlite:///…, redis://…, postgresql://… or memory://"
    )


def _enqueue(job: Job[Any], args: tuple[Any, ...], kwargs: dict[str, Any], *, delay: float | None = None) -> None:
    huey = _queue()
    task = huey.run_job.s(
        job.run.__module__, job.name, args, kwargs,
        retries=job.retries, retry_delay=job.retry_delay, retry_backoff=2, priority=job.priority, delay=delay,
    )  # fmt: skip
    huey.enqueue(task)


def _run(module: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """In the worker: run the job; an error is logged without its text, which could quote a letter, and retried."""
    if name not in JOBS:
        import_module(module)
    close_old_connections()
    try:
        JOBS[name].run(*args, **kwargs)
    except Exception as error:
        logger.error("Job %s failed: %s\n%s", name, type(error).__name__, places_of(error))
        raise CancelExecution(retry=None) from None  # Huey: retry as often as `retries` says
    finally:
        close_old_connections()


def _lay_out_schedule(huey: Huey, schedule: Sequence[Every]) -> None:
    for line in schedule:
        name = f"every:{line.job.name}"
        if f"{__name__}.{name}" not in huey._registry._registry:
            huey.periodic_task(crontab(*line.when.split()), name=name)(_waker(line.job))


def _waker(job: Job[[]]) -> Callable[[], None]:
    def wake() -> None:
        _run(job.run.__module__, job.name, (), {})

    return wake


def _must_be_plain(value: object, *, job: str) -> None:
    if isinstance(value, list | tuple):
        for item in cast("Sequence[object]", value):
            _must_be_plain(item, job=job)
    elif not isinstance(value, str | int | float | bytes | None):
        raise TypeError(f"Job {job} takes ids and plain values, not {type(value).__name__}.")
