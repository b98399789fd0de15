"""Search: one interface over FTS5 (SQLite) and tsvector (PostgreSQL).

A query becomes a tree (`search_query`). What is text alone is asked from the full-text index, which hands out
letters newest first and confined to the mailboxes that the employee may read (P9); every other condition and the
clock (R20) are an ordinary query over those letters. It stops as soon as the page is full.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.db.models.functions import Substr

from letterdesk.accounts.models import Employee

from .hide import without_hidden
from .models import Conversation, Mailbox, Message, SearchText
from .retention import Period, shown
from .search_filters import condition, in_webmail
from .search_index import Indexed, forget_removed, full_text, index, rebuild, remove
from .search_marks import Highlighter, Marked
from .search_query import And, BadQuery, Condition, Node, Not, Or, Text, parse_query
from .search_text import shown as as_shown

__all__ = [
    "BadQuery",
    "Found",
    "Hit",
    "Indexed",
    "Marked",
    "forget_removed",
    "index",
    "parse_query",
    "rebuild",
    "remove",
    "search",
]

FIRST_CHUNK = 100  # letters taken from the index at once; each further chunk is four times as long
LONGEST_CHUNK = 6_400
READ_FOR_EXCERPT = 20_000  # characters of a body


@dataclass(frozen=True, slots=True)
class Hit:
    """A conversation that was found, by its newest letter that matches; the words are marked, not in HTML."""

    conversation: Conversation
    message: Message
    subject: Marked
    sender: Marked
    excerpt: Marked


@dataclass(frozen=True, slots=True)
class Found:
    """One page of hits, newest first; `more`: another page follows."""

    hits: list[Hit]
    more: bool


def search(
    employee: Employee,
    query: str,
    *,
    now: datetime,
    mailbox: Mailbox | None = None,
    limit: int = 50,
    offset: int = 0,
    period: Period | None = None,
) -> Found:
    """Find conversations in all mailboxes that the employee may read, or in one; the language is that of ux.md 1.4.

    Spam and trash are left out unless the query says `in:`. Raises BadQuery, whose text is for people.
    """
    zone = ZoneInfo(employee.time_zone or employee.account.time_zone)
    tree = parse_query(query, now=now, zone=zone)
    if tree is None:
        return Found([], more=False)
    mailboxes = Mailbox.objects.visible_to(employee)
    scope = (mailboxes.filter(pk=mailbox.pk) if mailbox else mailboxes).in_bulk()
    period = period or Period.of(employee.account, now)
    letters: QuerySet[Any] = Message.objects.filter(
        in_webmail(also_aside=_names_folder(tree)), account=employee.account_id
    )
    letters = shown(letters, period.cutoff(now))  # R20
    if any(mailbox.owner_id != employee.pk for mailbox in scope.values()):
        letters = without_hidden(letters, employee, message="pk")  # R27
    found = list(islice(_newest_of_conversations(tree, letters, list(scope)), offset, offset + limit + 1))
    return Found(_hits(found[:limit], tree, scope), more=len(found) > limit)


def _newest_of_conversations(tree: Node, letters: QuerySet[Any], scope: Sequence[int]) -> Iterator[int]:
    """The newest matching letter of each conversation, newest first."""
    seen: set[int] = set()
    for message, conversation in _matching(tree, letters, scope):
        if conversation not in seen:
            seen.add(conversation)
            yield message


def _matching(tree: Node, letters: QuerySet[Any], scope: Sequence[int]) -> Iterator[tuple[int, int]]:
    parts = tree.parts if isinstance(tree, And) else (tree,)
    texts = tuple(part for part in parts if _is_text(part))
    for part in parts:
        if part not in texts:
            letters = letters.filter(_condition(part, scope))
    if not texts:
        yield from _by_date(letters.filter(mailbox__in=scope))
    elif scope:
        text = And(texts) if len(texts) > 1 else texts[0]
        yield from _by_index(full_text.expression(text, scope), letters, frozenset(scope))


def _by_index(expression: str, letters: QuerySet[Any], scope: frozenset[int]) -> Iterator[tuple[int, int]]:
    """Chunks of candidates from the index, newest first, of which the other conditions take theirs.

    The mailbox is compared here: named in the query, it made SQLite read the whole mailbox instead of the chunk.
    """
    below: int | None = None
    chunk = FIRST_CHUNK
    while True:
        candidates = full_text.newest(expression, below=below, limit=chunk)
        rows = letters.filter(pk__in=[message for _, message in candidates])
        found = rows.values_list("pk", "conversation", "mailbox")
        conversations = {message: conversation for message, conversation, mailbox in found if mailbox in scope}  # P9
        for _, message in candidates:
            if message in conversations:
                yield message, conversations[message]
        if len(candidates) < chunk:
            return
        below, chunk = candidates[-1][0], min(chunk * 4, LONGEST_CHUNK)


def _by_date(letters: QuerySet[Any]) -> Iterator[tuple[int, int]]:
    pairs = letters.order_by("-received_at", "-pk").values_list("pk", "conversation")
    start, chunk = 0, FIRST_CHUNK
    while True:
        taken = list(pairs[start : start + chunk])
        yield from taken
        if len(taken) < chunk:
            return
        start, chunk = start + chunk, min(chunk * 4, LONGEST_CHUNK)


def _condition(node: Node, scope: Sequence[int]) -> Q:
    """A tree in which texts and other conditions are mixed: texts become sub-selects."""
    if _is_text(node):
        return Q(pk__in=full_text.message_ids(full_text.expression(node, scope)))
    match node:
        case Condition():
            return condition(node)
        case Not(part):
            return ~_condition(part, scope)
        case And(parts) | Or(parts):
            joined = _condition(parts[0], scope)
            for part in parts[1:]:
                other = _condition(part, scope)
                joined = joined & other if isinstance(node, And) else joined | other
            return joined
    raise TypeError(f"{node} is no part of a search")


def _is_text(node: Node) -> bool:
    match node:
        case Text():
            return True
        case Not(part):
            return _is_text(part)
        case And(parts) | Or(parts):
            return all(map(_is_text, parts))
    return False


def _names_folder(node: Node) -> bool:
    match node:
        case Condition(name):
            return name == "in"
        case Not(part):
            return _names_folder(part)
        case And(parts) | Or(parts):
            return any(map(_names_folder, parts))
    return False


def _hits(messages: Sequence[int], tree: Node, mailboxes: dict[int, Mailbox]) -> list[Hit]:
    rows = Message.objects.filter(pk__in=messages).select_related("conversation").in_bulk()
    for row in rows.values():
        row.mailbox = row.conversation.mailbox = mailboxes[row.mailbox_id]
    bodies = SearchText.objects.filter(message__in=messages)
    texts = dict(bodies.values_list("message", Substr("body", 1, READ_FOR_EXCERPT)))
    highlighter = Highlighter(tree)
    return [_hit(rows[pk], as_shown(texts.get(pk, "")), highlighter) for pk in messages if pk in rows]


def _hit(message: Message, body: str, highlighter: Highlighter) -> Hit:
    excerpt = highlighter.excerpt(body, "body")
    return Hit(
        conversation=message.conversation,
        message=message,
        subject=highlighter.mark(message.subject, "subject"),
        sender=highlighter.mark(message.from_name or message.from_address, "sender"),
        excerpt=excerpt if excerpt.ranges or not message.snippet else highlighter.mark(message.snippet, "body"),
    )
