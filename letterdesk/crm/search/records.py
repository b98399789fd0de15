"""Finds records as the search field finds letters in Webmail: the same language on both databases.

By right alone (P9): a record is found by its own words, its notes and labels, and by the names of its company and
contact, as far as the reader may see these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Substr

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.search.marks import Highlighter, Marked
from letterdesk.mailboxes.search.query import And, Node, Text
from letterdesk.mailboxes.search.text import prepare, words
from letterdesk.mailboxes.search.text import shown as as_shown

from ..models import FoundText, Record
from .meaning import Meaning, everywhere
from .parts import Asked, asked_of_records
from .walk import Walk

READ_FOR_EXCERPT = 20_000  # characters of a text
MOST_TEXTS = 500  # texts of one page that are looked through for their words


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record that was found, with its words marked in its name and in a text of it or of its notes."""

    record: Record
    name: Marked
    excerpt: Marked


@dataclass(frozen=True, slots=True)
class FoundRecords:
    """One page of them, what was active last first; `more`: another page follows; `asked`: as of `search_parts`."""

    records: list[FoundRecord]
    more: bool
    asked: Asked


def find_records(employee: Employee, tree: Node | None, *, most: int, offset: int = 0) -> FoundRecords:
    """Records that fit. `tree`: as `parse_query` made it."""
    asked = asked_of_records(tree)
    found = _first(employee, asked.tree, offset=offset, most=most + 1)
    shown = found[:most]
    marker = Highlighter(tree)
    excerpts, nothing = _excerpts(shown, marker) if shown else {}, marker.excerpt("", "body")
    marked = [FoundRecord(each, marker.mark(each.name, "sender"), excerpts.get(each.pk, nothing)) for each in shown]
    return FoundRecords(marked, len(found) > most, asked)


def names_by_words(employee: Employee, typed: str, *, most: int) -> list[Record]:
    """Records that have words beginning so, without what belongs to them: for a list that is typed into."""
    texts = tuple(Text(word, is_prefix=True) for word in words(prepare(typed))[:10])
    return _first(employee, And(texts), offset=0, most=most) if texts else []


def records_that_fit(employee: Employee, tree: Node) -> QuerySet[Any]:
    """Records that fit, for a condition; none where the query asks for what they do not have."""
    asked = asked_of_records(tree)
    if asked.tree is None:
        return Record.objects.none()
    fits = Meaning(employee, everywhere(employee.account_id)).fits(asked.tree)
    found: QuerySet[Any] = Record.objects.visible_to(employee).present().filter(fits)
    return found


def _first(employee: Employee, tree: Node | None, *, offset: int, most: int) -> list[Record]:
    """At most so many that fit, from a place on, what was active last first, with stage and addresses."""
    if tree is None:
        return []
    keys = list(islice(Walk(employee, tree).keys(offset + most), offset, offset + most))
    rows = Record.objects.visible_to(employee).select_related("stage").prefetch_related("addresses").in_bulk(keys)
    return [rows[key] for key in keys if key in rows]


def _excerpts(records: Sequence[Record], marker: Highlighter) -> dict[int, Marked]:
    """By record its own text with the words marked, or else that of its newest note that has some."""
    rows = FoundText.objects.filter(record__in=[each.pk for each in records]).order_by("position")
    found: dict[int, Marked] = {}
    for record, note, body in rows.values_list("record", "note", Substr("body", 1, READ_FOR_EXCERPT))[:MOST_TEXTS]:
        excerpt = marker.excerpt(as_shown(body), "body")
        if excerpt.ranges and (note is None or record not in found):
            found[record] = excerpt
    return found
