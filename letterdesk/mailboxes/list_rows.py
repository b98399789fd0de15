"""A conversation's line in a list, from the kept counters, or counted anew where some letters are not to be told."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from letterdesk.accounts.models import Employee

from .hide import without_hidden
from .models import Conversation, Mark, Placement
from .retention.letters import days_left, shown
from .retention.periods import Cutoff, Kept

SHOWN_SENDERS = 8


@dataclass(frozen=True, slots=True)
class Row:
    """A conversation's line in a list, in the folder in which it is listed."""

    conversation: Conversation
    folder_id: int
    newest_at: datetime
    senders: Sequence[str]
    snippet: str
    message_count: int
    unread_count: int
    is_flagged: bool
    has_attachments: bool
    days_left: int | None  # until the newest letter leaves Webmail, where that is soon
    label_ids: Sequence[int] = ()
    list_id: str = ""  # of a newsletter or mailing list
    is_pinned: bool = False
    is_back: bool = False  # from a snooze or a reminder, and not looked at since
    sleeps_until: datetime | None = None
    remind_at: datetime | None = None  # when it is to come back if nobody answers
    unanswered_since: datetime | None = None  # it is back: nobody has answered since then
    is_muted: bool = False  # the reader hears nothing of it
    is_held: bool = False  # a letter of it is (R4)


def letters_of(conversation_ids: Iterable[int], cutoff: Cutoff, employee: Employee) -> dict[int, list[Placement]]:
    """The shown places of the letters of conversations that are shown to the employee, oldest first."""
    places = Placement.objects.filter(conversation__in=list(conversation_ids)).shown()
    told = without_hidden(shown(places, cutoff), employee, message="message")
    by_conversation: defaultdict[int, list[Placement]] = defaultdict(list)
    for place in told.select_related("message").order_by("received_at", "message_id"):
        by_conversation[place.conversation_id].append(place)
    return by_conversation


def row_of(line: Any, places: list[Placement] | None, period: Kept, now: datetime) -> Row | None:
    """The row of a line; with `places`, from those letters alone. None: none of them lies there."""
    if places is not None and not any(place.folder_id == line.folder_id for place in places):
        return None
    told = _kept(line) if places is None else _counted(line, places)
    here = period.in_folder(line.folder_id, line.conversation.mailbox_id)
    return Row(
        conversation=line.conversation,
        folder_id=line.folder_id,
        days_left=None if line.is_held else days_left(told["newest_at"], here, now=now),
        label_ids=[int(pk) for pk in (line.label_ids or "").split(",") if pk],
        list_id=line.list_id or "",
        is_held=line.is_held,
        is_muted=line.is_muted,
        **told,
        **_marked(line, now),
    )


def mark_of(line: Any) -> Mark | None:
    """The mark of a line's conversation; asked of those lines alone that were fetched with theirs."""
    return getattr(line.conversation, "mark", None) if line.with_mark else None


def _marked(line: Any, now: datetime) -> dict[str, Any]:
    mark, newest_at = mark_of(line), line.conversation.newest_at
    if mark is None:
        return {}
    return {
        "is_pinned": mark.pinned_at is not None,
        "is_back": (mark.is_back(newest_at, now) or mark.reminded_at is not None) and not mark.is_looked_at,
        "sleeps_until": mark.snoozed_until if mark.sleeps(newest_at, now) else None,
        "remind_at": mark.remind_at if mark.reminded_at is None else None,
        "unanswered_since": mark.awaited_since if mark.reminded_at is not None else None,
    }


def _kept(line: Any) -> dict[str, Any]:
    conversation = line.conversation
    return {
        "newest_at": line.newest_at,
        "senders": conversation.senders,
        "snippet": conversation.snippet,
        "message_count": conversation.message_count,
        "unread_count": line.unread_count,
        "is_flagged": line.is_flagged,
        "has_attachments": conversation.has_attachments,
    }


def _counted(line: Any, places: list[Placement]) -> dict[str, Any]:
    here = [place for place in places if place.folder_id == line.folder_id]
    letters = list({place.message_id: place.message for place in places}.values())
    names = dict.fromkeys(letter.from_name or letter.from_address for letter in letters)
    return {
        "newest_at": here[-1].received_at,
        "senders": list(names)[:SHOWN_SENDERS],
        "snippet": letters[-1].snippet,
        "message_count": len(letters),
        "unread_count": len({place.message_id for place in here if not place.is_seen}),
        "is_flagged": any(place.is_flagged for place in here),
        "has_attachments": any(letter.has_attachments for letter in letters),
    }
