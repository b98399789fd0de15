"""The second way to find a conversation: for replies that name no letter, by subject and people, within 60 days.

Such a reply joins the nearest earlier letter of the same subject among the same people, or another such reply.
And a letter that opens a conversation takes in replies of that kind that had arrived before it: the first sync
brings the newest first.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q

from .models import Mailbox, Message

WINDOW = timedelta(days=60)
CLOCKS_DIFFER = timedelta(days=1)
MOST_CANDIDATES = 1000  # of a batch, the newest: a newsletter has thousands of letters with one subject


@dataclass(frozen=True, slots=True)
class Candidate:
    """A letter that may be joined: of this batch, or stored (then `conversation_id` is set)."""

    subject_key: str
    people: frozenset[str]
    received_at: datetime
    joins_by_subject: bool
    is_root: bool = False
    is_alone: bool = False
    conversation_id: int | None = None

    def may_answer(self, other: "Candidate") -> bool:
        """Whether this reply could answer the other letter, or be answered by nobody just like it."""
        if self.subject_key != other.subject_key or self.people.isdisjoint(other.people):
            return False
        is_earlier = other.received_at <= self.received_at + CLOCKS_DIFFER
        return (is_earlier or other.joins_by_subject) and abs(self.received_at - other.received_at) <= WINDOW


def join_by_subject(
    mailbox: Mailbox,
    letters: dict[int, Candidate],
    join_letters: Callable[[int, int], None],
    join_conversation: Callable[[int, int], None],
) -> None:
    """Join what belongs together by subject. `letters` by their position in the batch, all of the batch."""
    replies = {at: one for at, one in letters.items() if one.joins_by_subject and one.is_alone}
    openers = {at: one for at, one in letters.items() if one.is_root and one.is_alone}
    stored = _stored(mailbox, replies.values(), openers.values())
    joined = set()
    for at, reply in replies.items():
        best = _nearest(reply, [*((None, one) for one in stored), *((n, one) for n, one in letters.items() if n != at)])
        if best is not None:
            position, other = best
            joined |= {at, position}
            if position is not None:
                join_letters(at, position)
            elif other.conversation_id is not None:
                join_conversation(at, other.conversation_id)
    for at, opener in openers.items():
        if at not in joined:
            waiting = [one for one in stored if one.is_alone and one.joins_by_subject and one.may_answer(opener)]
            for one in waiting[:1]:
                join_conversation(at, one.conversation_id or 0)


def _nearest(reply: Candidate, others: Iterable[tuple[int | None, Candidate]]) -> tuple[int | None, Candidate] | None:
    answered = [(position, one) for position, one in others if reply.may_answer(one)]
    return min(answered, key=lambda pair: abs(pair[1].received_at - reply.received_at), default=None)


def _stored(mailbox: Mailbox, replies: Iterable[Candidate], openers: Iterable[Candidate]) -> Sequence[Candidate]:
    """Stored letters that could be joined, in one query; none where nothing in the batch asks for it."""
    near = Q(pk__in=[])
    for group, among in ((list(replies), Q()), (list(openers), Q(joins_by_subject=True))):
        if group:
            dates = [one.received_at for one in group]
            near |= among & Q(
                conversation__subject_key__in={one.subject_key for one in group},
                received_at__range=(min(dates) - WINDOW, max(dates) + WINDOW),
            )
    others = Message.objects.filter(conversation=OuterRef("conversation"), joins_by_subject=False)
    found = (
        Message.objects.filter(near, mailbox=mailbox)
        .annotate(has_opener=Exists(others))
        .order_by("-received_at")
        .select_related("conversation")
        .only("from_address", "recipients", "received_at", "joins_by_subject", "conversation__subject_key")
    )[:MOST_CANDIDATES]
    return [] if near == Q(pk__in=[]) else [_candidate(mailbox, message) for message in found]


def _candidate(mailbox: Mailbox, message: Any) -> Candidate:
    people = {address.lower() for pairs in message.recipients.values() for _, address in pairs}
    people = (people | {message.from_address.lower()}) - {""}
    return Candidate(
        subject_key=message.conversation.subject_key,
        people=frozenset(people - {mailbox.address.lower()} or people),
        received_at=message.received_at,
        joins_by_subject=message.joins_by_subject,
        is_alone=not message.has_opener,
        conversation_id=message.conversation_id,
    )
