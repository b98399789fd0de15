"""In which order a list of records stands: one that a person chose, by a column that all have or by an own field.

Equal ones stand in the order in which they were made, and what says nothing comes last, either way.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Field, FilteredRelation, IntegerField, Model, Q, Value, When

from letterdesk.accounts.models import Employee
from letterdesk.lib.keyset import Order

from ..models import Kind, OwnField, OwnOption, OwnType, OwnValue, Record, Stage
from .fields import STAGED

COLUMNS = {"name": "name_key", "active": "active_at", "created": "created_at", "amount": "amount"}
LATEST_FIRST = {"active", "created", "amount"}  # what one wants to see first of it
UNSORTED = {OwnType.LONG, OwnType.CHOICES}
OWN_COLUMNS = {
    OwnType.TEXT: "text_key", OwnType.LINK: "text_key", OwnType.NUMBER: "number", OwnType.MONEY: "number",
    OwnType.DATE: "day", OwnType.YES_NO: "is_true",
}  # fmt: skip
_RANK = IntegerField()


@dataclass(frozen=True, slots=True)
class Sort:
    """A list's order. `by`: a column (`sorts_of`), or the own field by which it stands."""

    by: str | OwnField = "active"
    is_descending: bool = True


LATEST = Sort()


def sorts_of(kind: str) -> list[str]:
    """By what every record of a kind can be put in order, beside its own fields."""
    of_stages = ["stage"] if kind in STAGED else []
    return ["name", *of_stages, *(["amount"] if kind == Kind.DEAL else []), "responsible", "created", "active"]


def is_sortable(field: OwnField) -> bool:
    """Whether what a field holds has an order: long texts and several options have none."""
    return field.type not in UNSORTED


def ordered_by(records: Any, sort: Sort, *, kind: str, employee: Employee) -> tuple[Any, Order]:
    """The same records with what they are put in order by, and the order."""
    if isinstance(sort.by, OwnField):
        return _by_own(records, sort.by, is_descending=sort.is_descending)
    if sort.by == "stage":
        return _by_stage(records, kind, employee, is_descending=sort.is_descending)
    if sort.by == "responsible":
        return records, Order("responsible__name", _field(Employee, "name"), is_descending=sort.is_descending)
    column, may_be_empty = COLUMNS[sort.by], sort.by == "amount"
    return records, Order(column, _field(Record, column), is_descending=sort.is_descending, may_be_empty=may_be_empty)


def _by_stage(records: Any, kind: str, employee: Employee, *, is_descending: bool) -> tuple[Any, Order]:
    """As stages follow each other in the pipelines."""
    stages = Stage.objects.filter(account=employee.account_id).of_kind(kind)
    places = [When(stage=pk, then=Value(place)) for place, pk in enumerate(stages.values_list("pk", flat=True))]
    ranked = records.annotate(rank=Case(*places, output_field=_RANK))
    return ranked, Order("rank", _RANK, is_descending=is_descending, may_be_empty=True)


def _by_own(records: Any, field: OwnField, *, is_descending: bool) -> tuple[Any, Order]:
    """By one row of each record (docs/decisions/0034), options as the field has them."""
    said = FilteredRelation("own_values", condition=Q(own_values__field=field.pk))
    joined = records.annotate(said=said)
    if field.type == OwnType.CHOICE:
        holds, column, key = _field(OwnOption, "position"), "said__option__position", "pk"
    else:
        name = OWN_COLUMNS[OwnType(field.type)]
        holds, column, key = _field(OwnValue, name), f"said__{name}", "said__record"
    return joined, Order(column, holds, is_descending=is_descending, may_be_empty=True, key=key)


def _field(model: type[Model], name: str) -> "Field[Any, Any]":
    found: Field[Any, Any] = model._meta.get_field(name)  # type: ignore[assignment]  # none of these is a reverse one
    return found
