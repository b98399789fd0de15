"""Full text on SQLite: trees become FTS5 expressions, which hand out letters newest first."""

from collections.abc import Collection, Iterable, Sequence

from django.db import connection, transaction
from django.db.models import Max
from django.db.models.expressions import RawSQL

from ..models import RemovedWords
from .query import And, Node, Not, Or, Text
from .text import is_unspaced, prepare, words

MERGED_AT_ONCE = 500  # pages
MATCHING = "SELECT rowid & 2147483647 AS message_id FROM mailboxes_search WHERE mailboxes_search MATCH %s"
OF_LETTERS = "mailboxes_search"


def expression(node: Node, mailbox_ids: Iterable[int]) -> str:
    """The FTS5 expression of a tree that holds texts alone, confined to these mailboxes."""
    return within(node, [f"mb{int(pk)}" for pk in mailbox_ids])


def within(node: Node, scopes: Iterable[str]) -> str:
    """The same, confined to rows of these scopes.

    Whatever was typed stands inside double quotes, where FTS5 knows no syntax (C23).
    """
    scope = f"scope : ({' OR '.join(scopes) or 'none'})"
    return f"{scope} AND ({_inside(node, scope)})"


def newest(
    expression: str, *, below: int | None, limit: int, table: str = "mailboxes_searchtext"
) -> list[tuple[int, int]]:
    """At most `limit` (position, letter's key), newest first, beginning below a position."""
    found = _index_of(table)
    sql = f"SELECT rowid, rowid & 2147483647 FROM {found} WHERE {found} MATCH %s"  # noqa: S608  names of our tables
    arguments: list[str | int] = [expression]
    if below is not None:
        sql, arguments = f"{sql} AND rowid < %s", [*arguments, below]
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} ORDER BY rowid DESC LIMIT %s", [*arguments, limit])
        return [(int(position), int(message)) for position, message in cursor.fetchall()]


def message_ids(expression: str) -> RawSQL:
    """All matching message ids, as a sub-select."""
    return RawSQL(MATCHING, [expression])  # noqa: S611  constant SQL, one parameter


def keys(expression: str, *, table: str, key: str) -> RawSQL:
    """Of all matching rows of another room's table a key, as a sub-select. `key`: SQL of "{position}"."""
    found = _index_of(table)
    sql = f"SELECT {key.format(position='rowid')} FROM {found} WHERE {found} MATCH %s"  # noqa: S608  names of ours
    return RawSQL(sql, [expression])  # noqa: S611  constant SQL, one parameter


def some_keys(
    expression: str, *, table: str, key: str, column: str, most: int, of: Collection[int] | None = None
) -> list[int]:
    """The same, read: at most so many, in no order, one of several rows as often as there are; `of`: of these alone.

    `column`: where PostgreSQL finds the key in the table.
    """
    found = keys(expression, table=table, key=key)
    only = "" if of is None else f" AND {key.format(position='rowid')} IN ({', '.join(map(str, of)) or 'NULL'})"
    with connection.cursor() as cursor:
        cursor.execute(f"{found.sql}{only} LIMIT %s", [*found.params, most])
        return [number for (number,) in cursor.fetchall()]


def _index_of(table: str) -> str:
    """The FTS5 table over a table of texts."""
    return table.removesuffix("text")


def taken_over(_scope: str) -> str:
    """SQL: there are no vectors here; triggers read the texts."""
    return "NULL"


def vector(columns: dict[str, str], scope: str) -> None:
    """FTS5 reads the columns themselves."""


def words_were_removed(account_ids: Iterable[int]) -> None:
    """Note that `forget_removed` has work; in the transaction of the removal."""
    RemovedWords.objects.bulk_create(RemovedWords(account_id=pk, held_in=OF_LETTERS) for pk in account_ids)


def forget_removed(*, everything: bool = False) -> bool:
    """Merge index segments, so that words of removed letters leave the file; returns whether more is to be done.

    FTS5 before SQLite 3.42 marks words as deleted and drops them when segments merge; PRAGMA secure_delete then
    overwrites the freed pages. A step merges about 500 pages; `everything` goes on until one segment is left.
    Merges the full-text tables that lost words and no other, for merging all reads and writes the whole index.
    """
    newest = dict(RemovedWords.objects.values_list("held_in").annotate(Max("pk")))
    is_done = True
    for table, last in newest.items():
        with transaction.atomic():
            if _merge(table, everything=everything):  # what was removed meanwhile has a later row
                RemovedWords.objects.filter(held_in=table, pk__lte=last).delete()
            else:
                is_done = False
    return not is_done


def _merge(table: str, *, everything: bool) -> bool:
    """One step, or all; returns whether the index is one segment."""
    with connection.cursor() as cursor:
        if everything:
            cursor.execute(f"INSERT INTO {table}({table}) VALUES ('optimize')")  # noqa: S608  a table of ours
            return True
        before = _total_changes()
        # A negative number begins to merge everything, or goes on with that (FTS5, section 6.8).
        step = f"INSERT INTO {table}({table}, rank) VALUES ('merge', %s)"  # noqa: S608  a table of ours
        cursor.execute(step, [-MERGED_AT_ONCE])
        return _total_changes() - before < 2


def _total_changes() -> int:
    return int(connection.connection.total_changes)


def _inside(node: Node, scope: str) -> str:
    match node:
        case Text():
            return _text(node)
        case Or(parts):
            return " OR ".join(f"({_inside(part, scope)})" for part in parts)
        case Not(part):
            return f"{scope} NOT ({_inside(part, scope)})"
        case And(parts):
            return _all_of(parts, scope)
    raise TypeError(f"{node} is no text")


def _all_of(parts: Sequence[Node], scope: str) -> str:
    wanted = [f"({_inside(part, scope)})" for part in parts if not isinstance(part, Not)]
    unwanted = [f"({_inside(part.part, scope)})" for part in parts if isinstance(part, Not)]
    inside = " AND ".join(wanted) or scope
    return f"({inside}) NOT ({' OR '.join(unwanted)})" if unwanted else inside


def _text(text: Text) -> str:
    prepared = prepare(text.text).replace('"', " ")
    star = " *" if text.is_prefix and not is_unspaced(words(prepared)[-1]) else ""
    return f'{text.field or "- scope"} : "{prepared}"{star}'
