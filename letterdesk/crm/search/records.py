"""Finds records as the search field finds letters in Webmail: the same language on both databases.

By right alone (P9): a record is found by its own words, its notes and labels, and by the names of its company and
contact, as far as the reader may see these.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Substr

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.search.filters import IN_CRM
from letterdesk.mailboxes.search.index import full_text
from letterdesk.mailboxes.search.marks import Highlighter, Marked
from letterdesk.mailboxes.search.query import And, Condition, Node, Not, Or, Text, positive_texts
from letterdesk.mailboxes.search.text import prepare, words
from letterdesk.mailboxes.search.text import shown as as_shown

from ..models import FoundText, Kind, Label, Labelled, LetterCopy, Record
from .index import scope_of_records
from .parts import Asked, asked_of_records

TABLE = "crm_foundtext"
RECORD_KEY = "(-{position}) >> 31"
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
    """Records that fit. `tree`: as `parse_query` made it. At most five queries."""
    asked = asked_of_records(tree)
    found = list(_that_fit(employee, asked.tree)[offset : offset + most + 1])
    shown = found[:most]
    texts = _texts_of(shown, asked.tree) if shown and asked.tree is not None else {}
    marker = Highlighter(tree)
    marked = [
        FoundRecord(each, marker.mark(each.name, "sender"), marker.excerpt(as_shown(texts.get(each.pk, "")), "body"))
        for each in shown
    ]
    return FoundRecords(marked, len(found) > most, asked)


def names_by_words(employee: Employee, typed: str, *, most: int) -> list[Record]:
    """Records that have words beginning so, without what belongs to them: for a list that is typed into."""
    texts = tuple(Text(word, is_prefix=True) for word in words(prepare(typed))[:10])
    return list(records_that_fit(employee, And(texts))[:most]) if texts else []


def records_that_fit(employee: Employee, tree: Node) -> QuerySet[Any]:
    """Records that fit, in the same order, with stage; none where the query asks for what they do not have."""
    return _that_fit(employee, asked_of_records(tree).tree)


def _that_fit(employee: Employee, tree: Node | None) -> QuerySet[Any]:
    if tree is None:
        return Record.objects.none()
    found: QuerySet[Any] = Record.objects.visible_to(employee).present().filter(_Records(employee).fits(tree))
    return found.select_related("stage").prefetch_related("addresses").order_by("-active_at", "-pk")


def letters_at(employee: Employee, kind: str, text: Text) -> Q:
    """Letters in Webmail that stand at records of this kind that have these words: `contact:`, `deal:` and so on."""
    records = records_that_fit(employee, Condition(kind, text)).order_by().values("pk")
    there = LetterCopy.objects.filter(activity__deleted_at=None, activity__bindings__record__in=records)
    return Q(blob__in=there.values("blob"), in_crm=True)  # the same bytes are the same letter, in whatever mailbox


class _Records:
    """What a query means for records, for one reader."""

    def __init__(self, employee: Employee) -> None:
        self.employee = employee
        self.scope = [scope_of_records(employee.account_id)]
        self.labels: list[tuple[int, str]] | None = None

    def fits(self, node: Node) -> Q:
        match node:
            case Text(_, "") | Text(_, "sender"):
                return Q(pk__in=self._with(node)) if node.field else self._anywhere(node)
            case Condition("label", str(name)):
                key = " ".join(name.split()).casefold()
                return Q(Exists(Labelled.objects.filter(record=OuterRef("pk"), label__key=key)))
            case Condition("in", str(place)) if place.lower() == IN_CRM:
                return Q(account=self.employee.account_id)
            case Condition(kind, Text() as text) if kind in Kind.values:
                return Q(kind=kind) & self.fits(text)
            case Not(part):
                return ~self.fits(part)
            case And(parts) | Or(parts):
                return reduce(and_ if isinstance(node, And) else or_, map(self.fits, parts))
        raise TypeError(f"{node} is no part of a search for records")

    def _anywhere(self, text: Text) -> Q:
        """In the record and its notes, or as a label, or in the name of its company or contact."""
        seen = Record.objects.visible_to(self.employee).present()
        named = seen.filter(pk__in=self._with(Text(text.text, "subject", is_prefix=text.is_prefix)))
        mine = Record.objects.filter(account=self.employee.account_id)
        ways = [mine.filter(company__in=named.values("pk")), mine.filter(contact__in=named.values("pk"))]
        if labels := self._labels(text):
            ways.append(mine.filter(Exists(Labelled.objects.filter(record=OuterRef("pk"), label__in=labels))))
        found = Q(pk__in=self._with(text))
        return reduce(or_, (Q(pk__in=way.values("pk")) for way in ways), found)

    def _with(self, text: Text) -> Any:
        return full_text.keys(full_text.within(text, self.scope), table=TABLE, key=RECORD_KEY)

    def _labels(self, text: Text) -> list[int]:
        """Labels of the account that have these words; they are read once."""
        if self.labels is None:
            known = Label.objects.visible_to(self.employee).values_list("pk", "name")
            self.labels = [(key, f" {' '.join(words(prepare(name)))} ") for key, name in known]
        wanted = f" {' '.join(words(prepare(text.text)))} "
        return [key for key, name in self.labels if (wanted.rstrip() if text.is_prefix else wanted) in name]


def _texts_of(records: Sequence[Record], tree: Node) -> dict[int, str]:
    """By record a text that has some of the words: its own, or else that of its newest note that has."""
    texts = tuple(positive_texts(tree))
    if not texts:
        return {}
    scope = [scope_of_records(records[0].account_id)]
    fitting = full_text.keys(full_text.within(Or(texts), scope), table=TABLE, key="{position}")
    rows = FoundText.objects.filter(record__in=[each.pk for each in records], position__in=fitting)
    found: dict[int, str] = {}
    columns = rows.order_by("position").values_list("record", "note", Substr("body", 1, READ_FOR_EXCERPT))
    for record, note, body in columns[:MOST_TEXTS]:
        found[record] = found.get(record, body) if note else body
    return found
