"""The stream of changes: ids alone, to those who may see them now (C19)."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from django.utils import timezone

from letterdesk.events.models import Event
from letterdesk.events.record import record
from letterdesk.mailboxes.models import Grant
from letterdesk.web import live

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_station(monkeypatch):
    """Each test has a loop of its own; what a station began in another one would wait for ever."""
    monkeypatch.setattr(live, "station", live.Station())
    monkeypatch.setattr(live, "LOOK_EVERY", 0.02)
    yield
    live._thread.submit(live.release_connections).result()


async def listen(employee, **headers):
    client = AsyncClient(HTTP_HOST="127.0.0.1")
    await sync_to_async(client.force_login)(employee)
    return await client.get("/live", headers=headers)


async def told(stream, *, within=3.0):
    """The next event of the stream as (name, facts)."""
    while True:
        text = (await asyncio.wait_for(anext(stream), within)).decode()
        if "event:" in text:
            lines = dict(line.split(": ", 1) for line in text.strip().splitlines())
            return lines["event"], json.loads(lines["data"]), lines.get("id")


def tell(mailbox, **facts):
    record("message.received", account=mailbox.account, topic=mailbox.topic, subject="folder:x", **facts)


def run(story):
    asyncio.run(asyncio.wait_for(story(), 20))


def test_tells_ids_and_nothing_else(mailbox, ines):
    async def story():
        answer = await listen(ines)
        assert answer["Content-Type"] == "text/event-stream"
        assert answer["X-Accel-Buffering"] == "no"
        stream = aiter(answer.streaming_content)
        assert b"retry" in await anext(stream)
        await sync_to_async(tell)(mailbox, conversations=["abc"], count=1, secret="subject")
        name, facts, _id = await told(stream)
        assert name == "change"
        assert facts == {
            "kind": "message.received",
            "topic": mailbox.topic,
            "subject": "folder:x",
            "conversations": ["abc"],
        }
        await stream.aclose()

    run(story)


def test_what_was_missed_is_told_after_a_break(mailbox, ines):
    async def story():
        await sync_to_async(tell)(mailbox, conversations=["old"])
        await sync_to_async(tell)(mailbox, conversations=["new"])
        first = await Event.objects.order_by("pk").afirst()
        answer = await listen(ines, **{"Last-Event-ID": str(first.pk)})
        stream = aiter(answer.streaming_content)
        await anext(stream)
        _name, facts, _id = await told(stream)
        assert facts["conversations"] == ["new"]
        await stream.aclose()

    run(story)


def test_what_happened_while_the_page_was_on_the_way_is_told(mailbox, ines):
    async def story():
        await sync_to_async(tell)(mailbox, conversations=["just now"])
        answer = await listen(ines)
        stream = aiter(answer.streaming_content)
        assert (await told(stream))[1]["conversations"] == ["just now"]
        await stream.aclose()

    run(story)


def test_a_team_mate_without_access_hears_nothing(mailbox, ines, jonas):
    async def story():
        answer = await listen(jonas)
        stream = aiter(answer.streaming_content)
        await anext(stream)
        await sync_to_async(tell)(mailbox, conversations=["abc"])
        with pytest.raises(TimeoutError):
            await told(stream, within=0.5)

    run(story)


@pytest.mark.case("C19")
def test_access_that_is_taken_away_ends_what_is_heard(mailbox, ines, jonas, monkeypatch):
    monkeypatch.setattr(live, "CHECK_EVERY", 0.05)
    monkeypatch.setattr(live, "PING_EVERY", 0.05)

    async def story():
        grant = await Grant.objects.acreate(account=mailbox.account, mailbox=mailbox, employee=jonas)
        answer = await listen(jonas)
        stream = aiter(answer.streaming_content)
        await anext(stream)
        await sync_to_async(tell)(mailbox, conversations=["before"])
        assert (await told(stream))[1]["conversations"] == ["before"]
        await grant.adelete()
        for _ in range(6):
            await anext(stream)  # pings, with the access looked up again
        await sync_to_async(tell)(mailbox, conversations=["after"])
        for _ in range(10):
            assert b"after" not in await anext(stream)
        await stream.aclose()

    run(story)


@pytest.mark.case("C19")
def test_the_stream_of_a_dismissed_employee_ends(mailbox, jonas, monkeypatch):
    monkeypatch.setattr(live, "CHECK_EVERY", 0.05)
    monkeypatch.setattr(live, "PING_EVERY", 0.05)

    async def story():
        answer = await listen(jonas)
        stream = aiter(answer.streaming_content)
        await anext(stream)
        jonas.is_active, jonas.dismissed_at = False, timezone.now()
        await jonas.asave(update_fields=["is_active", "dismissed_at"])
        with pytest.raises(StopAsyncIteration):
            for _ in range(50):
                await anext(stream)

    run(story)


def test_a_reader_who_is_too_slow_is_told_to_load_anew(mailbox, ines):
    async def story():
        stream = live.Stream(frozenset({mailbox.topic}))
        for number in range(live.QUEUE + 1):
            stream.offer(Event(pk=number, topic=mailbox.topic, kind="message.received"))
        assert stream.waiting.get_nowait() is None
        assert live.written(None).startswith(b"event: resync")

    run(story)


def test_nobody_signed_in_gets_no_stream(db):
    async def story():
        answer = await AsyncClient(HTTP_HOST="127.0.0.1").get("/live")
        assert answer.status_code == 302

    run(story)


def test_who_reads_a_mailbox_hears_that_a_letter_stands_in_crm_and_not_where():  # P9
    facts = {"conversations": ["talk"], "letters": 1}
    told = live.written(Event(pk=1, topic="mailbox:x", kind="activity.linked", subject="deal:3", facts=facts))
    assert b"activity.linked" in told and b"talk" in told
    assert b"deal:3" not in told


def test_all_hear_that_some_task_changed_and_not_which_and_each_their_own_reminders(ines, jonas, stranger):
    assert ines.topic in live.topics_of(ines.pk) and ines.topic not in live.topics_of(jonas.pk)
    tasks = f"tasks:{ines.account.public_id}"
    assert tasks in live.topics_of(jonas.pk) and tasks not in live.topics_of(stranger.pk)
    told = live.written(Event(pk=1, topic=tasks, kind="task.deleted", subject="task:3", facts={"letters": 2}))
    assert b"task.changed" in told
    assert b"task:3" not in told and b"deleted" not in told
