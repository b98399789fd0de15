"""How quick letters find their clients, and a timeline is: `python -m bench.linking link …`, `synced …`, `timeline …`.

The parent sets DATABASE_URL and LETTERDESK_DATA; records and letters are laid into the database without a mail server,
but for `synced`, which fetches them as a first sync does.
"""

import hashlib
import json
import resource
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from .engine import prepare  # isort: skip  it sets Django up

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.crm.activities.timeline import in_talks, record_page
from letterdesk.crm.linking.link import link_new
from letterdesk.crm.models import Activity, Binding, EmailAddress, MailboxSaving, Record, Thread
from letterdesk.mailboxes.collect import holder_of
from letterdesk.mailboxes.models import BlobReference, Conversation, Folder, Mailbox, Message, Placement, ThreadKey
from letterdesk.sync.once import sync_once

BATCH = 2_000
TURNS = 30
PEOPLE = 20  # of a company whose timeline gathers theirs


def link(contacts: str, letters: str) -> dict[str, Any]:
    """Letters of clients, an open deal for every tenth, one conversation for three letters; all are looked at."""
    [mailbox] = prepare("127.0.0.1", "1", "ada@bench.example")
    begin = time.perf_counter()
    lay_clients(mailbox.owner, int(contacts))
    _lay_letters(mailbox, int(letters), int(contacts))
    filled = time.perf_counter() - begin
    begin, cpu = time.perf_counter(), time.process_time()
    saved = link_new(mailbox, now=timezone.now())
    taken, cpu = time.perf_counter() - begin, time.process_time() - cpu
    assert saved == int(letters) == Activity.objects.count()
    again = time.perf_counter()
    assert link_new(mailbox, now=timezone.now()) == 0
    return {
        "contacts": int(contacts), "letters": saved, "filled_seconds": filled, "seconds": taken, "cpu_seconds": cpu,
        "again_seconds": time.perf_counter() - again,
    }  # fmt: skip


def synced(host: str, port: str, user: str, contacts: str) -> dict[str, Any]:
    """A first sync, and what linking its letters takes more: where none is of a client, and where one in ten is."""
    [mailbox] = prepare(host, port, user)
    lay_clients(mailbox.owner, int(contacts))
    begin, cpu = time.perf_counter(), _cpu()
    assert sync_once(mailbox).agrees
    got: dict[str, Any] = {"sync": {"seconds": time.perf_counter() - begin, "cpu_seconds": _cpu() - cpu}}
    for name, people in (("nobody", ()), ("tenth", range(10, 901, 10))):
        lay_people(mailbox.owner, people)
        MailboxSaving.objects.update(considered=0)
        begin, cpu = time.perf_counter(), _cpu()
        saved = link_new(mailbox, now=timezone.now())
        got[name] = {"seconds": time.perf_counter() - begin, "cpu_seconds": _cpu() - cpu, "saved": saved}
    assert got["nobody"]["saved"] == 0 < got["tenth"]["saved"]
    return {"letters": Message.objects.count(), "contacts": int(contacts), **got}


def timeline(activities: str) -> dict[str, Any]:
    """The first page of a timeline of so many letters: of a contact, and of a company that gathers twenty people.

    What is asked of the store, and the whole page of the record.
    """
    [mailbox] = prepare("127.0.0.1", "1", "ada@bench.example")
    lay_clients(mailbox.owner, 1_000)
    client, *people = Record.objects.filter(kind="contact").order_by("pk")[: 1 + PEOPLE]
    company = Record.objects.create(account=client.account, kind="company", name="Bench", responsible=mailbox.owner)
    Record.objects.filter(pk__in=[each.pk for each in people]).update(company=company)
    _lay_activities([client], int(activities))
    _lay_activities([company, *people], int(activities))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as PostgreSQL does by itself within a minute
    browser = Client(headers={"host": "127.0.0.1"})
    browser.force_login(mailbox.owner, settings.AUTHENTICATION_BACKENDS[0])

    def store() -> None:
        bindings, _following = record_page(client)
        in_talks([binding.activity for binding in bindings])

    def page(of: Record) -> None:
        assert browser.get(f"/crm/records/{of.public_id}").status_code == 200

    told = {"store": _median(store), "page": _median(lambda: page(client)), "company": _median(lambda: page(company))}
    return {"activities": int(activities), **told}


def _median(what: Any) -> dict[str, float]:
    what()
    with CaptureQueriesContext(connection) as queries:
        what()
    asked = len(queries)  # now: the next request empties the log
    seconds, cpu_seconds = [], []
    for _ in range(TURNS):
        begin, cpu = time.perf_counter(), time.process_time()
        what()
        seconds.append(time.perf_counter() - begin)
        cpu_seconds.append(time.process_time() - cpu)
    return {
        "seconds": statistics.median(seconds),
        "cpu_seconds": statistics.median(cpu_seconds),
        "queries": asked,
    }


def _cpu() -> float:
    """Seconds of a processor of this process; the child that reads large batches is not in it."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


def lay_people(ada: Employee, numbers: Iterable[int]) -> None:
    """Contacts with the addresses that the corpus writes from (corpus.py), by the numbers of these."""
    for number in numbers:
        address = f"person{number}@client{number % 90}.example"
        person = Record.objects.create(account=ada.account, kind="contact", name=f"Person {number}", responsible=ada)
        EmailAddress.objects.create(account=ada.account, record=person, email=address, key=address,
                                    domain=address.partition("@")[2])  # fmt: skip


def lay_clients(ada: Employee, count: int) -> None:
    """So many contacts with an address each, and an open deal for every tenth; nobody of the corpus is among them."""
    account = ada.account
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        made = Record.objects.bulk_create(
            Record(account=account, kind="contact", name=f"Client {number}", responsible=ada) for number in numbers
        )
        EmailAddress.objects.bulk_create(
            EmailAddress(account=account, record=record, email=_address(number), key=_address(number),
                         domain=f"d{number % 9_000}.example")
            for number, record in zip(numbers, made, strict=True)
        )  # fmt: skip
        Record.objects.bulk_create(
            Record(account=account, kind="deal", name=f"Deal {record.name}", responsible=ada, contact=record)
            for record in made[::10]
        )
    if connection.vendor == "postgresql":  # as it does by itself within a minute; these were there before any letter
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def _address(number: int) -> str:
    return f"client{number}@d{number % 9_000}.example"


def _lay_letters(mailbox: Mailbox, count: int, contacts: int) -> None:
    of = {"account": mailbox.account, "mailbox": mailbox}
    inbox = Folder.objects.create(**of, name="INBOX", wire_name="INBOX", role="inbox", uidvalidity=1)
    now = timezone.now()
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        talks = {
            talk: Conversation(**of, subject=f"Letters {talk}", newest_at=now)
            for talk in {each // 3 for each in numbers}
        }
        Conversation.objects.bulk_create(talks.values())
        letters = Message.objects.bulk_create(
            Message(
                **of, conversation=talks[number // 3], blob=hashlib.sha256(b"%d" % number).hexdigest(), size=3_000,
                message_id=f"{number}@bench.example", subject=f"Letters {number // 3}", from_name="Client",
                from_address=_address((number // 3 * 7_919) % contacts), snippet=f"Please send the offer {number}",
                recipients={"to": [["Ada", "ada@bench.example"]]}, received_at=now - timedelta(seconds=count - number),
            )
            for number in numbers
        )  # fmt: skip
        BlobReference.objects.bulk_create(
            BlobReference(account=mailbox.account, blob=letter.blob, holder=holder_of(mailbox.pk)) for letter in letters
        )
        Placement.objects.bulk_create(
            Placement(account=mailbox.account, folder=inbox, message=letter, conversation=letter.conversation,
                      uidvalidity=1, uid=1 + number, received_at=letter.received_at)
            for number, letter in zip(numbers, letters, strict=True)
        )  # fmt: skip
        ThreadKey.objects.bulk_create(
            ThreadKey(**of, conversation=letter.conversation, key=number * 40_503)
            for number, letter in zip(numbers, letters, strict=True)
        )


def _lay_activities(records: Sequence[Record], count: int) -> None:
    """Letters at the first of the records, each at one of the others, too."""
    (first, *others), account, now = records, records[0].account, timezone.now()
    threads = Thread.objects.bulk_create(Thread(account=account, subject=f"Talk {n}") for n in range(count // 3 + 1))
    activities = Activity.objects.bulk_create(
        Activity(
            account=account, identity=f"bench-{first.pk}-{number}", thread=threads[number // 3], direction="in",
            blob=f"{number:064x}",
            size=3_000, subject=f"Talk {number // 3}", from_name="Client", from_address=_address(0),
            snippet="Please send the offer", received_at=now - timedelta(hours=number),
        )
        for number in range(count)
    )  # fmt: skip
    Binding.objects.bulk_create(
        Binding(account=account, activity=each, record=record, reason="address", received_at=each.received_at)
        for number, each in enumerate(activities)
        for record in (first, *(others[number % len(others)] for _ in others[:1]))
    )


if __name__ == "__main__":
    print(json.dumps({"link": link, "synced": synced, "timeline": timeline}[sys.argv[1]](*sys.argv[2:])))
