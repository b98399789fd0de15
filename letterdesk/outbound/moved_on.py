"""Whether a conversation has moved on since its answer was begun: what has come, gone out, or waits to go out.

What the writer had before them is a set of letters, each by the key of its Message-ID. So a letter that a colleague has
queued, its copy in Sent, and the one that the provider files are the same; and whatever joins a conversation, by a
merge too, is news. What lay on the server before we looked is none (R28), nor a draft, nor what lies in Spam or Trash.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.aside import not_aside
from letterdesk.mailboxes.models import Conversation, Message, ThreadKey
from letterdesk.mailboxes.ours import is_ours
from letterdesk.mailboxes.threading import key_of

from .models import Delivery, Draft, State

ON_ITS_WAY = (State.QUEUED, State.SENDING, State.DEFERRED, State.UNKNOWN)
AT_ONCE = timedelta(minutes=1)  # what leaves later than that is said to leave later


@dataclass(frozen=True, slots=True)
class Change:
    """A letter that the writer had not before them. `letter`: where it is here already; else it is `delivery` alone."""

    key: int
    who: str
    at: datetime
    is_ours: bool
    letter: Message | None = None
    delivery: Delivery | None = None
    sender: Employee | None = None

    def leaves_later(self, now: datetime) -> bool:
        """Whether it has not left, and will not at once."""
        return self.letter is None and self.at > now + AT_ONCE


class MovedOn(Exception):
    """The conversation has changed since its answer was begun. Nothing was sent; `changes`, the oldest first."""

    def __init__(self, changes: list[Change]) -> None:
        super().__init__(_("This conversation has changed since you began to write."))
        self.changes = changes


def seen_in(draft: Draft) -> list[int]:
    """The keys of all letters of the conversation that this draft answers, as it is now."""
    conversation = conversation_of(draft)
    if conversation is None:
        return []
    rows = [Message.objects.filter(conversation=conversation), _deliveries(conversation)]
    named = [pair for each in rows for pair in each.order_by().values_list("message_id", "blob")]
    return sorted({key_of(message_id or blob) for message_id, blob in named})


def changes(draft: Draft, *, known: Collection[int] = ()) -> list[Change]:
    """What has happened since, the oldest first, in three queries where nothing has.

    `known`: what the writer was told of before.
    """
    conversation = conversation_of(draft)
    if conversation is None:
        return []
    seen = {*draft.seen, *known}
    found = {each.key: each for each in (*_sending(draft, conversation, seen), *_letters(conversation, seen))}
    return sorted(found.values(), key=lambda each: each.at)


def lock_conversation(draft: Draft) -> None:
    """Who sends into the conversation after us waits until our transaction ends, and so does a letter that arrives."""
    while (conversation := conversation_of(draft)) is not None:
        Conversation.objects.select_for_update(no_key=True).filter(pk=conversation).first()
        if conversation_of(draft) == conversation:  # else it was merged while we waited
            return


def conversation_of(draft: Draft) -> int | None:
    """The key of the conversation that the draft answers, through merges and splits; None: a new letter, or it left."""
    answered = Message.objects.filter(pk=draft.answers_id) if draft.answers_id else Message.objects.none()
    found: int | None = answered.values_list("conversation_id", flat=True).first()
    if (
        found is None and draft.references and draft.mailbox_id is not None
    ):  # that letter is gone, and others of its conversation are not
        keys = ThreadKey.objects.filter(mailbox=draft.mailbox_id, key=key_of(draft.references[-1]))
        found = keys.values_list("conversation_id", flat=True).first()
    return found


def _letters(conversation: int, seen: set[int]) -> Iterable[Change]:
    unseen = _unseen(Message.objects.filter(conversation=conversation, is_history=False), seen)
    if not unseen:
        return
    new = list(Message.objects.filter(not_aside(), pk__in=unseen).annotate(is_ours=is_ours()))
    ids = [each.message_id for each in new if each.message_id]
    sent = Delivery.objects.filter(message_id__in=ids, answers__conversation=conversation).select_related("by")
    senders = {each.message_id: each.by for each in sent} if ids else {}
    for each in new:
        by = senders.get(each.message_id)
        name = by.name if by else each.from_name or each.from_address
        yield Change(_key(each), name, each.received_at, each.is_ours, letter=each, sender=by)


def _sending(draft: Draft, conversation: int, seen: set[int]) -> Iterable[Change]:
    unseen = _unseen(_deliveries(conversation).exclude(draft=draft.pk), seen)
    for each in Delivery.objects.filter(pk__in=unseen).select_related("by", "draft") if unseen else ():
        at, name = each.sent_at or max(each.created_at, each.due_at), each.by.name if each.by else each.sender
        yield Change(_key(each), name, at, is_ours=True, delivery=each, sender=each.by)


def _unseen(letters: QuerySet[Any], seen: set[int]) -> list[int]:
    """Of these letters or deliveries those that the writer had not before them: mostly none, so their keys alone."""
    rows = letters.order_by().values_list("pk", "message_id", "blob")
    return [pk for pk, message_id, blob in rows if key_of(message_id or blob) not in seen]


def _deliveries(conversation: int) -> QuerySet[Delivery]:
    """Letters into the conversation that are on their way, or have left."""
    found: QuerySet[Delivery] = Delivery.objects.filter(
        answers__conversation=conversation, state__in=[*ON_ITS_WAY, State.SENT]
    )
    return found


def _key(letter: Message | Delivery) -> int:
    return key_of(letter.message_id or letter.blob)
