"""Pages of a long list by the place of its last row, newest first: as quick on the hundredth page as on the first."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)


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
