"""Pages of a long list by the place of its last row: as quick on the hundredth page as on the first."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import F, Field, Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)
HIGHEST_KEY = 2**63 - 1


class BadCursor(ValueError):
    """A place in a list that we did not hand out."""


def cursor_of(moment: datetime, pk: int) -> str:
    """The place of a row: its moment in microseconds, and its key."""
    return f"{int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond}.{pk}"


def read_cursor(cursor: str) -> tuple[datetime, int]:
    """The moment (UTC) and key of a place. Raises BadCursor."""
    try:
        microseconds, pk = map(int, cursor.split("."))
        moment = datetime.fromtimestamp(microseconds // 1_000_000, tz=UTC)
        return moment.replace(microsecond=microseconds % 1_000_000), pk
    except (ValueError, OverflowError, OSError) as error:
        raise BadCursor(cursor) from error


def page_of(rows: QuerySet[Row], by: str, *, before: str = "", limit: int) -> tuple[list[Row], str]:
    """At most `limit` rows older than a place, newest first by a moment and the key; and the place where more follow.

    Raises BadCursor.
    """
    if before:
        moment, pk = read_cursor(before)
        older = Q(**{f"{by}__lt": moment}) | Q(**{by: moment, "pk__lt": pk})
        rows = rows.filter(older, **{f"{by}__lte": moment})
    found: list[Any] = list(rows.order_by(f"-{by}", "-pk")[: limit + 1])
    page = found[:limit]
    return page, cursor_of(getattr(page[-1], by), page[-1].pk) if len(found) > limit else ""


# In any order


@dataclass(frozen=True, slots=True)
class Order:
    """By what rows stand: a column or annotation of theirs, and what it holds; equal ones by their key, the same way.

    `may_be_empty`: rows where it is NULL come last, whichever way. `key`: how an index of
    the column has their key, where that is not `pk`.
    """

    column: str
    holds: "Field[Any, Any]"
    is_descending: bool = False
    may_be_empty: bool = False
    key: str = "pk"

    def sorted(self, rows: QuerySet[Row]) -> QuerySet[Row]:
        """All rows in this order."""
        by, key = F(self.column), F("pk")
        if self.is_descending:
            return rows.order_by(by.desc(nulls_last=self.may_be_empty or None), key.desc())
        return rows.order_by(by.asc(nulls_last=self.may_be_empty or None), key.asc())

    def keys_after(self, rows: QuerySet[Any], place: str, *, limit: int) -> tuple[list[int], str]:
        """The keys of at most `limit` rows behind a place (empty: the first ones), and the place where more follow.

        One query, and a second one where those without a value begin: each walks an index where there is one. Raises
        BadCursor.
        """
        value, pk = self.read(place) if place else (None, None)
        found: list[tuple[Any, int]] = []
        if pk is None or value is not None:
            filled = Q(**{f"{self.column}__isnull": False}) if self.may_be_empty else Q()
            behind = Q() if pk is None else self._behind(value, pk)
            found += self._walk(rows.filter(filled & behind), limit + 1)
            pk = None
        if self.may_be_empty and len(found) <= limit:
            empty = rows.filter(**{f"{self.column}__isnull": True})
            keys = empty if pk is None else empty.filter(**{f"pk__{self._next}": pk})
            by_key = keys.order_by("-pk" if self.is_descending else "pk").values_list("pk", flat=True)
            found += [(None, key) for key in by_key[: limit + 1 - len(found)]]
        page = found[:limit]
        return [key for _value, key in page], place_of(*page[-1]) if len(found) > limit else ""

    @property
    def _next(self) -> str:
        return "lt" if self.is_descending else "gt"

    def _behind(self, value: Any, pk: int) -> Q:
        """The first condition alone says where an index is to be entered."""
        entered = Q(**{f"{self.column}__{self._next}e": value})
        return entered & (
            Q(**{f"{self.column}__{self._next}": value}) | Q(**{self.column: value, f"{self.key}__{self._next}": pk})
        )

    def _walk(self, rows: QuerySet[Any], most: int) -> list[tuple[Any, int]]:
        way = "-" if self.is_descending else ""
        ordered = rows.order_by(f"{way}{self.column}", f"{way}{self.key}")
        return list(ordered.values_list(self.column, self.key)[:most])

    def read(self, place: str) -> tuple[Any, int]:
        """The value and key of a place. Raises BadCursor."""
        key, has_value, text = place.partition(".")
        try:
            value, pk = (self.holds.clean(text, None) if has_value else None), int(key)
        except (ValueError, ValidationError) as error:
            raise BadCursor(place) from error
        is_naive = isinstance(value, datetime) and value.tzinfo is None
        if is_naive or "\0" in text or not 0 <= pk <= HIGHEST_KEY:
            raise BadCursor(place)
        return value, pk


def place_of(value: Any, pk: int) -> str:
    """The place of a row in an order: its key, and its value where it has one."""
    if value is None:
        return str(pk)
    return f"{pk}.{value.isoformat() if isinstance(value, date) else value}"
