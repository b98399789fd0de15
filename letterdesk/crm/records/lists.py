"""The lists of records: contacts, companies, leads, deals; by right, filtered, in an order that people choose."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from letterdesk.accounts.models import Employee

from ..access import people_seen
from ..models import Activity, EmailAddress, Kind, Labelled, Record, Stage
from ..own.filter import OwnFilter, narrowed
from .labels import with_labels
from .order import LATEST, Sort, ordered_by

PAGE = 50
MOST_WORDS = 10


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """What of a list is asked for. `stage`: its public id, or "open" for those without an outcome; empty: all.

    `pipeline`, `label`: the public id of the one in which they are, of one that they have.
    """

    kind: str
    is_mine: bool = False
    responsible: str = ""
    pipeline: str = ""
    stage: str = ""
    label: str = ""
    words: str = ""
    own: tuple[OwnFilter, ...] = ()
    sort: Sort = LATEST


def record_page(employee: Employee, wanted: RecordFilter, *, before: str = "") -> tuple[list[Any], str]:
    """A page of records and the place of what follows; of company and contact what the reader may see too.

    Raises BadCursor.
    """
    found, order = ordered_by(_found(employee, wanted), wanted.sort, kind=wanted.kind, employee=employee)
    keys, following = order.keys_after(found, before, limit=PAGE)
    shown = {each.pk: each for each in _shown(Record.objects.visible_to(employee).filter(pk__in=keys), employee)}
    return [shown[key] for key in keys if key in shown], following


def all_of(employee: Employee, wanted: RecordFilter) -> QuerySet[Any]:
    """All records of a list, in its order."""
    found, order = ordered_by(_found(employee, wanted), wanted.sort, kind=wanted.kind, employee=employee)
    every: QuerySet[Any] = _shown(order.sorted(found), employee)
    return every


def keys_of(employee: Employee, wanted: RecordFilter, *, most: int) -> list[int]:
    """Keys of at most so many records of a list, the first ones in its order."""
    found, order = ordered_by(_found(employee, wanted), wanted.sort, kind=wanted.kind, employee=employee)
    return list(order.sorted(found).values_list("pk", flat=True)[:most])


def board_of(employee: Employee, wanted: RecordFilter, *, most: int) -> list[Any]:
    """At most so many records of all stages, what was active last first."""
    return list(_shown(_found(employee, wanted), employee).order_by("-active_at", "-pk")[:most])


def _shown(records: Any, employee: Employee) -> Any:
    return with_labels(with_facts(records, employee))


def _found(employee: Employee, wanted: RecordFilter) -> Any:
    found = Record.objects.visible_to(employee, people=people_seen(employee)).present().filter(kind=wanted.kind)
    return _filtered(found, employee, wanted)


def _filtered(found: Any, employee: Employee, wanted: RecordFilter) -> Any:
    if wanted.is_mine:
        found = found.filter(responsible=employee.pk)
    if wanted.responsible:
        found = found.filter(responsible__public_id=wanted.responsible)
    if wanted.pipeline:
        found = found.filter(stage__pipeline__public_id=wanted.pipeline)
    if wanted.stage == "open":
        found = found.filter(stage__outcome=Stage.Outcome.OPEN)
    elif wanted.stage:
        found = found.filter(stage__public_id=wanted.stage)
    if wanted.label:
        found = found.filter(Exists(Labelled.objects.filter(record=OuterRef("pk"), label__public_id=wanted.label)))
    for each in wanted.own:
        found = narrowed(found, each)
    return with_words(found, wanted.words)


def with_words(records: Any, words: str) -> Any:
    """Those whose name or one of whose addresses has each of the words."""
    for word in words.split()[:MOST_WORDS]:
        addresses = EmailAddress.objects.filter(record=OuterRef("pk"), key__contains=word.lower())
        records = records.filter(Q(name__icontains=word) | Q(Exists(addresses)))
    return records


def found_by_words(employee: Employee, words: str) -> QuerySet[Any]:
    """Records of every kind that one may change and that have these words, what was active last first."""
    found: QuerySet[Any] = with_facts(with_words(Record.objects.editable_by(employee).present(), words), employee)
    return found.order_by("-active_at", "-pk")


def with_facts(records: Any, employee: Employee) -> Any:
    """With responsible, stage, addresses, and the company and contact that the reader may see; a query for each."""
    seen = Record.objects.visible_to(employee).present()
    return records.select_related("responsible", "stage__pipeline").prefetch_related(
        Prefetch("company", seen),
        Prefetch("contact", seen),
        Prefetch("addresses", EmailAddress.objects.order_by("position", "pk")),
    )


def records_in_bin(employee: Employee, *, now: datetime) -> QuerySet[Any]:
    """Records in the bin that can still be restored, what went in last first."""
    found: QuerySet[Any] = with_facts(Record.objects.visible_to(employee).in_bin(now), employee)
    return found.select_related("deleted_by").order_by("-deleted_at", "-pk")


def activities_in_bin(employee: Employee, *, now: datetime) -> QuerySet[Any]:
    """Activities in the bin that can still be restored, what went in last first (R8)."""
    found: QuerySet[Any] = Activity.objects.visible_to(employee).in_bin(now).select_related("deleted_by")
    return found.order_by("-deleted_at", "-pk")


def people_of(company: Record, employee: Employee) -> QuerySet[Any]:
    """The contacts of a company that the reader may see, by name."""
    contacts = Record.objects.visible_to(employee).present().filter(company=company.pk, kind=Kind.CONTACT)
    found: QuerySet[Any] = contacts.order_by("name", "pk")
    return found


def deals_of(records: list[int], employee: Employee) -> QuerySet[Any]:
    """The deals of these contacts and companies that the reader may see, open ones first, then what was active last."""
    of_them = Q(contact__in=records) | Q(company__in=records)
    deals = Record.objects.visible_to(employee).present().filter(of_them, kind=Kind.DEAL)
    found: QuerySet[Any] = deals.select_related("stage").order_by("stage__outcome", "-active_at", "-pk")
    return found
