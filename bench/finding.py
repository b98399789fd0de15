"""How quick CRM's search is: `python -m bench.finding fill …`, then `… ask`.

The parent sets DATABASE_URL and LETTERDESK_DATA; records, notes, letters and what can be found of them are laid into
the database as rows.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from .engine import prepare  # isort: skip  it sets Django up

from django.db import connection, transaction
from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.crm.jobs import look_at_tables
from letterdesk.crm.models import Activity, Binding, EmailAddress, FoundText, LetterCopy, Note, Record, Thread
from letterdesk.crm.records.fields import Fields
from letterdesk.crm.search.index import row_of_letter, row_of_note, row_of_record
from letterdesk.crm.search.letters import find_letters
from letterdesk.crm.search.records import find_records, names_by_words
from letterdesk.mailboxes import rows
from letterdesk.mailboxes.models import Conversation, Folder, Mailbox, Message, Placement
from letterdesk.mailboxes.retention.own_times import periods_of
from letterdesk.mailboxes.search.letters import Indexed, Search, index
from letterdesk.mailboxes.search.query import parse_query
from letterdesk.mailboxes.search.text import prepare as prepared
from letterdesk.web.crm.search import told_to

BATCH = 2_000
TURNS = 9
LEAST = 0.5  # seconds that a query is measured for: a slow one is asked less often
FILLING = "We would like to hear from you about our plans for the next year and what they may cost"
RECORDS = {
    "a rare name": "last777", "a first name that 3.7 % have": "amara", "a word that half have": "customer",
    "two common words": "customer berlin", "a common and a rare word": "customer last777", "nothing": "nobody0815",
}  # fmt: skip
LETTERS = {
    "a rare word": "rare777", "a word that half have": "offer", "two common words": "offer desks",
    "of one contact": "contact:last777", "of a first name that 3.7 % have": "contact:amara",
    "of a word that half have": "contact:customer", "of a first name, with a word": "contact:amara offer",
    "of one contact, with a word": "contact:last777 offer", "not of a first name, with a word": "-contact:amara offer",
    "of a company": "company:works77",
}  # fmt: skip


def fill(contacts: str) -> dict[str, Any]:
    """Contacts, with a tenth as many companies, a fifth as many deals and notes, and as many letters."""
    [mailbox] = prepare("127.0.0.1", "1", "ada@bench.example")
    ada, count, now = mailbox.owner, int(contacts), timezone.now()
    begin = time.perf_counter()
    companies: list[int] = []
    for numbers in _pieces(count // 10):
        made = _lay("company", ada, numbers, now, name=lambda n: f"Works{n}")
        companies += [each.pk for each in made]
    people: list[int] = []
    for numbers in _pieces(count):
        made = _lay("contact", ada, numbers, now, name=_name, company=lambda n: companies[n // 10 % len(companies)])
        people += [each.pk for each in made]
        _lay_notes(ada, made[::5])
    for numbers in _pieces(count // 5):
        _lay("deal", ada, numbers, now, name=lambda n: f"Roof {n}", contact=lambda n: people[n * 5])
    for numbers in _pieces(count):
        _lay_letters(mailbox, numbers, people, now)
    look_at_tables.now()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum does by itself
    return {"contacts": count, "records": Record.objects.count(), "seconds": time.perf_counter() - begin}


def ask() -> dict[str, Any]:
    """How long each question takes, in seconds."""
    ada, now = Employee.objects.get(email="ada@bench.example"), timezone.now()
    period = periods_of(ada.account, now)

    def tree(query: str) -> Any:
        return parse_query(query, now=now, zone=now.tzinfo, me=ada.pk)  # type: ignore[arg-type]  # UTC

    def mail(query: str) -> None:
        Search(ada, query, now=now, mailbox=None, period=period, told=told_to(ada)).page(limit=50)

    def letters(query: str, most: int, *, beside: bool) -> None:
        find_letters(ada, tree(query), now=now, most=most, without_mail=beside, period=period)

    return {
        "records": Record.objects.count(),
        "three records": _asked(RECORDS, lambda query: find_records(ada, tree(query), most=3)),
        "fifty records": _asked(RECORDS, lambda query: find_records(ada, tree(query), most=50)),
        "records while one types": _asked(RECORDS, lambda query: names_by_words(ada, query, most=6)),
        "three letters": _asked(LETTERS, lambda query: letters(query, 3, beside=True)),
        "fifty letters": _asked(LETTERS, lambda query: letters(query, 50, beside=False)),
        "letters in Webmail": _asked({what: q for what, q in LETTERS.items() if ":" in q}, mail),
    }


def _asked(queries: dict[str, str], ask: Callable[[str], object]) -> dict[str, float]:
    return {what: _median(lambda query=query: ask(query)) for what, query in queries.items()}  # type: ignore[misc]


def _median(what: Callable[[], object]) -> float:
    what()
    taken: list[float] = []
    while len(taken) < TURNS and (len(taken) < 3 or sum(taken) < LEAST):
        begin = time.perf_counter()
        what()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def _pieces(count: int) -> Iterator[range]:
    return (range(start, min(start + BATCH, count)) for start in range(0, count, BATCH))


def _name(number: int) -> str:
    return f"{'Amara' if number % 27 == 0 else f'First{number % 211}'} Last{number}"


def _lay(
    kind: str, ada: Employee, numbers: Sequence[int], now: datetime, *, name: Callable[[int], str], **beside: Any
) -> list[Record]:
    """Records of one kind with an address each; `beside`: the key of another record, by number."""
    made = Record.objects.bulk_create(
        Record(
            account=ada.account, kind=kind, name=name(number), responsible=ada,
            active_at=now - timedelta(seconds=number * 7_919 % 1_000_003),
            **{f"{column}_id": key(number) for column, key in beside.items()},
        )
        for number in numbers
    )  # fmt: skip
    EmailAddress.objects.bulk_create(
        EmailAddress(account=ada.account, record=each, email=_address(kind, number), key=_address(kind, number))
        for number, each in zip(numbers, made, strict=True)
    )
    _write(
        row_of_record(each, Fields(each.name, ada, addresses=(_address(kind, number),), note=_said(number)))
        for number, each in zip(numbers, made, strict=True)
    )
    return made


def _address(kind: str, number: int) -> str:
    return f"{kind}{number}@d{number % 9_000}.example"


def _said(number: int) -> str:
    """Half of all are customers, a fifth is of Berlin."""
    words = ("customer" if number % 2 else "prospect", "berlin" if number % 5 == 0 else "", f"ref{number}", FILLING)
    return " ".join(words)


def _lay_notes(ada: Employee, contacts: Sequence[Record]) -> None:
    notes = Note.objects.bulk_create(
        Note(
            account=ada.account,
            record=each,
            by=ada,
            at=each.active_at,
            text=f"Called {each.name}, wants {FILLING}",
        )
        for each in contacts
    )
    _write(map(row_of_note, notes))


def _lay_letters(mailbox: Mailbox, numbers: Sequence[int], people: Sequence[int], now: datetime) -> None:
    ada = mailbox.owner
    threads = Thread.objects.bulk_create(Thread(account=ada.account, subject=f"Talk {number}") for number in numbers)
    letters = Activity.objects.bulk_create(
        Activity(
            account=ada.account, identity=f"bench-{number}", thread=thread, direction="in", blob=f"{number:064x}",
            size=3_000, subject=f"{'Offer' if number % 2 else 'Invoice'} {number}", from_name=_name(number),
            from_address=_address("contact", number), snippet="Please", received_at=now - timedelta(minutes=number),
            recipients={"to": [["Ada", "ada@bench.example"]]},
        )
        for number, thread in zip(numbers, threads, strict=True)
    )  # fmt: skip
    Binding.objects.bulk_create(
        Binding(account=ada.account, activity=each, record_id=people[number * 40_503 % len(people)], reason="address",
                received_at=each.received_at)
        for number, each in zip(numbers, letters, strict=True)
    )  # fmt: skip
    texts = [prepared(text) for text in _texts(numbers)]
    _write(row_of_letter(each, (text, "")) for each, text in zip(letters, texts, strict=True))
    _lay_mail(mailbox, letters[::10], texts[::10])


def _lay_mail(mailbox: Mailbox, letters: Sequence[Activity], texts: Sequence[str]) -> None:
    """The same letters as they lie in Webmail."""
    of = {"account": mailbox.account, "mailbox": mailbox}
    folder, _made = Folder.objects.get_or_create(**of, name="INBOX", wire_name="INBOX", role="inbox", uidvalidity=1)
    talks = Conversation.objects.bulk_create(
        Conversation(**of, subject=each.subject, newest_at=each.received_at) for each in letters
    )
    said = ("blob", "size", "subject", "from_name", "from_address", "recipients", "received_at", "snippet")
    made = Message.objects.bulk_create(
        Message(**of, conversation=talk, in_crm=True, **{name: getattr(each, name) for name in said})
        for each, talk in zip(letters, talks, strict=True)
    )
    Placement.objects.bulk_create(
        Placement(account=mailbox.account, folder=folder, message=each, conversation=each.conversation, uidvalidity=1,
                  uid=letter.pk, received_at=each.received_at)
        for each, letter in zip(made, letters, strict=True)
    )  # fmt: skip
    LetterCopy.objects.bulk_create(LetterCopy(**of, activity=each, blob=each.blob) for each in letters)
    index(Indexed.of(each, body=text, files=()) for each, text in zip(made, texts, strict=True))


def _texts(numbers: Iterable[int]) -> Iterator[str]:
    """Each tenth is about desks."""
    for number in numbers:
        yield " ".join((f"rare{number}", "desks" if number % 10 == 0 else "chairs", FILLING, FILLING, FILLING))


@transaction.atomic
def _write(found: Iterable[FoundText]) -> None:
    rows.insert(list(found))


if __name__ == "__main__":
    print(json.dumps({"fill": fill, "ask": ask}[sys.argv[1]](*sys.argv[2:])))
