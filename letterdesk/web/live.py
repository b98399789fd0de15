"""Live pages: one stream per browser, which says what changed by ids alone. The page asks for it like anybody else.

All streams of a process share one reader of the event table. What somebody may no longer see falls out of their
stream within 30 seconds (C19).
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import Error, connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone

from letterdesk.events.live import AT_MOST, Feed, latest_id, since
from letterdesk.events.models import Event
from letterdesk.mailboxes.models import Mailbox
from letterdesk.team.presence import Watch
from letterdesk.web.backend import EmployeeBackend
from letterdesk.web.security import set_headers

LOOK_EVERY = 0.25  # seconds between two looks at the event table
PING_EVERY = 15.0
CHECK_EVERY = 30.0
PRESENCE_EVERY = timedelta(seconds=1)
ON_THE_WAY = timedelta(seconds=5)  # from making a page to its listening
LARGEST_ID = 2**63 - 1
QUEUE = 200  # events that wait for a slow reader; then the page is told to load anew

Returned = TypeVar("Returned")
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="live")  # the one connection of all streams


def release_connections() -> None:
    """Close this thread's database connections, unless a transaction of a test holds them."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


async def _in_thread(work: Callable[[], Returned]) -> Returned:
    def carefully() -> Returned:
        try:
            return work()
        except Error:
            release_connections()  # the next look opens a new one
            raise

    return await asyncio.get_running_loop().run_in_executor(_thread, carefully)


def topics_of(employee_pk: int | None) -> frozenset[str] | None:
    """The topics that this employee may hear now; None: no longer signed in anywhere, since dismissed."""
    employee = EmployeeBackend().get_user(employee_pk)
    if employee is None:
        return None
    names = Mailbox.objects.visible_to(employee).values_list("public_id", flat=True)
    own = (employee.topic, f"tasks:{employee.account.public_id}")
    return frozenset([*own, *(f"mailbox:{name}" for name in names)])


class Stream:
    """One browser that listens."""

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics
        self.waiting: asyncio.Queue[Event | None] = asyncio.Queue(maxsize=QUEUE)

    def offer(self, event: Event) -> None:
        """Hand over an event of our topics; a reader who is too slow gets None once: load anew."""
        if event.topic not in self.topics:
            return
        if self.waiting.full():
            while not self.waiting.empty():
                self.waiting.get_nowait()
            self.waiting.put_nowait(None)
        else:
            self.waiting.put_nowait(event)


class Station:
    """The streams of this process and the task that feeds them, which runs only while somebody listens."""

    def __init__(self) -> None:
        self.streams: set[Stream] = set()
        self._task: asyncio.Task[None] | None = None
        self._reads = asyncio.Event()
        self._presence = Watch()
        self._presence_at = timezone.now()

    async def join(self, stream: Stream) -> None:
        """Feed this stream from now on; when this returns, nothing that happens is missed."""
        self.streams.add(stream)
        if self._task is None or self._task.done():
            self._reads = asyncio.Event()
            self._task = asyncio.create_task(self._run())
        await self._reads.wait()

    def leave(self, stream: Stream) -> None:
        """Stop feeding it."""
        self.streams.discard(stream)

    async def _run(self) -> None:
        feed = await self._open()
        self._reads.set()
        while self.streams:
            feed.topics = frozenset().union(*(stream.topics for stream in self.streams))
            with contextlib.suppress(Error):  # a database that is away: look again
                for event in await _in_thread(lambda: [*feed.news(timezone.now()), *self._present()]):
                    for stream in self.streams:
                        stream.offer(event)
            await asyncio.sleep(LOOK_EVERY)

    def _present(self) -> list[Event]:
        """Who came and went, as events that are in no table; asked once a second."""
        now = timezone.now()
        if now < self._presence_at:
            return []
        self._presence_at = now + PRESENCE_EVERY
        told = self._presence.news(now)
        return [Event(kind="presence.changed", topic=topic, facts={"conversations": [name]}) for topic, name in told]

    async def _open(self) -> Feed:
        topics = frozenset[str]().union(*(stream.topics for stream in self.streams))
        while True:
            with contextlib.suppress(Error):
                return await _in_thread(lambda: Feed(topics, now=timezone.now()))
            await asyncio.sleep(LOOK_EVERY)


station = Station()


def written(event: Event | None) -> bytes:
    """Write an event as the stream's text: ids and counts, never content."""
    if event is None:
        return b"event: resync\ndata: {}\n\n"
    change: dict[str, Any] = {"kind": event.kind, "topic": event.topic, "subject": event.subject}
    if event.topic.startswith("tasks:"):  # all of the account hear it: that some task changed, and not which
        change = {"kind": "task.changed", "topic": event.topic, "subject": ""}
    if event.kind.startswith("activity."):  # who reads the mailbox may not see the record (P9)
        change["subject"] = ""
    change["conversations"] = event.facts.get("conversations", [])
    named = f"id: {event.pk}\n" if event.pk else ""
    return f"{named}event: change\ndata: {json.dumps(change)}\n\n".encode()


async def missed(last_id: str, topics: frozenset[str]) -> list[Event | None]:
    """What happened since the browser's Last-Event-ID, or while its page was on the way; too much: "load anew"."""
    after = int(last_id) if last_id.isascii() and last_id.isdigit() else None
    if after is None:
        return list(await _in_thread(lambda: _lately(topics)))
    events = await _in_thread(lambda: since(min(after, LARGEST_ID), topics))
    return [None] if len(events) >= AT_MOST else list(events)


def _lately(topics: frozenset[str]) -> list[Event]:
    """What happened after the page was made and before it listened."""
    begins = timezone.now() - ON_THE_WAY
    return [event for event in since(max(latest_id() - AT_MOST, 0), topics) if event.at >= begins]


async def _tell(employee_pk: int | None, stream: Stream, last_id: str) -> AsyncIterator[bytes]:
    clock = asyncio.get_running_loop()
    checked = clock.time()
    try:
        yield b": here\nretry: 2000\n\n"
        await station.join(stream)
        for event in await missed(last_id, stream.topics):
            yield written(event)
        while True:
            try:
                yield written(await asyncio.wait_for(stream.waiting.get(), PING_EVERY))
            except TimeoutError:
                yield b": still here\n\n"
            if clock.time() - checked >= CHECK_EVERY:
                topics = await _in_thread(lambda: topics_of(employee_pk))
                if topics is None:
                    return
                stream.topics, checked = topics, clock.time()
    finally:
        station.leave(stream)


async def live(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """GET /live: the stream of this employee (text/event-stream)."""
    employee_pk = (await request.auser()).pk
    await sync_to_async(release_connections)()  # the stream must not hold the connection that signed it in
    topics = await _in_thread(lambda: topics_of(employee_pk))
    if topics is None:
        return HttpResponse(status=204)
    stream = _tell(employee_pk, Stream(topics), request.headers.get("Last-Event-ID", ""))
    response = StreamingHttpResponse(stream, content_type="text/event-stream")
    set_headers(
        response,
        {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Encoding": "identity"},  # never compressed
    )
    return response
