"""Writes many rows at once, on SQLite and PostgreSQL alike: a letter makes a dozen, and the first sync a million.

Django's `bulk_create` splits at 999 values on SQLite and spends most of its time on expressions that we do not have;
these take half as long, and a batch is one statement whatever its size.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.base import ModelState

Row = TypeVar("Row", bound=models.Model)
PLAIN = {  # written as they are
    models.BigIntegerField,
    models.BooleanField,
    models.CharField,
    models.ForeignKey,
    models.PositiveBigIntegerField,
    models.PositiveIntegerField,
    models.TextField,
}
VALUES_AT_ONCE = 30_000  # SQLite takes 32,766 in a statement, PostgreSQL 65,535


def make(model: type[Row], **values: Any) -> Row:
    """A row that is not stored yet, as `model(**values)` would make it, in a quarter of the time.

    Foreign keys are given by their column (`mailbox_id=…`); nothing is checked. For what a batch has hundreds of.
    """
    row = model.__new__(model)
    row._state = ModelState()
    row.__dict__.update(_constants(model))
    for name, default in _made_anew(model):
        if name not in values:
            row.__dict__[name] = default()
    row.__dict__.update(values)
    return row


@cache
def _constants(model: type[models.Model]) -> dict[str, Any]:
    """The defaults that are the same in every row."""
    fixed = [field for field in model._meta.concrete_fields if not (field.has_default() and callable(field.default))]
    return {field.attname: field.get_default() for field in fixed}


@cache
def _made_anew(model: type[models.Model]) -> list[tuple[str, Callable[[], Any]]]:
    """The defaults that are made for each row: identifiers, dates, lists."""
    fields = model._meta.concrete_fields
    return [(field.attname, field.default) for field in fields if field.has_default() and callable(field.default)]


def insert(rows: Sequence[models.Model], *, conflict: str = "") -> None:
    """Insert rows without learning their keys. `conflict`: an SQL clause such as "ON CONFLICT DO NOTHING".

    With DO UPDATE, no two of the rows may conflict with each other.
    """
    if not rows:
        return
    fields = _fields(type(rows[0]))
    into, one = _into(rows[0], fields), f"({', '.join(['%s'] * len(fields))})"
    size = VALUES_AT_ONCE // len(fields)
    with connection.cursor() as cursor:
        for start in range(0, len(rows), size):  # one statement: a row each would go to PostgreSQL as a message each,
            piece = rows[start : start + size]  # and on SQLite give the interpreter away for each
            sql = f"{into} VALUES {', '.join([one] * len(piece))} {conflict}"
            cursor.execute(sql, [value for values in _values(piece, fields) for value in values])


def insert_with_keys(rows: Sequence[Row], *, known_by: str) -> None:
    """Insert rows and set their `pk`. `known_by` is a field whose value is another one in each of the rows."""
    if not rows:
        return
    fields = _fields(type(rows[0]))
    known_column = _field(type(rows[0]), known_by).column
    size = VALUES_AT_ONCE // len(fields)
    for start in range(0, len(rows), size):
        piece = rows[start : start + size]
        one = f"({', '.join(['%s'] * len(fields))})"
        sql = f"{_into(rows[0], fields)} VALUES {', '.join([one] * len(piece))} RETURNING {known_column}, id"
        with connection.cursor() as cursor:
            cursor.execute(sql, [value for values in _values(piece, fields) for value in values])
            keys = dict(cursor.fetchall())
        for row in piece:
            row.pk = keys[getattr(row, known_by)]
            row._state.adding, row._state.db = False, connection.alias


def run(sql: str, parameters: Sequence[Any] = ()) -> int:
    """Execute one statement; returns how many rows it touched. A list among the parameters stands for `IN %s`."""
    with connection.cursor() as cursor:
        cursor.execute(*_spread(sql, parameters))
        return int(cursor.rowcount)


def run_returning(sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """As `run`; returns the rows."""
    with connection.cursor() as cursor:
        cursor.execute(*_spread(sql, parameters))
        return list(cursor.fetchall())


def run_many(sql: str, parameters: Iterable[Sequence[Any]]) -> None:
    """Execute one statement for each row of parameters."""
    with connection.cursor() as cursor:
        cursor.executemany(sql, list(parameters))


def _spread(sql: str, parameters: Sequence[Any]) -> tuple[str, list[Any]]:
    """Make "(%s, %s)" of the place of a list; a list must not be empty."""
    pieces = sql.split("%s")
    spread, flat = [pieces[0]], []
    for value, piece in zip(parameters, pieces[1:], strict=True):
        values = value if isinstance(value, list) else [value]
        spread.append(f"({', '.join(['%s'] * len(values))})" if isinstance(value, list) else "%s")
        spread.append(piece)
        flat.extend(values)
    return "".join(spread), flat


def table(model: type[models.Model]) -> str:
    """The quoted name of the model's table."""
    return connection.ops.quote_name(model._meta.db_table)


def db_value(model: type[models.Model], field: str, value: Any) -> Any:
    """A value as the database wants it in a raw statement: dates, JSON."""
    return _field(model, field).get_db_prep_save(value, connection)


def _field(model: type[models.Model], name: str) -> Any:
    return model._meta.get_field(name)


def _fields(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]


def _into(row: models.Model, fields: list[Any]) -> str:
    columns = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    return f"INSERT INTO {table(type(row))} ({columns})"


def _values(rows: Sequence[models.Model], fields: list[Any]) -> list[tuple[Any, ...]]:
    """The values in the order of the fields; only dates and JSON look different in the database."""
    database = connections[DEFAULT_DB_ALIAS]  # asked for once: the proxy is slow
    columns: list[Iterable[Any]] = []
    for field in fields:
        values = map(attrgetter(field.attname), rows)
        if type(field) in PLAIN:
            columns.append(values)
        elif isinstance(field, models.DateTimeField):
            columns.append(values if database.vendor == "postgresql" else map(_as_text, values))
        else:
            columns.append([field.get_db_prep_save(value, database) for value in values])
    return list(zip(*columns, strict=True))


def _as_text(value: datetime | None) -> str | None:
    """As Django's SQLite backend writes dates."""
    return None if value is None else str(value.astimezone(UTC).replace(tzinfo=None))
