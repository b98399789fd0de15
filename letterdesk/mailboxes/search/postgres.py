"""Full text on PostgreSQL: we cut the words ourselves, so that both databases find the same.

A word of a column stands in the vector twice, plain and marked with its column ("f/amara"); "@12" is the mailbox.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db import connection
from django.db.models.expressions import RawSQL

from .query import And, Node, Not, Or, Text
from .text import is_unspaced, prepare, words

MATCHING = "SELECT message_id FROM mailboxes_searchtext WHERE vector @@ %s::tsquery"
MARKS = {"sender": "f/", "recipients": "t/", "copies": "c/", "subject": "s/", "files": "n/", "body": ""}
MOST_BYTES = 900_000  # a tsvector may have 1 MB: words, each with its positions (B17)
MOST_POSITIONS = 255  # of one word (PostgreSQL 12.11)
LAST_POSITION = 16_383
GAP = 10  # between columns: no phrase reaches from one into the next


def expression(node: Node, mailbox_ids: Iterable[int]) -> str:
    """The tsquery of a tree that holds texts alone, confined to these mailboxes."""
    return within(node, [f"mb{int(pk)}" for pk in mailbox_ids])


def within(node: Node, scopes: Iterable[str]) -> str:
    """The same, confined to rows of these scopes. Every word is quoted (C23)."""
    scope = " | ".join(f"'@{each.removeprefix('mb')}'" for each in scopes) or "'@none'"
    return f"({scope}) & ({_inside(node)})"


def newest(
    expression: str, *, below: int | None, limit: int, table: str = "mailboxes_searchtext"
) -> list[tuple[int, int]]:
    """At most `limit` (position, letter's key), newest first, beginning below a position."""
    sql = f"SELECT position, position & 2147483647 FROM {table} WHERE vector @@ %s::tsquery"  # noqa: S608  ours
    arguments: list[str | int] = [expression]
    if below is not None:
        sql, arguments = f"{sql} AND position < %s", [*arguments, below]
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} ORDER BY position DESC LIMIT %s", [*arguments, limit])
        return [(int(position), int(message)) for position, message in cursor.fetchall()]


def message_ids(expression: str) -> RawSQL:
    """All matching message ids, as a sub-select."""
    return RawSQL(MATCHING, [expression])  # noqa: S611  constant SQL, one parameter


def keys(expression: str, *, table: str, key: str) -> RawSQL:
    """Of all matching rows of another room's table a key, as a sub-select. `key`: SQL of "{position}"."""
    sql = f"SELECT {key.format(position='position')} FROM {table} WHERE vector @@ %s::tsquery"  # noqa: S608  ours
    return RawSQL(sql, [expression])  # noqa: S611  constant SQL, one parameter


def some_keys(
    expression: str, *, table: str, key: str, column: str, most: int, of: Collection[int] | None = None
) -> list[int]:
    """The same, read: at most so many, in no order, one of several rows as often as there are; `of`: of these alone.

    `column`: where the table has the key, with an index of its own, so that few rows are read for few keys.
    """
    sql = f"SELECT {column} FROM {table} WHERE vector @@ %s::tsquery"  # noqa: S608  names of ours
    only, wanted = ("", []) if of is None else (f" AND {column} = ANY(%s)", [list(of)])
    with connection.cursor() as cursor:
        cursor.execute(f"{sql}{only} LIMIT %s", [expression, *wanted, most])
        return [number for (number,) in cursor.fetchall()]


def vector(columns: dict[str, str], scope: str) -> str:
    """The text form of the tsvector of prepared columns: "'word':1,7 'f/amara':2"."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    position = 1
    size = 0
    for column, mark in MARKS.items():
        for word in _head_and_tail(words(columns[column])):
            for lexeme in (word, mark + word) if mark else (word,):
                size += len(lexeme.encode()) + 6 if lexeme not in places else 2
                if len(places[lexeme]) < MOST_POSITIONS:
                    places[lexeme].append(min(position, LAST_POSITION))
            position += 1
            if size > MOST_BYTES:
                break
        position += GAP
    lexemes = " ".join(f"'{lexeme}':{','.join(map(str, at))}" for lexeme, at in places.items())
    return f"'@{scope.removeprefix('mb')}' {lexemes}"


def taken_over(scope: str) -> str:
    """SQL: the vector of a row of Webmail's index, called s, for a row with the same texts and another scope of ours.

    Positions stay, for a scope has none (PostgreSQL 9.13, tsvector || tsvector).
    """
    return f"CAST('''@{scope}''' AS tsvector) || ts_delete(s.vector, '@' || substr(s.scope, {len('mb') + 1}))"


def words_were_removed(_account_ids: Iterable[int]) -> None:
    """VACUUM notices by itself."""


def forget_removed(*, everything: bool = False) -> bool:
    """Removed rows leave the table and its index by VACUUM, which PostgreSQL runs itself; nothing to do here."""
    return False


def _inside(node: Node) -> str:
    match node:
        case Text():
            return _text(node)
        case Or(parts):
            return " | ".join(f"({_inside(part)})" for part in parts)
        case And(parts):
            return " & ".join(f"({_inside(part)})" for part in parts)
        case Not(part):
            return f"!({_inside(part)})"
    raise TypeError(f"{node} is no text")


def _text(text: Text) -> str:
    mark = MARKS[text.field] if text.field else ""
    found = words(prepare(text.text))
    lexemes = [f"'{mark}{word}'" for word in found]
    if text.is_prefix and not is_unspaced(found[-1]):
        lexemes[-1] += ":*"
    return " <-> ".join(lexemes)


def _head_and_tail(found: list[str]) -> Iterable[str]:
    """The words, the last ones moved forward in an endless text, so that they are indexed before the space is full."""
    if len(found) <= 40_000:
        return found
    return [*found[:2_000], *found[-2_000:], *found[2_000:-2_000]]
