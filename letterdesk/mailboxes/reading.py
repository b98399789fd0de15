"""What the list of a folder and the page of a conversation show, at a moment, to one employee.

Everything is judged by the clock when it is read (R20), and asked in few queries whatever the number of rows.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from letterdesk.accounts.models import Employee

from .models import Attachment, Conversation, Folder, Hold, Listing, Message, Placement
from .retention import Period, days_left, shown, storage_line

PAGE = 50
SHOWN_SENDERS = 8
FILTERS = {"": Q(), "unread": Q(unread_count__gt=0), "flagged": Q(is_flagged=True)}


class BadCursor(ValueError):
    """A place in a list that we did not hand out."""


@dataclass(frozen=True, slots=True)
class Row:
    """A conversation's line in the list of a folder."""

    conversation: Conversation
    newest_at: datetime
    senders: Sequence[str]
    snippet: str
    message_count: int
    unread_count: int
    is_flagged: bool
    has_attachments: bool
    days_left: int | None  # until the newest letter leaves Webmail, where that is soon


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list; `next` is the cursor of what follows, "" at the end; `total` counts all pages."""

    rows: list[Row]
    next: str
    total: int


def list_folder(
    folder: Folder,
    *,
    employee: Employee,
    now: datetime,
    period: Period | None = None,
    before: str = "",
    limit: int = PAGE,
    only: str = "",
) -> Page:
    """The conversations of a folder that are shown at `now`, newest first: one query, seldom two, one for the plan.

    `before` is the `next` of the page above; `only` is "", "unread" or "flagged". A page may hold fewer rows than
    `limit` although more follow. Raises BadCursor.
    """
    period = period or Period.of(folder.account, now)
    cutoff = period.cutoff(now)
    lines = Listing.objects.filter(FILTERS[only], folder=folder)
    page = shown(lines.visible_to(employee), cutoff).order_by("-newest_at", "-id").select_related("conversation")
    found = list(_annotated(_before(page, before), lines, cutoff)[: limit + 1])
    past = [line.conversation_id for line in found if getattr(line, "has_left", False)]
    letters = _letters_of(past, cutoff) if past else {}
    rows = [_row(line, letters.get(line.conversation_id), period, now) for line in found[:limit]]
    kept = [row for row in rows if row is not None and _still_fits(row, only)]
    following = _cursor(found[limit - 1]) if len(found) > limit else ""
    return Page(rows=kept, next=following, total=found[0].total if found else 0)


def _annotated(page: QuerySet[Any], lines: QuerySet[Any], cutoff: datetime | None) -> Any:
    """With the total, and whether letters of the conversation have left but are not swept away yet."""
    if cutoff is None:
        return page.annotate(total=count_of(lines))
    # Two counts, each of one range of an index: an OR would read every row.
    total = count_of(lines.filter(newest_at__gt=cutoff)) + count_of(lines.filter(newest_at__lte=cutoff, is_held=True))
    left = Message.objects.filter(conversation=OuterRef("conversation"), received_at__lte=cutoff, is_held=False)
    return page.annotate(total=total, has_left=Exists(left))


def count_of(rows: QuerySet[Any]) -> Any:
    """The number of rows of one folder, as a sub-select."""
    counted = rows.order_by().values("folder").annotate(count=Count("*")).values("count")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _before(page: QuerySet[Any], before: str) -> QuerySet[Any]:
    if not before:
        return page
    try:
        microseconds, pk = map(int, before.split("."))
        newest_at = datetime.fromtimestamp(microseconds // 1_000_000, tz=UTC).replace(
            microsecond=microseconds % 1_000_000
        )
    except (ValueError, OverflowError, OSError) as error:
        raise BadCursor(before) from error
    older = Q(newest_at__lt=newest_at) | Q(newest_at=newest_at, pk__lt=pk)
    return page.filter(older, newest_at__lte=newest_at)


def _cursor(line: Listing) -> str:
    moment = line.newest_at
    return f"{int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond}.{line.pk}"


def _still_fits(row: Row, only: str) -> bool:
    return (only != "unread" or row.unread_count > 0) and (only != "flagged" or row.is_flagged)


def _letters_of(conversation_ids: Iterable[int], cutoff: datetime | None) -> dict[int, list[Placement]]:
    """The shown places of the shown letters of conversations, oldest first."""
    places = Placement.objects.filter(conversation__in=list(conversation_ids)).shown()
    by_conversation: defaultdict[int, list[Placement]] = defaultdict(list)
    for place in shown(places, cutoff).select_related("message").order_by("received_at", "message_id"):
        by_conversation[place.conversation_id].append(place)
    return by_conversation


def _row(line: Listing, places: list[Placement] | None, period: Period, now: datetime) -> Row | None:
    """From the kept counters, or, where letters of the conversation have left, from those that have not."""
    conversation = line.conversation
    if places is None:
        return Row(
            conversation=conversation,
            newest_at=line.newest_at,
            senders=conversation.senders,
            snippet=conversation.snippet,
            message_count=conversation.message_count,
            unread_count=line.unread_count,
            is_flagged=line.is_flagged,
            has_attachments=conversation.has_attachments,
            days_left=None if line.is_held else days_left(line.newest_at, period, now=now),
        )
    here = [place for place in places if place.folder_id == line.folder_id]
    if not here:
        return None
    letters = list({place.message_id: place.message for place in places}.values())
    names = dict.fromkeys(letter.from_name or letter.from_address for letter in letters)
    return Row(
        conversation=conversation,
        newest_at=here[-1].received_at,
        senders=list(names)[:SHOWN_SENDERS],
        snippet=letters[-1].snippet,
        message_count=len(letters),
        unread_count=len({place.message_id for place in here if not place.is_seen}),
        is_flagged=any(place.is_flagged for place in here),
        has_attachments=any(letter.has_attachments for letter in letters),
        days_left=None if line.is_held else days_left(here[-1].received_at, period, now=now),
    )


# A conversation


@dataclass(frozen=True, slots=True)
class ReadLetter:
    """A letter on the page of its conversation."""

    message: Message
    places: list[Placement] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    storage: str = ""

    @property
    def is_unread(self) -> bool:
        return not any(place.is_seen for place in self.places)

    @property
    def is_flagged(self) -> bool:
        return any(place.is_flagged for place in self.places)

    @property
    def is_answered(self) -> bool:
        return any(place.is_answered for place in self.places)


def find_conversation(employee: Employee, public_id: str) -> Conversation | None:
    """The conversation behind an address that the employee may read; where it was merged, the one it went into."""
    visible = Conversation.objects.visible_to(employee).select_related("mailbox__account", "merged_into")
    conversation: Conversation | None = visible.filter(public_id=public_id).first()
    seen: set[int] = set()
    while conversation is not None and conversation.merged_into_id is not None and conversation.pk not in seen:
        seen.add(conversation.pk)
        conversation = visible.filter(pk=conversation.merged_into_id).first()
    return conversation


def conversation_letters(
    conversation: Conversation, *, employee: Employee, now: datetime, period: Period | None = None
) -> list[ReadLetter]:
    """The letters of a conversation that are shown at `now`, oldest first, in at most five queries.

    Without those that lie in no folder any more: a held one is read in its task (R27).
    """
    period = period or Period.of(conversation.mailbox.account, now)
    messages = Message.objects.visible_to(employee).filter(conversation=conversation)
    letters = shown(messages, period.cutoff(now)).select_related("mailbox", "account")
    read = {message.pk: ReadLetter(message) for message in letters.order_by("received_at", "id")}
    places = Placement.objects.filter(message__in=list(read)).shown().select_related("folder")
    for place in places.order_by("folder_id", "id"):
        read[place.message_id].places.append(place)
    for attachment in Attachment.objects.filter(message__in=list(read)).order_by("message_id", "index"):
        read[attachment.message_id].attachments.append(attachment)
    holds = _holds(read.values())
    return [
        ReadLetter(
            message=each.message,
            places=each.places,
            attachments=each.attachments,
            storage=storage_line(each.message, now, period=period, holds=holds[each.message.pk]),
        )
        for each in read.values()
        if each.places
    ]


def _holds(letters: Iterable[ReadLetter]) -> defaultdict[int, list[Hold]]:
    held = [letter.message.pk for letter in letters if letter.message.is_held]
    by_message: defaultdict[int, list[Hold]] = defaultdict(list)
    for hold in Hold.objects.filter(message__in=held) if held else ():
        by_message[hold.message_id].append(hold)
    return by_message
