"""Compares what can be found in CRM with what stands there, and sets it right; or writes all of it anew.

By pieces, each in a transaction of its own, so that people work meanwhile. What differs is looked at a second time
while nobody can change it: what somebody wrote between two looks is no difference.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Exists, Model, OuterRef, QuerySet

from letterdesk.accounts.models import Account
from letterdesk.events.record import record as tell

from ..models import Activity, FoundText, Note, Record
from ..records.fields import fields_seen
from .index import TEXTS, read, row_of_letter, row_of_note, rows_of_records, write

AT_ONCE = 500
READ_AT_ONCE = 50  # letters
COMPARED = ("account_id", "scope", *TEXTS)


Texts = Mapping[int, tuple[str, str]]


class Drift(NamedTuple):
    """How many rows were not there, said something else, or were of nothing."""

    missing: int = 0
    stale: int = 0
    orphaned: int = 0

    def __add__(self, other: Any) -> "Drift":
        return Drift(*map(sum, zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class Source:
    """What rows are of: the column of the row that names it, and how rows are made of it."""

    model: type[Model]
    column: str
    rows_of: Callable[[Sequence[int], Texts], list[FoundText]]  # with what was just read of letters, by key

    def there(self, keys: Sequence[int]) -> QuerySet[FoundText]:
        """The rows that are of these now."""
        rows = FoundText.objects.filter(**{f"{self.column}__in": keys})
        return rows.filter(note=None) if self.column == "record" else rows

    def keys(self, account_id: int, after: int, most: int) -> list[int]:
        """The next ones of an account, behind this key."""
        of = self.model._default_manager.filter(account=account_id, pk__gt=after).order_by("pk")
        return list(of.values_list("pk", flat=True)[:most])

    def hold(self, keys: Sequence[int]) -> list[int]:
        """Let nobody change these until the transaction ends; returns those that are still there."""
        held = self.model._default_manager.select_for_update().filter(pk__in=keys).order_by("pk")
        return list(held.values_list("pk", flat=True))


def check_piece(account_id: int, of: str, *, after: int = 0) -> tuple[int, Drift]:
    """Compare some rows of an account and set right what differs. `of`: a key of SOURCES.

    Returns the key behind which it goes on, 0: there is nothing more of these; and what was set right. Idempotent.
    """
    source = SOURCES[of]
    keys = source.keys(account_id, after, AT_ONCE)
    found = _repair(source, keys) if _differences(source, keys) else Drift()
    return (keys[-1] if len(keys) == AT_ONCE else 0), found


def following(of: str) -> str:
    """What is compared after these; "": that was all."""
    names = [*SOURCES, ""]
    return names[names.index(of) + 1]


def tell_of_search(account_id: int, drift: Drift) -> None:
    """Say what was set right in an account; nothing where all was right."""
    if any(drift):
        tell("search.repaired", account=Account.objects.get(pk=account_id), **drift._asdict())


def rebuild(account: Account) -> Iterator[int]:
    """Write all rows of an account anew, of letters from their bytes; yields how many, after each committed piece."""
    for source in SOURCES.values():
        after, most = 0, READ_AT_ONCE if source.model is Activity else AT_ONCE
        while keys := source.keys(account.pk, after, most):
            _renew(source, keys)
            yield len(keys)
            after = keys[-1]


def unfindable() -> int:
    """How many records have no row at all, in all accounts."""
    rows = FoundText.objects.filter(record=OuterRef("pk"), note=None)
    return Record.objects.filter(~Exists(rows)).count()


def unread() -> int:
    """How many letters are found by their head alone so far."""
    return FoundText.objects.filter(is_whole=False).count()


def _renew(source: Source, keys: Sequence[int]) -> None:
    texts = read(Activity.objects.filter(pk__in=keys)) if source.model is Activity else {}
    with transaction.atomic():
        wanted = source.rows_of(source.hold(keys), texts)
        source.there(keys).exclude(pk__in=[row.position for row in wanted]).delete()
        write(wanted, anew=True)


@transaction.atomic
def _repair(source: Source, keys: Sequence[int]) -> Drift:
    held = source.hold(keys)
    different = _differences(source, held)
    FoundText.objects.filter(pk__in=[before.pk for before, after in different if before and not after]).delete()
    write([after for _before, after in different if after is not None])
    kinds = [_kind(before, after) for before, after in different]
    return Drift(*map(kinds.count, ("missing", "stale", "orphaned")))


def _kind(before: FoundText | None, after: FoundText | None) -> str:
    return "missing" if before is None else "orphaned" if after is None else "stale"


def _differences(source: Source, keys: Sequence[int]) -> list[tuple[FoundText | None, FoundText | None]]:
    """Each row as it is, and as it ought to be; None: not at all."""
    now = {row.position: row for row in source.there(keys).defer("vector")}
    wanted = {row.position: row for row in source.rows_of(keys, {})}
    pairs = [(now.get(position), wanted.get(position)) for position in now.keys() | wanted.keys()]
    return [(before, after) for before, after in pairs if before is None or after is None or _differ(before, after)]


def _differ(one: FoundText, other: FoundText) -> bool:
    return any(getattr(one, name) != getattr(other, name) for name in COMPARED)


def _rows_of_records(keys: Sequence[int], _texts: Texts) -> list[FoundText]:
    found = Record.objects.filter(pk__in=keys).select_related("responsible", "stage", "company", "contact")
    return rows_of_records([(each, fields_seen(each)) for each in found.prefetch_related("addresses", "phones")])


def _rows_of_notes(keys: Sequence[int], _texts: Texts) -> list[FoundText]:
    return [row_of_note(each) for each in Note.objects.filter(pk__in=keys, deleted_at=None)]


def _rows_of_letters(keys: Sequence[int], texts: Texts) -> list[FoundText]:
    """With the text that stands in the index where it was not just read: only the bytes say what it ought to be."""
    whole = FoundText.objects.filter(activity__in=keys, is_whole=True).values_list("activity", "body", "files")
    before = {activity: (body, files) for activity, body, files in whole}
    letters = Activity.objects.filter(pk__in=keys)
    return [row_of_letter(each, texts.get(each.pk) or before.get(each.pk)) for each in letters]


SOURCES = {
    "records": Source(Record, "record", _rows_of_records),
    "notes": Source(Note, "note", _rows_of_notes),
    "letters": Source(Activity, "activity", _rows_of_letters),
}
