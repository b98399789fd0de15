"""Walks through the records that fit, what was active last first, no further than somebody asks.

A text that few records have is asked of the index, and these are put in order. One that many have is found soon among
those that were active last: they are looked at by chunks, each asked for its words (`words.py`). So neither costs what
all hits of a common word do, which the index hands out in an order of its own; these are put in order only where the
first records do not fill the page.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.search.query import And, Condition, Node, Not, Or, Text

from ..models import Kind, Record
from .meaning import Meaning, everywhere
from .words import FEW, ByWords

FIRST_CHUNK, LONGEST_CHUNK = 400, 1_600  # records that are looked at together
LOOKED_AT = 3_000
LOOKED_FOR = ("pk", "active_at", "company", "contact")
AS_TEXT = Cast("active_at", TextField())  # in the same order; moments are a third of the work where thousands are read
MOST_TEXTS = 8  # of a query: more are not asked one by one


class Walk:
    """Through the records that fit, for one reader."""

    def __init__(self, employee: Employee, tree: Node) -> None:
        self.tree = tree
        self._texts = list(_texts_of(tree))
        self._by_words = ByWords(employee)
        self._whole = Meaning(employee, everywhere(employee.account_id))
        self._seen: QuerySet[Any] = Record.objects.visible_to(employee).present().order_by("-active_at", "-pk")

    def keys(self, most: int) -> Iterator[int]:
        """Their keys, `most` of them at most."""
        if len(self._texts) > MOST_TEXTS:
            return iter(_keys(self._seen.filter(self._whole.fits(self.tree)), most))
        is_known = all(self._by_words.known(text) is not None for text in self._texts)
        few = self._by_words.fits(self.tree) if is_known else self._few(self.tree)
        rows = self._seen if few is None else self._seen.filter(few)
        found = list(rows.order_by().annotate(at=AS_TEXT).values_list("pk", "at", "company", "contact")[: FEW + 1])
        if len(found) > FEW:
            return iter(_keys(rows, most)) if is_known else self._by_chunks(rows, most)
        found.sort(key=lambda row: (row[1], row[0]), reverse=True)
        return (pk for pk, *_rest in found) if is_known else self._in_order(found)

    def _in_order(self, rows: Sequence[tuple[Any, ...]]) -> Iterator[int]:
        for start, end in pairwise((0, FIRST_CHUNK, max(FIRST_CHUNK, len(rows)))):
            yield from self._fitting(rows[start:end])

    def _by_chunks(self, rows: QuerySet[Any], most: int) -> Iterator[int]:
        place, chunk, looked_at = Q(), FIRST_CHUNK, 0
        while looked_at < LOOKED_AT:
            found = list(rows.filter(place).values_list(*LOOKED_FOR)[:chunk])
            yield from self._fitting(found)
            if len(found) < chunk:
                return
            pk, active_at = found[-1][:2]
            place = Q(active_at__lte=active_at) & (Q(active_at__lt=active_at) | Q(pk__lt=pk))
            looked_at, chunk = looked_at + chunk, min(chunk * 4, LONGEST_CHUNK)
        yield from _keys(rows.filter(place, self._whole.fits(self.tree)), most)

    def _fitting(self, rows: Sequence[tuple[Any, ...]]) -> list[int]:
        if not rows:
            return []
        keys = [pk for pk, *_rest in rows]
        self._by_words.look_at({*keys, *(each for _pk, _at, *beside in rows for each in beside if each)})
        fitting = Record.objects.filter(self._by_words.fits(self.tree), pk__in=keys)
        fit = set(fitting.values_list("pk", flat=True))
        return [key for key in keys if key in fit]

    def _few(self, node: Node) -> Q | None:
        """A condition that all that fit meet and few records do; None: no part says so."""
        match node:
            case Text():
                return None if self._by_words.known(node) is None else self._by_words.fits(node)
            case Condition(kind, Text() as text) if kind in Kind.values:
                return self._few(text)
            case And(parts):
                return next((few for part in parts if (few := self._few(part)) is not None), None)
            case Or(parts):
                few_of_each = [few for part in parts if (few := self._few(part)) is not None]
                return reduce(or_, few_of_each) if len(few_of_each) == len(parts) else None
        return None


def _keys(records: QuerySet[Any], most: int) -> list[int]:
    return list(records.values_list("pk", flat=True)[:most])


def _texts_of(node: Node) -> Iterator[Text]:
    """All texts, also those that must not be there."""
    match node:
        case Text():
            yield node
        case Condition(_, Text() as text):
            yield text
        case Not(part):
            yield from _texts_of(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _texts_of(part)
