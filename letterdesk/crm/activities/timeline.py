"""Activities as people look through them: all within sight with filter and search (R8); at a record beside its notes
and calls, grouped by conversation (R6)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch, Q, prefetch_related_objects

from letterdesk.accounts.models import Employee
from letterdesk.lib.keyset import cursor_of, page_of

from ..models import Activity, Binding, Note, Record
from ..writing.whom import named, with_whom

PAGE = 50
MOST_WORDS = 10


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """What of the activities is asked for; what is empty or None asks for nothing. `until` is left out itself."""

    direction: str = ""
    kind: str = ""
    responsible: str = ""
    since: datetime | None = None
    until: datetime | None = None
    has_attachments: bool = False
    words: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """Activities of one conversation that stand together, newest first."""

    thread: int
    subject: str
    activities: list[Any]


def activity_page(employee: Employee, wanted: ActivityFilter, *, before: str = "") -> tuple[list[Any], str]:
    """A page of all activities within sight, newest first, each with the `bindings` that the reader may see (R8).

    Raises BadCursor.
    """
    found = _of_records(_filtered(Activity.objects.present(), wanted), employee, wanted)
    page, following = page_of(found, "received_at", before=before, limit=PAGE)
    return with_bindings(page, employee), following


def _filtered(found: Any, wanted: ActivityFilter) -> Any:
    if wanted.direction:
        found = found.filter(direction=wanted.direction)
    if wanted.since is not None:
        found = found.filter(received_at__gte=wanted.since)
    if wanted.until is not None:
        found = found.filter(received_at__lt=wanted.until)
    if wanted.has_attachments:
        found = found.filter(has_attachments=True)
    if wanted.words.strip():
        found = with_whom(found)
    for word in wanted.words.split()[:MOST_WORDS]:
        people = Q(from_name__icontains=word) | Q(from_address__icontains=word) | named(word)
        found = found.filter(Q(subject__icontains=word) | people)
    return found


def _of_records(found: Any, employee: Employee, wanted: ActivityFilter) -> Any:
    """Those within sight; kind and responsible ask of one and the same record."""
    found = found.visible_to(employee)
    if not wanted.kind and not wanted.responsible:
        return found
    records = Record.objects.visible_to(employee).present()
    if wanted.kind:
        records = records.filter(kind=wanted.kind)
    if wanted.responsible:
        records = records.filter(responsible__public_id=wanted.responsible)
    return found.filter(Exists(Binding.objects.filter(activity=OuterRef("pk"), record__in=records.values("pk"))))


def with_bindings(activities: list[Any], employee: Employee) -> list[Any]:
    """The same activities, with the bindings to records that the reader may see as `shown_bindings`, each with
    whether they `may_change` that record."""
    seen = Binding.objects.visible_to(employee).filter(record__deleted_at=None).with_may_change(employee)
    shown = seen.select_related("record").order_by("record__kind", "pk")
    prefetch_related_objects(activities, Prefetch("bindings", shown, to_attr="shown_bindings"))
    return activities


def record_page(record: Record, *, before: str = "") -> tuple[list[Any], str]:
    """A page of a record's timeline, newest first: bindings with their activities, notes and calls.

    Each of the two has a place of its own in the cursor, so nothing is lost where moments are equal. The caller has
    found the record by right. Raises BadCursor.
    """
    at_letters, _both, at_notes = before.partition("_")
    bindings = Binding.objects.filter(record=record, activity__deleted_at=None).select_related("activity")
    letters, more_letters = page_of(bindings, "received_at", before=at_letters, limit=PAGE)
    notes_here = Note.objects.present().filter(record=record).select_related("by")
    notes, more_notes = page_of(notes_here, "at", before=at_notes, limit=PAGE)
    page: list[Any] = sorted([*letters, *notes], key=_moment, reverse=True)
    shown = page[:PAGE]
    for each in shown:
        if isinstance(each, Note):
            at_notes = cursor_of(each.at, each.pk)
        else:
            at_letters = cursor_of(each.received_at, each.pk)
    is_more = bool(more_letters or more_notes) or len(page) > PAGE
    return shown, f"{at_letters}_{at_notes}" if is_more else ""


def _moment(each: Any) -> datetime:
    moment: datetime = each.at if isinstance(each, Note) else each.received_at
    return moment


def in_talks(entries: Iterable[Any]) -> list[Any]:
    """Activities and notes, newest first; the activities laid together by conversation as a `Talk`, which stands where
    its newest one does (R6)."""
    laid: list[Any] = []
    talks: dict[int, Talk] = {}
    for each in entries:
        if isinstance(each, Note):
            laid.append(each)
            continue
        if each.thread_id not in talks:
            talks[each.thread_id] = Talk(each.thread_id, each.subject, [])
            laid.append(talks[each.thread_id])
        talks[each.thread_id].activities.append(each)
    return laid


def latest_at(record_ids: Collection[int], *, most: int) -> list[Any]:
    """The newest activities at any of these records, each once; the caller has found the records by right."""
    bindings = Binding.objects.filter(activity=OuterRef("pk"), record__in=list(record_ids))
    return list(Activity.objects.present().filter(Exists(bindings)).order_by("-received_at", "-pk")[:most])
