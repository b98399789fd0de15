"""Letters that stand at the records which `contact:`, `company:`, `lead:` and `deal:` name.

Where few records have the words, these are read first, and letters are asked by their keys: in one statement
PostgreSQL took the records for more than there were, or for fewer, and read all letters. Where many have them, the
letters that are looked at tell their records, which are asked for the words.
"""

from collections.abc import Collection, Iterator
from typing import Any

from django.db.models import Exists, OuterRef, Q

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.search.query import And, Condition, Node, Not, Or, Text

from ..models import Binding, LetterCopy, Record
from .records import records_that_fit
from .words import ByWords, written_out

FEW = 2_000  # letters


class AtRecords:
    """Conditions on letters, for one reader: at which records that the reader sees they stand (P9)."""

    def __init__(self, employee: Employee) -> None:
        self._employee, self._by_words = employee, ByWords(employee)
        self._pairs: list[tuple[int, int]] = []  # activity and record, of those that are looked at
        self._known: dict[Condition, tuple[Q, list[int] | None]] = {}

    def is_known(self, node: Node) -> bool:
        """Whether it holds for all letters, not for those alone that are looked at."""
        return all(self._has_few(asked) for asked in _conditions(node))

    def look_at(self, activities: Collection[int]) -> None:
        """From now on what is not known of all holds for these."""
        self._pairs = list(Binding.objects.filter(activity__in=activities).values_list("activity", "record"))
        rows = Record.objects.filter(pk__in=written_out(record for _activity, record in self._pairs))
        beside = rows.values_list("pk", "company", "contact")
        self._by_words.look_at({key for row in beside for key in row if key} if self._pairs else ())

    def fits(self, asked: Condition) -> Q:
        """Letters at records of the kind that have the words."""
        if not self._has_few(asked):
            fitting = self._records(asked, among=(record for _activity, record in self._pairs))
            return Q(pk__in=[activity for activity, record in self._pairs if record in fitting])
        return self._of_all(asked)[0]

    def few(self, asked: Condition) -> list[int] | None:
        """The keys of the letters there, seen or not, where they are few and it is known; else None."""
        return self._of_all(asked)[1] if self._has_few(asked) else None

    def in_webmail(self, asked: Condition) -> Q:
        """The same of letters in Webmail: the same bytes are the same letter, in whatever mailbox."""
        few = self._has_few(asked)
        records: Any = (
            written_out(self._records(asked)) if few else records_that_fit(self._employee, asked).values("pk")
        )
        there = LetterCopy.objects.filter(activity__deleted_at=None, activity__bindings__record__in=records)
        return Q(blob__in=there.values("blob"), in_crm=True)

    def _of_all(self, asked: Condition) -> tuple[Q, list[int] | None]:
        if asked not in self._known:
            there = Binding.objects.filter(record__in=written_out(self._records(asked)))
            few = list(there.values_list("activity", flat=True)[: FEW + 1])
            is_few = len(few) <= FEW
            condition = Q(pk__in=few) if is_few else Q(Exists(there.filter(activity=OuterRef("pk"))))
            self._known[asked] = condition, few if is_few else None
        return self._known[asked]

    def _has_few(self, asked: Condition) -> bool:
        return isinstance(asked.value, Text) and self._by_words.known(asked.value) is not None

    def _records(self, asked: Condition, *, among: Any = None) -> set[int]:
        """Keys of the records that fit; `among`: of these, which are looked at."""
        seen = Record.objects.visible_to(self._employee).present().filter(self._by_words.fits(asked))
        if among is not None:
            seen = seen.filter(pk__in=written_out(among))
        return set(seen.values_list("pk", flat=True))


def letters_at(employee: Employee, kind: str, text: Text) -> Q:
    """Letters in Webmail that stand at records of this kind that have these words."""
    return AtRecords(employee).in_webmail(Condition(kind, text))


def _conditions(node: Node) -> Iterator[Condition]:
    """Those that ask for records."""
    match node:
        case Condition(_, Text()):
            yield node
        case Not(part):
            yield from _conditions(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from _conditions(part)
