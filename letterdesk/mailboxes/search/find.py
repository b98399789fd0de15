"""Walks through what a search finds, newest first, and no further than somebody asks.

What is text alone is asked from the full-text index, which hands out letters newest first and confined to the
mailboxes that the employee may read (P9). Where a condition names few letters (stars, pins, a small folder), the walk
begins with those. Alternatives that mix both are walked side by side. Everything else is a condition along the way.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from ..models import Folder, Mark, Message, Placement
from .filters import ANYWHERE, IN_CRM, condition, named_folder
from .index import full_text, position
from .query import And, Condition, Node, Not, Or, Text

FIRST_CHUNK = 100  # letters taken from the index at once; each further chunk is four times as long
LONGEST_CHUNK = 6_400
FEW = 2_000


Told = Mapping[str, Callable[[Text], Q]]  # by operator, what it means for letters: other rooms know (TOLD)


class Match(NamedTuple):
    """A letter that fits; greater is newer."""

    position: int
    message: int
    conversation: int


@dataclass(frozen=True, slots=True)
class Ground:
    """Where is looked: letters that may be shown at all, in these mailboxes."""

    letters: QuerySet[Any]
    mailboxes: Sequence[int]
    told: Told = field(default_factory=dict)

    def narrowed(self, where: Q) -> "Ground":
        """The same with one more condition."""
        return replace(self, letters=self.letters.filter(where))


def matches(tree: Node, ground: Ground) -> Iterator[Match]:
    """Letters that fit, newest first; the same letter may come twice, one after the other."""
    if not ground.mailboxes:
        return iter(())
    parts = tree.parts if isinstance(tree, And) else (tree,)
    texts = tuple(part for part in parts if is_text(part))
    others = [part for part in parts if part not in texts]
    mixed = None if texts else next((part for part in others if isinstance(part, Or) and _mixes(part)), None)
    for part in others:
        if part is not mixed:
            ground = ground.narrowed(_condition(part, ground))
    if texts:
        text = And(texts) if len(texts) > 1 else texts[0]
        return _by_index(full_text.expression(text, ground.mailboxes), ground)
    if mixed is not None:
        return heapq.merge(*(matches(part, ground) for part in mixed.parts), reverse=True)
    few = _fewest(others, ground.mailboxes)
    return _by_date(ground) if few is None else _of_few(few, ground)


def is_text(node: Node) -> bool:
    """Whether the full-text index alone can answer it."""
    match node:
        case Text():
            return True
        case Not(part):
            return is_text(part)
        case And(parts) | Or(parts):
            return all(map(is_text, parts))
    return False


def _mixes(node: Or) -> bool:
    """Whether walking its parts side by side is better than a condition: one is text, or names few."""
    return any(is_text(part) or _names_few(part) for part in node.parts)


def _by_index(expression: str, ground: Ground) -> Iterator[Match]:
    """Chunks of candidates from the index, newest first, of which the other conditions take theirs.

    The mailbox is compared here: named in the query, it made SQLite read the whole mailbox instead of the chunk.
    """
    scope = frozenset(ground.mailboxes)
    below: int | None = None
    chunk = FIRST_CHUNK
    while True:
        candidates = full_text.newest(expression, below=below, limit=chunk)
        rows = ground.letters.filter(pk__in=[message for _, message in candidates])
        found = rows.values_list("pk", "conversation", "mailbox")
        conversations = {message: conversation for message, conversation, mailbox in found if mailbox in scope}  # P9
        for place, message in candidates:
            if message in conversations:
                yield Match(place, message, conversations[message])
        if len(candidates) < chunk:
            return
        below, chunk = candidates[-1][0], min(chunk * 4, LONGEST_CHUNK)


def _by_date(ground: Ground) -> Iterator[Match]:
    letters = ground.letters.filter(mailbox__in=ground.mailboxes).order_by("-received_at", "-pk")
    rows = letters.values_list("received_at", "pk", "conversation")
    start, chunk = 0, FIRST_CHUNK
    while True:
        taken = list(rows[start : start + chunk])
        yield from (Match(position(at, message), message, conversation) for at, message, conversation in taken)
        if len(taken) < chunk:
            return
        start, chunk = start + chunk, min(chunk * 4, LONGEST_CHUNK)


def _of_few(few: list[tuple[Any, int]], ground: Ground) -> Iterator[Match]:
    scope = frozenset(ground.mailboxes)
    newest = list(dict.fromkeys(message for _at, message in sorted(few, reverse=True)))
    start, chunk = 0, FIRST_CHUNK
    while start < len(newest):
        rows = ground.letters.filter(pk__in=newest[start : start + chunk])
        found = rows.values_list("received_at", "pk", "conversation", "mailbox")
        here = [Match(position(at, pk), pk, conversation) for at, pk, conversation, box in found if box in scope]  # P9
        yield from sorted(here, reverse=True)
        start, chunk = start + chunk, min(chunk * 4, LONGEST_CHUNK)


# Conditions that name few letters


def _names_few(node: Node) -> bool:
    return isinstance(node, Condition) and (
        (node.name == "is" and node.value in {"starred", "unread", "pinned"})
        or node.name == "snoozed"
        or (node.name == "in" and str(node.value).lower() not in {*ANYWHERE, IN_CRM})
    )


def _fewest(parts: Sequence[Node], mailboxes: Sequence[int]) -> list[tuple[Any, int]] | None:
    """Date and letter of those that one of these conditions names, where they are few; None: the walk is by date."""
    for part in parts:
        if isinstance(part, Condition) and _names_few(part):
            found = list(_named(part, mailboxes)[: FEW + 1])
            if len(found) <= FEW:
                return found
    return None


def _named(asked: Condition, mailboxes: Sequence[int]) -> QuerySet[Any, Any]:
    """Date and letter of those that a condition names, straight from an index of its own."""
    if asked.name == "in":
        folders = _folders(mailboxes).filter(named_folder(str(asked.value), ""))
        return Placement.objects.shown().filter(folder__in=folders).values_list("received_at", "message")
    if asked.value in {"starred", "unread"}:
        flagged = {"is_flagged": True} if asked.value == "starred" else {"is_seen": False}
        places = Placement.objects.shown().filter(folder__in=_folders(mailboxes), **flagged)
        return places.values_list("received_at", "message")
    marks = Mark.objects.filter(mailbox__in=mailboxes)
    marks = marks.asleep(asked.value) if isinstance(asked.value, datetime) else marks.filter(pinned_at__isnull=False)
    return Message.objects.filter(conversation__in=marks.values("conversation")).values_list("received_at", "pk")


def _folders(mailboxes: Sequence[int]) -> QuerySet[Any]:
    return Folder.objects.filter(mailbox__in=mailboxes).values("pk")


def _condition(node: Node, ground: Ground) -> Q:
    """A tree in which texts and other conditions are mixed: texts become sub-selects."""
    if is_text(node):
        return Q(pk__in=full_text.message_ids(full_text.expression(node, ground.mailboxes)))
    match node:
        case Condition(name, Text() as words):
            return ground.told[name](words) if name in ground.told else Q(pk__in=[])
        case Condition():
            return condition(node)
        case Not(part):
            return ~_condition(part, ground)
        case And(parts) | Or(parts):
            joined = _condition(parts[0], ground)
            for part in parts[1:]:
                other = _condition(part, ground)
                joined = joined & other if isinstance(node, And) else joined | other
            return joined
    raise TypeError(f"{node} is no part of a search")
