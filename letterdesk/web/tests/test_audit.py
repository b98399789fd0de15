"""The audit log: found by person, kind, subject and time, in pages, exported; never what a letter says (F19)."""

import csv
import io
import json
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext

from letterdesk.accounts.models import Role
from letterdesk.accounts.zones import zone_of
from letterdesk.events.models import Event
from letterdesk.events.record import record
from letterdesk.mailboxes.models import Receipt
from letterdesk.mailboxes.retention import receipts
from letterdesk.mailboxes.tests.conftest import employ

from .test_plan import text_of

PAGE = "/settings/audit"
DAY = timedelta(hours=24)


@pytest.fixture
def maria(account):
    return employ(account, "=Maria", Role.ADMINISTRATOR)


@pytest.fixture
def office(sign_in, maria):
    return sign_in(maria)


@pytest.fixture
def told(account, mailbox, ines, jonas, now):
    """Three events of two people, on three days."""
    made = [
        record("mailbox.paused", account=account, by=ines, topic=mailbox.topic, subject=mailbox.topic),
        record("task.created", account=account, by=jonas, subject="task:12", letters=3),
        record("folder.added", account=account, topic=mailbox.topic, name="Divorce", total=7),
    ]
    for age, event in enumerate(made):
        Event.objects.filter(pk=event.pk).update(at=now - 10 * age * DAY)
    return made


def kinds(answer):
    return [line.event.kind for line in answer.context["lines"]]


def test_it_is_found_by_person_kind_subject_and_time(office, told, mailbox, ines, now):
    def found(**asked):
        return kinds(office.get(PAGE, asked))

    assert found() == ["mailbox.paused", "task.created", "folder.added"]
    assert found(person=ines.public_id) == ["mailbox.paused"]
    assert found(kind="task.created") == found(subject="task:12") == ["task.created"]
    assert found(subject=mailbox.address.upper()) == ["mailbox.paused", "folder.added"]
    day = str((now - 10 * DAY).astimezone(zone_of(ines)).date())
    assert found(since=day) == ["mailbox.paused", "task.created"]
    assert found(until=day) == ["task.created", "folder.added"]
    assert found(person="nobody") == []


@pytest.mark.parametrize(
    "asked", [{"kind": "no.such"}, {"since": "never"}, {"until": "2026-99-99"}, {"since": "0001-01-01"}]
)
def test_what_cannot_be_asked_for_finds_nothing(office, told, asked):
    answer = office.get(PAGE, asked)
    assert (answer.status_code, kinds(answer)) == (422, [])
    assert office.post(f"{PAGE}/export", asked).status_code == 404


def test_it_tells_names_and_counts_and_no_folder(office, told, mailbox):
    page = text_of(office.get(PAGE))
    assert mailbox.address in page and "A person paused a mailbox" in page and "total: 7" in page
    assert "Divorce" not in page


def test_another_account_tells_nothing_here(office, told, stranger, sign_in):
    record("task.created", account=stranger.account, by=stranger, subject="task:99")
    assert "task:99" not in text_of(office.get(PAGE))
    stranger.role = Role.ADMINISTRATOR
    stranger.save(update_fields=["role"])
    assert kinds(sign_in(stranger).get(PAGE)) == ["task.created"]


def test_a_page_leads_to_the_next_with_the_same_number_of_queries(office, account, maria):
    def look(**asked):
        with CaptureQueriesContext(connection) as queries:
            return office.get(PAGE, asked), len(queries)

    record("task.commented", account=account, by=maria, subject="task:0")
    _answer, few = look()
    for number in range(1, 60):
        record("task.commented", account=account, by=maria, subject=f"task:{number}")
    first, many = look()
    rest, last = look(before=first.context["following"])
    assert few == many == last <= 8
    subjects = [line.subject for answer in (first, rest) for line in answer.context["lines"]]
    assert subjects == [f"task:{number}" for number in range(59, -1, -1)]
    assert office.get(PAGE, {"before": "x"}).status_code == 404


def exported(maria, **form):
    async def story():
        client = AsyncClient(HTTP_HOST="127.0.0.1")
        await sync_to_async(client.force_login)(maria)
        answer = await client.post(f"{PAGE}/export", form)
        return answer, b"".join([piece async for piece in answer.streaming_content]).decode("utf-8-sig")

    return async_to_sync(story)()


@pytest.mark.case("C24")
def test_an_export_is_harmless_to_spreadsheets_and_an_event_itself(maria, told, account):
    record("task.created", account=account, subject="=cmd|'/c calc'!A0")
    answer, written = exported(maria, kind="task.created", **{"as": "csv"})
    assert answer["Content-Disposition"].startswith("attachment") and answer["Cache-Control"] == "private, no-store"
    rows = list(csv.DictReader(io.StringIO(written)))
    assert [row["subject"] for row in rows] == ["'=cmd|'/c calc'!A0", "task:12"]
    assert json.loads(rows[1]["facts"]) == {"letters": 3}
    event = Event.objects.get(kind="audit.exported")
    assert (event.by, event.facts) == (maria, {"file": "audit.csv", "asked": ["kind=task.created"]})


def test_json_lines_are_one_event_each_in_several_pieces(maria, told, monkeypatch):
    monkeypatch.setattr("letterdesk.events.audit.PIECE", 2)
    _answer, written = exported(maria, **{"as": "jsonl"})
    lines = [json.loads(line) for line in written.splitlines()]
    assert [line["kind"] for line in lines] == ["mailbox.paused", "task.created", "folder.added"]
    assert lines[2]["facts"] == {"total": 7} and "Divorce" not in written


def test_the_chain_of_receipts_is_told_whole_or_broken(office, account, mailbox, now):
    assert "No copy was deleted yet" in text_of(office.get(f"{PAGE}/receipts"))
    for blob in ("a", "b"):
        receipts.write(mailbox, [blob * 64], rule="R9", now=now)
    page = text_of(office.get(f"{PAGE}/receipts"))
    assert "The chain is whole" in page and "All receipts were checked just now." in page
    assert office.post(f"{PAGE}/receipts/check").status_code == 302
    receipts.write(mailbox, ["c" * 64], rule="R9", now=now)
    page = text_of(office.get(f"{PAGE}/receipts"))
    assert "Receipts 1 to 2 were checked" in page and "The one since then was checked just now." in page
    Receipt.objects.filter(number=1).update(count=9)
    assert "The chain is whole" in text_of(office.get(f"{PAGE}/receipts"))  # and the page says until when
    office.post(f"{PAGE}/receipts/check")
    page = text_of(office.get(f"{PAGE}/receipts"))
    assert "receipt 1 was changed" in page and "whole" not in page
    assert office.get(f"{PAGE}/receipts", {"before": "x"}).status_code == 404
    assert [each.number for each in office.get(f"{PAGE}/receipts", {"before": "2"}).context["receipts"]] == [1]
