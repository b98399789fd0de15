"""The audit trail: what happened in an account, searched by person, kind, subject and time, the newest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from letterdesk.lib.keyset import page_of

from .kinds import KINDS
from .models import Event

PIECE = 1000
INSIDE = ("activity", "change", "comment", "conversation", "draft", "folder", "letter", "message")
CODES = {"channel", "code", "month", "reason", "scope", "source", "why"}


@dataclass(frozen=True)
class Wanted:
    """What is looked for; what is empty matches all. `subject` is a reference such as "mailbox:<public id>"."""

    person: int | None = None  # the employee's key
    kind: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None  # not any more


def find(events: QuerySet[Event], wanted: Wanted) -> QuerySet[Event]:
    """Those of these events that are looked for."""
    if wanted.person is not None:
        events = events.filter(by=wanted.person)
    if wanted.kind:
        events = events.filter(kind=wanted.kind)
    if wanted.subject:
        events = events.filter(Q(subject=wanted.subject) | Q(topic=wanted.subject))
    if wanted.since:
        events = events.filter(at__gte=wanted.since)
    if wanted.until:
        events = events.filter(at__lt=wanted.until)
    return events.select_related("by")


def all_of(events: QuerySet[Event]) -> Iterator[list[Event]]:
    """All of them, in pieces: each a short question of its own, however many there are."""
    before = ""
    while True:
        page, before = page_of(events, "at", before=before, limit=PIECE)
        yield page
        if not before:
            return


def told_facts(event: Event) -> dict[str, Any]:
    """The facts that an administrator may read, who may not read the letters.

    Of what happens inside a mailbox these are numbers and codes: a folder's name may tell too much.
    """
    if event.kind.partition(".")[0] not in INSIDE:
        return dict(event.facts)
    return {name: fact for name, fact in event.facts.items() if isinstance(fact, int | float) or name in CODES}


def as_row(event: Event) -> dict[str, Any]:
    """An event as it is exported: ids, counts, names."""
    return {
        "id": event.pk,
        "at": event.at,
        "kind": event.kind,
        "what": KINDS.get(event.kind, event.kind),
        "by": event.by.email if event.by else "",
        "subject": event.subject or event.topic,
        "facts": told_facts(event),
    }
