"""What a query means for records, as a condition, for one reader (P9)."""

from collections.abc import Callable
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Exists, OuterRef, Q

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.search.filters import IN_CRM
from letterdesk.mailboxes.search.index import full_text
from letterdesk.mailboxes.search.query import And, Condition, Node, Not, Or, Text
from letterdesk.mailboxes.search.text import prepare, words

from ..models import Kind, Label, Labelled, Record
from .index import scope_of_records

TABLE = "crm_foundtext"
RECORD_KEY = "(-{position}) >> 31"

With = Callable[[Text], Any]  # the keys of records that have a text in their words: what `pk__in` takes


def everywhere(account_id: int) -> With:
    """All that have a text, as a sub-select."""
    return lambda text: full_text.keys(expression_of(text, account_id), table=TABLE, key=RECORD_KEY)


def expression_of(node: Node, account_id: int) -> str:
    """What the full-text index is asked for records of an account (P9)."""
    return str(full_text.within(node, [scope_of_records(account_id)]))


def label_key(name: str) -> str:
    """A label's name as labels are compared."""
    return " ".join(name.split()).casefold()


class Meaning:
    """Conditions on records. `having`: which records have a text."""

    def __init__(self, employee: Employee, having: With) -> None:
        self.employee, self.having = employee, having
        self.labels: list[tuple[int, str]] | None = None

    def fits(self, node: Node) -> Q:
        """The condition that a query, of parts that records have, stands for."""
        match node:
            case Text(_, "") | Text(_, "sender"):
                return Q(pk__in=self.having(node)) if node.field else self.anywhere(node)
            case Condition("label", str(name)):
                return Q(Exists(Labelled.objects.filter(record=OuterRef("pk"), label__key=label_key(name))))
            case Condition("in", str(place)) if place.lower() == IN_CRM:
                return Q(account=self.employee.account_id)
            case Condition(kind, Text() as text) if kind in Kind.values:
                return Q(kind=kind) & self.fits(text)
            case Not(part):
                return ~self.fits(part)
            case And(parts) | Or(parts):
                return reduce(and_ if isinstance(node, And) else or_, map(self.fits, parts))
        raise TypeError(f"{node} is no part of a search for records")

    def anywhere(self, text: Text) -> Q:
        """In the record and its notes, or as a label, or in the name of its company or contact."""
        seen = Record.objects.visible_to(self.employee).present()
        named = seen.filter(pk__in=self.having(in_name(text)))
        mine = Record.objects.filter(account=self.employee.account_id)
        ways = [mine.filter(company__in=named.values("pk")), mine.filter(contact__in=named.values("pk"))]
        if labels := self.labels_with(text):
            ways.append(mine.filter(Exists(Labelled.objects.filter(record=OuterRef("pk"), label__in=labels))))
        found = Q(pk__in=self.having(text))
        return reduce(or_, (Q(pk__in=way.values("pk")) for way in ways), found)

    def labels_with(self, text: Text) -> list[int]:
        """Labels of the account that have these words; they are read once."""
        if self.labels is None:
            known = Label.objects.visible_to(self.employee).values_list("pk", "name")
            self.labels = [(key, f" {' '.join(words(prepare(name)))} ") for key, name in known]
        wanted = f" {' '.join(words(prepare(text.text)))} "
        return [key for key, name in self.labels if (wanted.rstrip() if text.is_prefix else wanted) in name]


def in_name(text: Text) -> Text:
    """The same words, but in a record's name alone."""
    return Text(text.text, "subject", is_prefix=text.is_prefix)
