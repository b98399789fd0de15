"""How a list of records looks: its order and its columns. Both stand in the address, and so in views; columns that
somebody chose beside a view are remembered on this device, a choice for each kind of record."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import prefetch_related_objects
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from letterdesk.crm.models import Kind, OwnField, OwnType
from letterdesk.crm.own.said import NOTHING, Shown, said_in
from letterdesk.crm.own.values import load_own
from letterdesk.crm.records.fields import REACHED, STAGED
from letterdesk.crm.records.order import LATEST, LATEST_FIRST, Sort, is_sortable, sorts_of
from letterdesk.web.crm.own_form import name_of
from letterdesk.web.crm.words import KindWords
from letterdesk.web.request import Request

A_YEAR = 31_536_000
NAME = "name"  # always shown; in an address, that columns were chosen, be it none
NUMBERS = {OwnType.NUMBER, OwnType.MONEY}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what it is called, and the address that puts the list in its order, empty where it has none.

    `order`: ascending, descending, none; `field`: the own field that it shows.
    """

    key: str
    label: str
    address: str = ""
    order: str = "none"
    is_number: bool = False
    field: OwnField | None = None


def sort_of(asked: QueryDict, kind: str, own: Sequence[OwnField]) -> Sort:
    """The order that an address asks for; what makes no sense is left out."""
    said = asked.get("sort", "")
    key, is_descending = said.removeprefix("-"), said.startswith("-")
    if key in sorts_of(kind):
        return Sort(key, is_descending)
    field = next((each for each in own if name_of(each) == key and is_sortable(each)), None)
    return Sort(field, is_descending) if field else LATEST


def sort_asked(sort: Sort) -> dict[str, str]:
    """The part of an address that asks for an order; nothing for the usual one."""
    if sort == LATEST:
        return {}
    key = name_of(sort.by) if isinstance(sort.by, OwnField) else sort.by
    return {"sort": f"-{key}" if sort.is_descending else key}


def columns_asked(request: Request) -> dict[str, list[str]]:
    """The part of an address that names columns."""
    named = [each[:24] for each in request.GET.getlist("column")]
    return {"column": named} if named else {}


def columns_kept(request: Request, words: KindWords) -> dict[str, list[str]]:
    """The same with columns that were chosen on this device: for a view that is made of what is seen."""
    chosen = request.COOKIES.get(_cookie(words), "").split()
    return columns_asked(request) or ({"column": chosen} if chosen else {})


def chosen_columns(request: Request, words: KindWords) -> HttpResponse | None:
    """Of an address in which somebody chose columns (`columns`: here, device, usual): on to the list with them."""
    how = request.GET.get("columns")
    if how is None:
        return None
    rest = request.GET.copy()
    named = [NAME, *(each[:24] for each in rest.getlist("column") if each != NAME)]
    for key in ("columns", "column"):
        rest.pop(key, None)
    if how == "here":
        rest.setlist("column", named)
    answer = redirect(f"{request.path}?{rest.urlencode()}".removesuffix("?"))
    if how == "device":
        answer.set_cookie(_cookie(words), " ".join(named), max_age=A_YEAR, samesite="Lax", httponly=True)
    elif how == "usual":
        answer.delete_cookie(_cookie(words), samesite="Lax")
    return answer


def column_facts(
    request: Request, words: KindWords, own: Sequence[OwnField], *, sort: Sort, asked: dict[str, Any]
) -> dict[str, Any]:
    """What a list shows of its columns: those that it has, all that it could have, and in what order it stands.

    `asked`: all that the list's address asks for.
    """
    every = _columns(words.kind, own)
    kept = columns_kept(request, words)
    shown = kept["column"] if kept else _usual(own)
    rest = {name: value for name, value in asked.items() if name != "sort"}
    heads = [_head(column, sort, rest, words.kind) for column in every if column.key in {NAME, *shown}]
    return {
        "columns": heads,
        "all_columns": [(column.key, column.label, column.key in shown) for column in every if column.key != NAME],
        "columns_in_address": (in_address := columns_asked(request).get("column", [])),
        "columns_go": "here" if in_address else "device",
        "is_sorted": sort != LATEST,
        "sort": sort_asked(sort).get("sort", ""),
    }


def with_cells(page: list[Any], columns: Sequence[Column]) -> list[Any]:
    """Each record with `cells`, its columns and what own fields say there; a query for all, and one for telephones."""
    fields = [column.field for column in columns if column.field]
    load_own(page, fields)
    if any(column.key == "phone" for column in columns):
        prefetch_related_objects(page, "phones")
    for record in page:
        said = said_in(record.own_values.all()) if fields else {}
        record.cells = [
            (column, Shown(column.field, said.get(column.field.pk, NOTHING)) if column.field else None)
            for column in columns
            if column.key != NAME
        ]
    return page


def _columns(kind: str, own: Sequence[OwnField]) -> list[Column]:
    """Every column that a kind of record can have, as they stand from the left."""
    found = [Column(NAME, _("Name"))]
    if kind == Kind.CONTACT:
        found.append(Column("position", _("Position")))
    if kind in REACHED:
        found.append(Column("phone", _("Telephone")))
    if kind in STAGED:
        found.append(Column("stage", _("Stage")))
    if kind == Kind.DEAL:
        found.append(Column("amount", _("Amount"), is_number=True))
    found.append(Column("labels", _("Labels")))
    found += [Column(name_of(each), each.name, is_number=each.type in NUMBERS, field=each) for each in own]
    last = (("source", _("Source")), ("responsible", _("Responsible")), ("created", _("Made")))
    return [*found, *(Column(*each) for each in last), Column("active", _("Last activity"))]


def _usual(own: Sequence[OwnField]) -> list[str]:
    """The columns that a list has until somebody chooses others."""
    return ["stage", "amount", "labels", *(name_of(each) for each in own if each.is_listed), "responsible", "active"]


def _head(column: Column, sort: Sort, rest: dict[str, Any], kind: str) -> Column:
    by = column.field or column.key
    if not (is_sortable(column.field) if column.field else column.key in sorts_of(kind)):
        return column
    is_now = by == sort.by
    turned = Sort(by, not sort.is_descending if is_now else column.key in LATEST_FIRST)
    order = ("descending" if sort.is_descending else "ascending") if is_now else "none"
    address = f"?{urlencode(rest | sort_asked(turned), doseq=True)}"
    return Column(column.key, column.label, address, order, column.is_number, column.field)


def _cookie(words: KindWords) -> str:
    return f"columns_{words.plural}"
