"""Which records have a text: all of them where they are few, else those of some that are looked at."""

from collections.abc import Collection, Iterable
from itertools import islice
from typing import Any

from django.db.models import Q
from django.db.models.expressions import RawSQL

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.search.index import full_text
from letterdesk.mailboxes.search.query import Text

from ..models import Labelled, Record
from .meaning import RECORD_KEY, TABLE, Meaning, expression_of, in_name

FEW = 4_000  # rows that have a text; records within sight
ALL = 1_000_000_000


class ByWords(Meaning):
    """What a query means for the records that are looked at, its texts asked of the index one by one, once."""

    def __init__(self, employee: Employee) -> None:
        super().__init__(employee, self._of)
        self._rows: dict[Text, list[int] | None] = {}
        self._known: dict[Text, set[int] | None] = {}
        self._at: frozenset[int] | None = None

    def look_at(self, keys: Collection[int]) -> None:
        """From now on conditions hold for these records alone; `keys`: with those of their companies and contacts."""
        self._at = frozenset(keys)

    def known(self, text: Text) -> set[int] | None:
        """The keys of all records that a text fits, whoever may see them; None: they are many."""
        if text not in self._known:
            self._known[text] = self._all_with(text)
        return self._known[text]

    def anywhere(self, text: Text) -> Q:
        """As of `Meaning`."""
        known = self.known(text)
        return super().anywhere(text) if known is None else Q(pk__in=written_out(known))

    def _all_with(self, text: Text) -> set[int] | None:
        own, named = self._few_rows(text), [] if text.field else self._few_rows(in_name(text))
        if own is None or named is None:
            return None
        found = set(own)
        for more in [] if text.field else [self._beside(named), self._labelled(text)]:
            found |= more
            if len(more) > FEW:
                return None
        return found

    def _beside(self, named: Collection[int]) -> set[int]:
        """Records whose company or contact is one of these that the reader sees; no more than a few and one."""
        if not named:
            return set()
        seen = Record.objects.visible_to(self.employee).present().filter(pk__in=written_out(named))
        keys = written_out(seen.values_list("pk", flat=True))
        of_company, of_contact = (
            Record.objects.filter(**{f"{beside}__in": keys}).values_list("pk", "account")
            for beside in ("company", "contact")
        )
        found: Any = of_company.union(of_contact)  # as alternatives SQLite reads all records of the account
        return {pk for pk, account in found[: FEW + 1] if account == self.employee.account_id}

    def _labelled(self, text: Text) -> set[int]:
        labels = self.labels_with(text)
        rows: Any = Labelled.objects.filter(label__in=labels).values_list("record", flat=True) if labels else ()
        return set(islice(rows, FEW + 1))

    def _of(self, text: Text) -> Any:
        keys = self._few_rows(text)
        if keys is None:
            keys = self._ask(text, most=ALL, of=self._at or ())
        return written_out(keys if self._at is None else self._at.intersection(keys))

    def _few_rows(self, text: Text) -> list[int] | None:
        """The records of all rows that have it; None: they are many."""
        if text not in self._rows:
            found = self._ask(text, most=FEW + 1) if self._may_be(text) else []
            self._rows[text] = None if len(found) > FEW else found
        return self._rows[text]

    def _may_be(self, text: Text) -> bool:
        """What nobody has anywhere stands in no name."""
        return text.field != "subject" or self._rows.get(Text(text.text, is_prefix=text.is_prefix)) != []

    def _ask(self, text: Text, *, most: int, of: Collection[int] | None = None) -> list[int]:
        expression = expression_of(text, self.employee.account_id)
        asked = {"table": TABLE, "key": RECORD_KEY, "column": "record_id", "most": most, "of": of}
        keys: list[int] = full_text.some_keys(expression, **asked)
        return keys


def written_out(keys: Iterable[int]) -> Any:
    """Keys as `pk__in` takes them, however many: a statement takes so many parameters only."""
    written = ", ".join(map(str, sorted(set(keys))))
    return RawSQL(written, []) if written else []  # noqa: S611  our own numbers
