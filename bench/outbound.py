"""Letters that leave while their workers are killed, a quota that many want at once, and what answering costs:
`python -m bench.outbound letters …`, `… quota …` and `… answering …`.

The parent sets DATABASE_URL and LETTERDESK_DATA.
"""

import json
import os
import random
import statistics
import sys
import time
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

os.environ["LETTERDESK_CATALOGUE"] = "commercial"

from .engine import prepare  # isort: skip  it sets Django up

from django.db import transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone
from playwright.sync_api import sync_playwright

from letterdesk.accounts.models import Account, Employee
from letterdesk.accounts.preferences import prefer
from letterdesk.lib import blobs
from letterdesk.lib.ids import new_public_id
from letterdesk.mail.compose import new_message_id
from letterdesk.mail.letters import Fetched
from letterdesk.mailboxes import collect
from letterdesk.mailboxes.models import Folder, Mailbox, Message
from letterdesk.mailboxes.receive import prepare as prepare_letters
from letterdesk.mailboxes.receive import store
from letterdesk.outbound import drafts
from letterdesk.outbound.models import Delivery, DeliveryRecipient, Draft
from letterdesk.outbound.send import send
from letterdesk.plans.change import change_plan
from letterdesk.plans.limits import LimitReached
from letterdesk.plans.models import Channel, Reservation, Usage
from letterdesk.plans.usage import month_of, recount, reserve
from tests.rig.ports import free_port, wait_for_port
from tests.rig.sink import Sink
from tests.rig.together import at_once, refused
from tests.rig.workers import Workers, decide, judge

from .corpus import Corpus
from .watched import session_of_ada, started
from .web import CHROMIUM, cold, cold_medians, context

WORKERS = 4
COPIES = 100  # that many letters are one that was written and its copies
PLAN, LIMIT = "start", 2000  # letters a month
HTML = "<p>Dear customer {number},</p><table><tr><td>Desks</td><td>{number}</td></tr></table><p>Kind regards<br>Ada</p>"


def letters(count: str, kills: str) -> dict[str, Any]:
    """So many letters through four workers, of which one is killed again and again; asked at the server that took
    them, letter by letter. Then the unknown ones are decided about, and asked once more."""
    mailbox = prepare("imap.bench.example", "993", "ada@bench.example")[0]
    change_plan(mailbox.account, "professional", by=None, now=timezone.now())
    with Sink() as sink:
        sink.reach(mailbox)
        begin = time.perf_counter()
        _write(mailbox, int(count), now=timezone.now() - timedelta(minutes=1))
        written = time.perf_counter() - begin
        with Workers(WORKERS, os.environ) as workers:
            begin = time.perf_counter()
            killed = workers.kill(int(kills), sink, letters=int(count))
            workers.wait(3600)
            taken = time.perf_counter() - begin
            outcome = judge(sink)
            decide(sink, by=Employee.objects.get())
            workers.wait(600)
            in_the_end = judge(sink)
            said = workers.said()
    return {**asdict(outcome), "in_the_end": asdict(in_the_end), "kills": killed, "seconds": taken,
            "written_seconds": written, "errors": said.count("Traceback"), "said": said[-3000:]}  # fmt: skip


def quota(rounds: str, writers: str) -> dict[str, Any]:
    """So many at once want a unit of a month that has fewer left: how often one too many, or one too few, got one."""
    account = prepare("imap.bench.example", "993", "ada@bench.example")[0].account
    now = timezone.now()
    change_plan(account, PLAN, by=None, now=now)
    chance = random.Random(7)
    wrong, taken = 0, []
    for _ in range(int(rounds)):
        left = chance.randint(0, int(writers))
        usage = _month_with(account, left, now)
        begin = time.perf_counter()
        outcomes = at_once([lambda: reserve(account, Channel.WEBMAIL, due_at=now, now=now)] * int(writers),
                           refusal=LimitReached)  # fmt: skip
        taken.append(time.perf_counter() - begin)
        usage.refresh_from_db()
        got = int(writers) - refused(outcomes)
        wrong += (got, usage.used, recount(usage)) != (left, LIMIT, 0)
    return {"rounds": int(rounds), "writers": int(writers), "wrong": wrong, "seconds": statistics.median(taken)}


def answering(count: str) -> dict[str, Any]:
    """Answer letters of the corpus, as a browser does: the draft is made and its page is sent; what it loads."""
    now = timezone.now()
    mailbox = prepare("imap.bench.example", "993", "ada@bench.example")[0]
    Mailbox.objects.filter(pk=mailbox.pk).update(smtp_host="smtp.bench.example")
    _receive(mailbox, int(count), now)
    browser = Client(HTTP_HOST="127.0.0.1", HTTP_ACCEPT_ENCODING="gzip")
    browser.force_login(Employee.objects.get())
    made = [_answer(browser, letter) for letter in Message.objects.order_by("pk")][1:]
    seconds, cpu = (sorted(each[which] for each in made) for which in (0, 1))
    page = _composing() if CHROMIUM else None
    return {"letters": int(count), "seconds": seconds, "cpu_seconds": cpu, "browser": page}


def _write(mailbox: Mailbox, count: int, *, now: datetime) -> None:
    """So many letters: each hundredth as a person writes it, the others laid beside it as its copies."""
    ada = Employee.objects.get()
    prefer(ada, undo_send="0")
    for number in range(0, count, COPIES):
        people = [("", f"{who}{number}@client.example") for who in "abc"[: 1 + (number // COPIES % 10 == 0) * 2]]
        html = HTML.format(number=number)
        draft = drafts.start(mailbox, by=ada, now=now, to=people, subject=f"Offer {number}", body_html=html)
        letter = send(draft, by=ada, seen=draft.version, now=now)
        _copy(letter, min(COPIES, count - number) - 1, now=now)


@transaction.atomic
def _copy(letter: Delivery, times: int, *, now: datetime) -> None:
    """Queue it so many times more, each with a Message-ID, bytes and a unit of the quota of its own."""
    raw, unit = blobs.get(letter.account_id, letter.blob), letter.reservation
    ids = [new_message_id(letter.sender) for _ in range(times)]
    raws = [raw.replace(letter.message_id.encode(), each.encode()) for each in ids]
    hashes = [blobs.hash_of(each) for each in raws]
    collect.announce(letter.account_id, hashes, now=now)
    blobs.put(letter.account_id, dict(zip(hashes, raws, strict=True)))
    units = Reservation.objects.bulk_create(_like(unit) for _ in range(times))
    Usage.objects.filter(pk=unit.usage_id).update(used=F("used") + times)
    made = Delivery.objects.bulk_create(
        _like(letter, message_id=each, blob=blob, reservation=unit, draft=None, public_id=new_public_id())
        for each, blob, unit in zip(ids, hashes, units, strict=True)
    )
    for each in made:
        collect.hold(each.account_id, [each.blob], holder=each.holder, now=now)
        DeliveryRecipient.objects.bulk_create(_like(one, delivery=each) for one in letter.recipients.all())


def _like(row: Any, **other: Any) -> Any:
    columns = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.name != "id"}
    made = type(row)(**columns)
    for name, value in other.items():
        setattr(made, name, value)
    return made


def _month_with(account: Account, left: int, now: datetime) -> Usage:
    """This month with so many units left, all others in its ledger."""
    Usage.objects.filter(account=account).delete()
    month = Usage.objects.create(account=account, month=month_of(account, now))
    if left < LIMIT:
        reserve(account, Channel.WEBMAIL, due_at=now, now=now, units=LIMIT - left)
    return month


def _receive(mailbox: Mailbox, count: int, now: datetime) -> None:
    inbox = Folder.objects.create(
        account=mailbox.account, mailbox=mailbox, name="INBOX", wire_name="INBOX", role="inbox", uidvalidity=1
    )
    raws = enumerate((raw for _at, raw in Corpus(count)), start=1)
    letters = (Fetched(uid, raw, now, frozenset()) for uid, raw in raws)
    while batch := list(islice(letters, 100)):
        store(inbox, prepare_letters(inbox, batch, now=now), uidvalidity=1, now=now)


def _answer(browser: Client, letter: Message) -> tuple[float, float]:
    """Seconds from the key until the page with the quoted letter is there, by the clock and of a processor."""
    begin, cpu = time.perf_counter(), time.process_time()
    answer = browser.post("/mail/compose", {"letter": letter.public_id, "kind": "reply"}, follow=True)
    taken = time.perf_counter() - begin, time.process_time() - cpu
    assert answer.redirect_chain and answer.status_code == 200, (answer.status_code, answer.redirect_chain)
    return taken


def _composing() -> dict[str, Any]:
    """What a browser with empty caches loads where one writes."""
    draft = Draft.objects.latest("pk")
    listen, session = f"127.0.0.1:{free_port()}", session_of_ada()
    with started("web", "--listen", listen) as web, sync_playwright() as playwright:
        wait_for_port(int(listen.rpartition(":")[2]), timeout=60, alive=lambda: web.poll() is None)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        address = f"http://{listen}"
        try:
            return cold_medians(
                [cold(context(browser, address, session), f"{address}/drafts/{draft.public_id}") for _ in range(3)]
            )
        finally:
            browser.close()


COMMANDS = {"letters": letters, "quota": quota, "answering": answering}

if __name__ == "__main__":
    print(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])))
