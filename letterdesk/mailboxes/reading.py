"""What the page of a conversation shows, at a moment, to one employee.

Everything is judged by the clock when it is read (R20), and asked in few queries whatever the number of rows.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from letterdesk.accounts.models import Employee

from .hide import without_hidden
from .models import Attachment, Conversation, Hold, Look, Message, Muted, Placement
from .retention.holds import tell_legal
from .retention.letters import shown, storage_line
from .retention.own_times import periods_of
from .retention.periods import Kept


@dataclass(frozen=True, slots=True)
class ReadLetter:
    """A letter on the page of its conversation."""

    message: Message
    places: list[Placement] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    storage: str = ""

    @property
    def is_unread(self) -> bool:
        return bool(self.places) and not any(place.is_seen for place in self.places)

    @property
    def is_flagged(self) -> bool:
        return any(place.is_flagged for place in self.places)

    @property
    def is_answered(self) -> bool:
        return any(place.is_answered for place in self.places)


def find_conversation(employee: Employee, public_id: str) -> Conversation | None:
    """The conversation behind an address that the employee may read; where it was merged, the one it went into.

    It knows its `last_look`: when this employee looked at it before, None: never; and whether it `is_muted` by them.
    """
    looks = Look.objects.visible_to(employee).filter(conversation=OuterRef("pk")).values("at")
    visible = Conversation.objects.visible_to(employee).select_related(
        "mailbox__account", "merged_into", "assignee", "department", "mark__remind_by"
    )
    muted = Muted.objects.visible_to(employee).filter(conversation=OuterRef("pk"))
    visible = visible.annotate(last_look=Subquery(looks), is_muted=Exists(muted))
    conversation: Conversation | None = visible.filter(public_id=public_id).first()
    seen: set[int] = set()
    while conversation is not None and conversation.merged_into_id is not None and conversation.pk not in seen:
        seen.add(conversation.pk)
        conversation = visible.filter(pk=conversation.merged_into_id).first()
    return conversation


def conversation_letters(
    conversation: Conversation,
    *,
    employee: Employee,
    now: datetime,
    period: Kept | None = None,
    readable: QuerySet[Message] | None = None,
) -> list[ReadLetter]:
    """The letters of a conversation that are shown at `now`, oldest first, in at most six queries.

    Without those that lie in no folder any more: a held one is read in its task (R27). `readable`: those that the
    employee may read by another right than one on the mailbox; of the mailbox these say nothing, neither places (with
    what was read or answered) nor storage.
    """
    period = period or periods_of(conversation.mailbox.account, now)
    visible = (Message.objects.visible_to(employee) if readable is None else readable).filter(conversation=conversation)
    messages = without_hidden(visible, employee, message="pk")  # R27
    letters = shown(messages, period.cutoff(now)).select_related("mailbox", "account")
    read = {message.pk: ReadLetter(message) for message in letters.order_by("received_at", "id")}
    places = Placement.objects.filter(message__in=list(read)).shown().select_related("folder")
    for place in places.order_by("folder_id", "id"):
        read[place.message_id].places.append(place)
    for attachment in Attachment.objects.filter(message__in=list(read)).order_by("message_id", "index"):
        read[attachment.message_id].attachments.append(attachment)
    lying = [each for each in read.values() if each.places]
    if readable is not None:
        return [ReadLetter(each.message, attachments=each.attachments) for each in lying]
    holds = _holds(lying)
    return [
        replace(
            each,
            storage=storage_line(
                each.message,
                now,
                period=period.in_folders((place.folder_id for place in each.places), each.message.mailbox_id),
                holds=holds[each.message.pk],
            ),
        )
        for each in lying
    ]


def letters_lying(conversation: Conversation, *, employee: Employee, now: datetime) -> list[Message]:
    """The same letters without their places and files, for what lies beside the conversation: three queries."""
    cutoff = periods_of(conversation.mailbox.account, now).cutoff(now)
    visible = Message.objects.visible_to(employee).filter(conversation=conversation)
    lying = Exists(Placement.objects.filter(message=OuterRef("pk")).shown())
    found = shown(without_hidden(visible, employee, message="pk"), cutoff).filter(lying)
    return list(found.select_related("mailbox__account").order_by("received_at", "id"))


def _holds(letters: Iterable[ReadLetter]) -> defaultdict[int, list[Hold]]:
    held = [letter.message.pk for letter in letters if letter.message.is_held]
    by_message: defaultdict[int, list[Hold]] = defaultdict(list)
    for hold in tell_legal(Hold.objects.filter(message__in=held)) if held else ():
        by_message[hold.message_id].append(hold)
    return by_message
