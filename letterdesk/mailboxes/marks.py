"""Pins and snoozes. They hold for all who read the mailbox, and the mail server learns nothing of them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record

from . import rows
from .models import Conversation, Labelled, Mailbox, Mark

COLUMNS = ("pinned_at", "snoozed_at", "snoozed_until", "newest_then", "is_looked_at", "told_at")
MOST_CONVERSATIONS_TOLD = 50
AT_ONCE = 500
Before = list[dict[str, Any]]


def mark(
    ids: Collection[int],
    kind: str,
    *,
    by: Employee,
    now: datetime,
    until: datetime | None = None,
    before: Before | None = None,
) -> int:
    """Pin, unpin, snooze until a moment, or wake conversations; returns how many. Inside the caller's transaction.

    What held before is added to `before`, for `put_back`.
    """
    conversations = list(Conversation.objects.filter(pk__in=ids, merged_into=None).select_related("mailbox__account"))
    marks = {each.conversation_id: each for each in Mark.objects.filter(conversation__in=ids).select_for_update()}
    if before is not None:
        before.append({"marks": {str(each.pk): _kept(marks.get(each.pk)) for each in conversations}})
    for each in conversations:
        mark = marks.get(each.pk) or Mark(account_id=each.account_id, mailbox_id=each.mailbox_id, conversation=each)
        _set(mark, kind, each, now=now, until=until)
        mark.by = by
        _write(mark)
    _tell("conversation.marked", conversations, by=by)
    return len(conversations)


def _set(mark: Mark, kind: str, conversation: Conversation, *, now: datetime, until: datetime | None) -> None:
    if kind in {"pin", "unpin"}:
        mark.pinned_at = now if kind == "pin" else None
        return
    asleep = kind == "snooze"
    mark.snoozed_at, mark.snoozed_until = (now, until) if asleep else (None, None)
    mark.newest_then = conversation.newest_at if asleep else None
    mark.is_looked_at, mark.told_at = False, None


def _write(mark: Mark) -> None:
    """A mark that marks nothing any more goes."""
    if mark.pinned_at is not None or mark.snoozed_until is not None:
        mark.save()
    elif mark.pk is not None:
        Mark.objects.filter(pk=mark.pk).delete()


def _kept(mark: Mark | None) -> dict[str, Any] | None:
    if mark is None:
        return None
    values = {column: getattr(mark, column) for column in COLUMNS}
    return {column: value.isoformat() if isinstance(value, datetime) else value for column, value in values.items()}


def put_back(kept: dict[str, dict[str, Any] | None], *, by: Employee) -> int:
    """Make the marks of conversations what they were. Inside the caller's transaction."""
    ids = [int(pk) for pk in kept]
    conversations = list(Conversation.objects.filter(pk__in=ids).select_related("mailbox__account"))
    Mark.objects.filter(conversation__in=ids).delete()
    for each in conversations:
        values = kept[str(each.pk)]
        if values is not None:
            mark = Mark(account_id=each.account_id, mailbox_id=each.mailbox_id, conversation=each, by=by)
            for column, value in values.items():
                setattr(mark, column, datetime.fromisoformat(value) if isinstance(value, str) else value)
            _write(mark)
    _tell("conversation.marked", conversations, by=by)
    return len(conversations)


def look_at(ids: Collection[int]) -> None:
    """Somebody looked at these: what came back from a snooze is not new any more."""
    Mark.objects.filter(conversation__in=ids, is_looked_at=False).exclude(snoozed_until=None).update(is_looked_at=True)


def tell_returned(*, now: datetime, limit: int = AT_ONCE) -> int:
    """Tell open pages what is back from its snooze. Lists judge by the clock and need nobody to tell them."""
    with transaction.atomic():
        due = Mark.objects.filter(told_at=None, snoozed_until__lte=now).select_related("conversation__mailbox__account")
        back = list(due.select_for_update(of=("self",))[:limit])
        Mark.objects.filter(pk__in=[each.pk for each in back]).update(told_at=now)
        _tell("conversation.returned", [each.conversation for each in back], by=None)
    return len(back)


@transaction.atomic
def carry_over(*, limit: int = AT_ONCE) -> int:
    """Conversations went into others, as letters joined them: labels and marks go along. Returns how many went."""
    merged = Q(conversation__merged_into__isnull=False)
    labelled = list(Labelled.objects.filter(merged).select_related("conversation")[:limit])
    joined = [
        Labelled(account_id=each.account_id, label_id=each.label_id, conversation_id=each.conversation.merged_into_id)
        for each in labelled
    ]
    rows.insert(joined, conflict="ON CONFLICT (label_id, conversation_id) DO NOTHING")
    Labelled.objects.filter(pk__in=[each.pk for each in labelled]).delete()
    marks = list(Mark.objects.filter(merged).select_related("conversation")[:limit])
    Mark.objects.filter(pk__in=[each.pk for each in marks]).delete()
    for each in marks:
        each.conversation_id = each.conversation.merged_into_id
    rows.insert(marks, conflict="ON CONFLICT (conversation_id) DO NOTHING")
    return len(labelled) + len(marks)


def forget_old(*, before: datetime) -> int:
    """Marks of snoozes that ended before that time, and that nothing else needs, go."""
    over = Q(snoozed_until__lt=before) & (Q(is_looked_at=True) | Q(conversation__newest_at__gt=F("snoozed_until")))
    return Mark.objects.filter(over, pinned_at=None).delete()[0]


def _tell(kind: str, conversations: Collection[Conversation], *, by: Employee | None) -> None:
    by_mailbox: dict[Mailbox, list[str]] = {}
    for each in conversations:
        by_mailbox.setdefault(each.mailbox, []).append(each.public_id)
    for mailbox, ids in by_mailbox.items():
        record(
            kind,
            account=mailbox.account,
            by=by,
            topic=mailbox.topic,
            conversations=ids[:MOST_CONVERSATIONS_TOLD],
            count=len(ids),
        )
