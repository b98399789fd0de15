"""What higher rooms attach to conversations: rows that follow a merge, and go with the conversation's last letter.

The store knows no room above it. Each says at its start which tables point to conversations, so that their rows move
and go in the transaction that merges or removes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from . import rows


@dataclass(frozen=True, slots=True)
class Attached:
    """A table with a `conversation_id`. `once_for`: the column, or columns, unique together with it.

    `ends_at_merge`: its rows say something of the letters that were there, and of no others.
    """

    table: str
    once_for: str = ""
    ends_at_merge: bool = False


_tables: dict[str, Attached] = {}


def attach(*tables: Attached) -> None:
    """Let these tables follow their conversations. Said once, when a room starts."""
    _tables.update({each.table: each for each in tables})


def names() -> list[str]:
    """The tables that follow."""
    return sorted(_tables)


def follow(merges: Mapping[int, int]) -> None:
    """Conversations (keys) become part of others (values). Inside the caller's transaction."""
    for each in _tables.values():
        if each.ends_at_merge:
            rows.run(f"DELETE FROM {each.table} WHERE conversation_id IN %s", [sorted({*merges, *merges.values()})])  # noqa: S608  our own names
        for source, target in merges.items():
            _follow(each, source, target)


def _follow(each: Attached, source: int, target: int) -> None:
    table, once = each.table, each.once_for
    if once:
        twice = f"SELECT {once} FROM {table} WHERE conversation_id = %s"  # noqa: S608  our own names
        rows.run(f"DELETE FROM {table} WHERE conversation_id = %s AND ({once}) IN ({twice})", [source, target])  # noqa: S608
    rows.run(f"UPDATE {table} SET conversation_id = %s WHERE conversation_id = %s", [target, source])  # noqa: S608


def remove(conversation_ids: Collection[int]) -> None:
    """These conversations go, and so do their rows. Inside the caller's transaction."""
    for table in _tables:
        rows.run(f"DELETE FROM {table} WHERE conversation_id IN %s", [sorted(conversation_ids)])  # noqa: S608  our own names
