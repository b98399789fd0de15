"""Search: one interface over FTS5 (SQLite) and tsvector (PostgreSQL).

A query becomes a tree (`search_query`), which `search_find` walks through, newest first, until the page is full.
Nothing is found that the employee may not read (P9) or that has left Webmail by the clock (R20).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Min, QuerySet
from django.db.models.functions import Substr

from letterdesk.accounts.models import Employee

from ..hide import without_hidden
from ..models import Attachment, Conversation, Mailbox, Message, SearchText
from ..retention.letters import shown
from ..retention.own_times import periods_of
from ..retention.periods import Cut, Kept, of_mailbox
from .filters import in_webmail, names_folder
from .find import Ground, Match, Told, is_text, matches
from .index import Indexed, count_shown, forget_removed, full_text, index, rebuild, remove
from .marks import Highlighter, Marked
from .query import BadQuery, parse_query
from .text import shown as as_shown

__all__ = [
    "BadQuery",
    "Found",
    "Hit",
    "Indexed",
    "Marked",
    "Search",
    "forget_removed",
    "index",
    "parse_query",
    "rebuild",
    "remove",
    "search",
]

READ_FOR_EXCERPT = 20_000  # characters of a body
MOST_COUNTED = 1_000
MOST_LOOKED_AT = 400  # letters whose senders and files are told beside the conversations


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


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was searched: letters kept here, and since when they were received."""

    letters: int
    since: datetime | None


class Search:
    """What one employee asks of what they may read, at one moment. Raises BadQuery, whose text is for people.

    Spam and trash are left out unless the query says `in:`. `mailbox`: of that one alone. `told`: what the operators
    mean that other rooms know; without it they find nothing.
    """

    def __init__(
        self,
        employee: Employee,
        query: str,
        *,
        now: datetime,
        mailbox: Mailbox | None,
        period: Kept,
        told: Told | None = None,
    ) -> None:
        zone = ZoneInfo(employee.time_zone or employee.account.time_zone)
        self.tree = parse_query(query, now=now, zone=zone, me=employee.pk)
        mailboxes = Mailbox.objects.visible_to(employee)
        self.mailboxes: dict[int, Any] = (mailboxes.filter(pk=mailbox.pk) if mailbox else mailboxes).in_bulk()
        self._employee, self._cutoff, self._told = employee, period.cutoff(now), told or {}
        if mailbox is not None:
            self._cutoff = of_mailbox(self._cutoff, mailbox.pk)
        self.looked_at = 0  # of how many of the newest letters senders or files were told; 0: of all

    def page(self, *, limit: int, offset: int = 0) -> Found:
        """One page of conversations."""
        found = list(islice(self.newest(), offset, offset + limit + 1))
        return Found(self._hits(found[:limit]), more=len(found) > limit)

    def newest(self) -> Iterator[int]:
        """The newest matching letter of each conversation, newest first."""
        seen: set[int] = set()
        for match in self._matches():
            if match.conversation not in seen:
                seen.add(match.conversation)
                yield match.message

    def senders(self, *, most: int) -> list[tuple[str, str, int]]:
        """Who wrote the newest letters that match: name, address, how many; the most frequent first."""
        rows = Message.objects.filter(pk__in=self._letters()).order_by("-received_at")
        pairs = [(address.casefold(), name) for name, address in rows.values_list("from_name", "from_address")]
        names = {address: name for address, name in reversed(pairs) if name}
        counted = Counter(address for address, _ in pairs if address).most_common(most)
        return [(names.get(address, ""), address, count) for address, count in counted]

    def files(self, *, most: int) -> list[Attachment]:
        """Files of the newest letters that match, newest first."""
        files = Attachment.objects.filter(message__in=self._letters(), is_inline=False)
        files = files.select_related("message__conversation").order_by("-message__received_at", "index")
        return list(files[:most])

    def count(self) -> int | None:
        """About how many letters match, counted no further than MOST_COUNTED; None: it would take long to tell."""
        if self.tree is None or not self.mailboxes or not is_text(self.tree):
            return None
        if isinstance(self._cutoff, Cut):  # each letter would have to be judged by its mailbox
            return None
        expression = full_text.expression(self.tree, list(self.mailboxes))
        return count_shown(expression, cutoff=self._cutoff, most=MOST_COUNTED)

    def searched(self) -> Ledger:
        """How many letters were looked through."""
        letters = shown(Message.objects.filter(mailbox__in=list(self.mailboxes)), self._cutoff)
        return Ledger(letters.count(), letters.aggregate(since=Min("received_at"))["since"])

    def _letters(self) -> list[int]:
        found = [match.message for match in islice(self._matches(), MOST_LOOKED_AT + 1)]
        self.looked_at = MOST_LOOKED_AT if len(found) > MOST_LOOKED_AT else 0
        return found[:MOST_LOOKED_AT]

    def _matches(self) -> Iterator[Match]:
        return matches(self.tree, self._ground()) if self.tree is not None else iter(())

    def _ground(self) -> Ground:
        aside = self.tree is not None and names_folder(self.tree)
        letters: QuerySet[Any] = Message.objects.filter(in_webmail(also_aside=aside), account=self._employee.account_id)
        letters = shown(letters, self._cutoff)  # R20
        if any(mailbox.owner_id != self._employee.pk for mailbox in self.mailboxes.values()):
            letters = without_hidden(letters, self._employee, message="pk")  # R27
        return Ground(letters, list(self.mailboxes), self._told)

    def _hits(self, messages: Sequence[int]) -> list[Hit]:
        rows = Message.objects.filter(pk__in=messages).select_related("conversation").in_bulk()
        for row in rows.values():
            row.mailbox = row.conversation.mailbox = self.mailboxes[row.mailbox_id]
        bodies = SearchText.objects.filter(message__in=messages)
        texts = dict(bodies.values_list("message", Substr("body", 1, READ_FOR_EXCERPT)))
        highlighter = Highlighter(self.tree)
        return [_hit(rows[pk], as_shown(texts.get(pk, "")), highlighter) for pk in messages if pk in rows]


def search(
    employee: Employee,
    query: str,
    *,
    now: datetime,
    mailbox: Mailbox | None = None,
    limit: int = 50,
    offset: int = 0,
    period: Kept | None = None,
) -> Found:
    """Find conversations in all mailboxes that the employee may read, or in one; the language is that of ux.md 1.4.

    Raises BadQuery.
    """
    period = period or periods_of(employee.account, now)
    return Search(employee, query, now=now, mailbox=mailbox, period=period).page(limit=limit, offset=offset)


def _hit(message: Message, body: str, highlighter: Highlighter) -> Hit:
    excerpt = highlighter.excerpt(body, "body")
    return Hit(
        conversation=message.conversation,
        message=message,
        subject=highlighter.mark(message.subject, "subject"),
        sender=highlighter.mark(message.from_name or message.from_address, "sender"),
        excerpt=excerpt if excerpt.ranges or not message.snippet else highlighter.mark(message.snippet, "body"),
    )
