import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from letterdesk.lib import jobs
from letterdesk.lib.jobs import every, job, run_worker, waiting

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
REDIS = f"redis://127.0.0.1:6379/{10 + WORKER % 6}"  # 9: where other tests of this run have theirs
POSTGRESQL = "postgresql://root@127.0.0.1:5432/"

ran: list[object] = []


@job(name="test.note", retry_delay=1)
def note(value: object) -> None:
    ran.append(value)


@job(name="test.urgent", priority=10)
def note_urgently(value: object) -> None:
    ran.append(value)


@job(name="test.fail", retries=2, retry_delay=0)
def fail(text: str) -> None:
    ran.append("try")
    raise ValueError(text)


@job(name="test.tick")
def tick() -> None:
    ran.append("tick")


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def sqlite_queue(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder}/jobs.sqlite3"


@contextmanager
def redis_queue(_folder: Path) -> Iterator[str]:
    if not answers(6379):
        pytest.skip("no Redis answers on 127.0.0.1:6379")
    yield REDIS


@contextmanager
def postgresql_queue(_folder: Path) -> Iterator[str]:
    if not answers(5432):
        pytest.skip("no PostgreSQL answers on 127.0.0.1:5432")
    name = f"jobs_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(POSTGRESQL + "postgres", autocommit=True) as server:
        server.execute(f"create database {name}")
        yield POSTGRESQL + name
        server.execute(f"drop database {name} with (force)")


@pytest.fixture(params=[sqlite_queue, redis_queue, postgresql_queue], ids=["sqlite", "redis", "postgresql"])
def queue(request, settings, tmp_path) -> Iterator[str]:
    ran.clear()
    with request.param(tmp_path) as url:
        settings.JOBS_URL = url
        jobs._queue().flush()
        yield url
        jobs._queue().flush()
        forget_queue()


def forget_queue() -> None:
    """What a restart of the process would do."""
    jobs._queue().storage.close()
    jobs._queue_of.cache_clear()


@contextmanager
def worker(**options) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=run_worker, kwargs={"threads": 1, "schedule": (), "stop": stop, **options})
    thread.start()
    try:
        yield
    finally:  # a worker that outlives its test would take the jobs of the next
        stop.set()
        thread.join(30)
    assert not thread.is_alive()


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s; ran: {ran}"
        time.sleep(0.02)


pytestmark = pytest.mark.django_db(transaction=True)


def test_a_worker_runs_what_was_handed_to_it_within_a_second(queue):
    with worker():
        time.sleep(1)  # it is idle
        note.later("hello")
        until(lambda: ran == ["hello"], seconds=1)


def test_a_job_is_enqueued_by_the_commit_and_not_before(queue):
    with transaction.atomic():
        note.later("hello")
        assert waiting() == 0
    assert waiting() == 1


def test_a_rolled_back_transaction_wakes_nobody(queue):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        note.later("hello")
        _ = 1 / 0
    assert waiting() == 0


def test_a_job_for_later_waits_until_then(queue):
    with worker():
        began = time.monotonic()
        note.after(0.3, "hello")
        until(lambda: ran == ["hello"], seconds=4)
        assert time.monotonic() - began >= 0.3


def test_urgent_jobs_go_first(queue):
    note.later("ordinary")
    note_urgently.later("urgent")
    with worker():
        until(lambda: len(ran) == 2)
    assert ran == ["urgent", "ordinary"]


def test_a_failing_job_is_retried_and_its_text_is_not_logged(queue, caplog):
    with worker(), caplog.at_level(logging.INFO):
        fail.later("the text of a letter")
        until(lambda: len(ran) == 3)
        note.later("next")
        until(lambda: "next" in ran)
    assert ran == ["try", "try", "try", "next"]
    assert "Job test.fail failed: ValueError" in caplog.text
    assert "the text of a letter" not in caplog.text.replace("raise ValueError(text)", "")


@pytest.mark.parametrize(
    "harm", [lambda data: data[:-1] + bytes([data[-1] ^ 1]), lambda data: data[70:], lambda _: b"cos\nsystem\n."]
)
def test_a_tampered_payload_is_refused_and_the_next_job_runs(queue, harm, caplog):
    note.later("good")
    huey = jobs._queue()
    good = huey.storage.dequeue()
    assert good is not None
    huey.storage.enqueue(harm(bytes(good)))
    with worker():
        note.later("next")
        until(lambda: ran == ["next"])
    assert "Error reading from queue" in caplog.text


def test_a_payload_signed_with_another_key_is_refused(queue, settings, caplog):
    forget_queue()
    settings.SECRET_KEY = "another key"
    note.later("foreign")
    forget_queue()
    settings.SECRET_KEY = "the right key"
    with worker():
        note.later("ours")
        until(lambda: ran == ["ours"])


def test_the_schedule_wakes_its_jobs(queue):
    with worker(schedule=(every("* * * * *", tick),)):
        until(lambda: "tick" in ran)


def test_a_stopped_worker_lets_its_job_end(queue):
    stop, begun = threading.Event(), threading.Event()

    def slow(value: str) -> None:
        begun.set()
        time.sleep(1.5)
        ran.append(value)

    slow_job = job(name="test.slow")(slow)
    thread = threading.Thread(target=run_worker, kwargs={"threads": 1, "schedule": (), "stop": stop})
    thread.start()
    slow_job.later("done")
    assert begun.wait(5)
    stop.set()
    thread.join(30)
    assert ran == ["done"]


@pytest.mark.parametrize("value", [object(), {"a": 1}, [object()]])
def test_a_job_takes_plain_values_only(queue, value):
    with pytest.raises(TypeError):
        note.later(value)


def test_a_queue_that_does_not_answer_does_not_fail_the_request(settings, caplog):
    settings.JOBS_URL = "redis://127.0.0.1:1/0"
    with transaction.atomic():
        note.later("lost, until the sweep")
    assert "Connection refused" in caplog.text


def test_in_memory_a_job_runs_right_after_the_commit(settings):
    ran.clear()
    settings.JOBS_URL = "memory://"
    with transaction.atomic():
        note.later("hello")
        assert ran == []
    assert ran == ["hello"]


def test_in_memory_nothing_waits(settings):
    ran.clear()
    settings.JOBS_URL = "memory://"
    note.after(0, "now")
    note.after(60, "in a minute")
    assert ran == ["now"]


def test_now_runs_the_job_here():
    ran.clear()
    note.now("here")
    assert ran == ["here"]


def test_an_unknown_queue_is_a_configuration_error(settings):
    settings.JOBS_URL = "amqp://host"
    with pytest.raises(ImproperlyConfigured, match="amqp"):
        waiting()


def test_a_wrong_line_of_the_schedule_is_refused_at_once():
    for wrong in ("* * * *", "61 * * * *", "often * * * *"):
        with pytest.raises(ValueError):
            every(wrong, tick)


def test_two_jobs_cannot_share_a_name():
    def stranger() -> None: ...

    stranger.__module__ = "elsewhere"
    with pytest.raises(ValueError, match=r"test\.note"):
        job(name="test.note")(stranger)
