"""Pins, snoozes, reminders. They hold for all who read the mailbox, and the mail server learns nothing of them."""

from collections.abc import Collection
from copy import copy
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record

from . import rows
from .models import Conversation, Labelled, Mailbox, Mark

REMINDER = ("awaited_since", "remind_at", "reminded_at", "remind_by_id")
SNOOZE = ("snoozed_at", "snoozed_until", "newest_then", "is_looked_at", "told_at")
# What is set and taken back together, by the column that says whether it is so.
GROUPS = {"pinned_at": ("pinned_at",), "snoozed_until": SNOOZE, "remind_at": (*REMINDER, "is_looked_at")}
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
    """Pin, unpin, snooze until a moment, wake; remind at a moment if nobody answers, or do not. Returns how many.

    Inside the caller's transaction. What held before is added to `before`, for `put_back`.
    """
    conversations = list(Conversation.objects.filter(pk__in=ids, merged_into=None).select_related("mailbox__account"))
    marks = {each.conversation_id: each for each in Mark.objects.filter(conversation__in=ids).select_for_update()}
    changed: dict[str, Any] = {}
    for each in conversations:
        mark = marks.get(each.pk) or new(each)
        was = copy(mark)
        _set(mark, kind, each, by=by, now=now, until=until)
        changed[str(each.pk)] = _change(was, mark)
        mark.by = by
        _write(mark)
    if before is not None:
        before.append({"marks": changed})
    _tell("conversation.marked", conversations, by=by)
    return len(conversations)


def new(conversation: Conversation) -> Mark:
    """A mark that marks nothing yet, and is not saved."""
    return Mark(account_id=conversation.account_id, mailbox_id=conversation.mailbox_id, conversation=conversation)


def _set(
    mark: Mark, kind: str, conversation: Conversation, *, by: Employee, now: datetime, until: datetime | None
) -> None:
    if kind in {"pin", "unpin"}:
        mark.pinned_at = now if kind == "pin" else None
        return
    if kind == "remind" and until is not None:
        set_reminder(mark, since=conversation.newest_at or now, remind_at=until, by=by)
        tell_reminder("conversation.reminder_set", mark, by=by, until=until.isoformat())
        return
    if kind == "unremind":
        if mark.remind_at is not None:
            tell_reminder("conversation.reminder_ended", mark, by=by, why="taken_back")
        forget_reminder(mark)
        return
    asleep = kind == "snooze"
    if asleep and mark.reminded_at is not None:
        mark.remind_at, mark.reminded_at = until, None  # it comes back then as it came back now
    mark.snoozed_at, mark.snoozed_until = (now, until) if asleep else (None, None)
    mark.newest_then = conversation.newest_at if asleep else None
    mark.is_looked_at, mark.told_at = False, None


def _write(mark: Mark) -> None:
    """A mark that marks nothing any more goes."""
    if mark.pinned_at is not None or mark.snoozed_until is not None or mark.remind_at is not None:
        mark.save()
    elif mark.pk is not None:
        Mark.objects.filter(pk=mark.pk).delete()


def _change(was: Mark, mark: Mark) -> dict[str, Any]:
    """By the column of each group that changed: what that column became, and what the columns of the group were."""
    return {
        key: [_packed(getattr(mark, key)), {column: _packed(getattr(was, column)) for column in columns}]
        for key, columns in GROUPS.items()
        if any(getattr(was, column) != getattr(mark, column) for column in columns if column in {key, *REMINDER})
    }


def _packed(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _unpacked(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def put_back(changed: dict[str, dict[str, Any]], *, by: Employee) -> int:
    """Make what was changed of the marks of conversations what it was, where nobody has changed it since.

    Inside the caller's transaction.
    """
    ids = [int(pk) for pk in changed]
    conversations = list(Conversation.objects.filter(pk__in=ids).select_related("mailbox__account"))
    marks = {each.conversation_id: each for each in Mark.objects.filter(conversation__in=ids).select_for_update()}
    for each in conversations:
        mark = marks.get(each.pk) or new(each)
        for key, (became, was) in changed[str(each.pk)].items():
            if getattr(mark, key) == _unpacked(became):
                for column, value in was.items():
                    setattr(mark, column, _unpacked(value))
        mark.by = by
        _write(mark)
    _tell("conversation.marked", conversations, by=by)
    return len(conversations)


def look_at(ids: Collection[int]) -> None:
    """Somebody looked at these: what came back is not new any more."""
    back = Mark.objects.filter(conversation__in=ids, is_looked_at=False)
    back.exclude(snoozed_until=None, reminded_at=None).update(is_looked_at=True)


# Reminders


def set_reminder(mark: Mark, *, since: datetime, remind_at: datetime, by: Employee | None) -> None:
    """This mark's conversation comes back then, unless somebody answers what was written until `since`."""
    mark.awaited_since, mark.remind_at, mark.reminded_at, mark.remind_by = since, remind_at, None, by


def forget_reminder(mark: Mark) -> None:
    """This mark reminds of nothing any more."""
    mark.awaited_since = mark.remind_at = mark.reminded_at = mark.remind_by = None


def bring_back(mark: Mark, *, now: datetime) -> None:
    """Nobody has answered: the conversation is at the top, also where it was snoozed. Inside the transaction."""
    mark.reminded_at, mark.is_looked_at = now, False
    mark.snoozed_at = mark.snoozed_until = mark.newest_then = None
    mark.save()
    tell_reminder("conversation.reminded", mark, by=None, since=(mark.awaited_since or now).isoformat())


def end_reminder(mark: Mark, *, why: str, by: Employee | None = None) -> None:
    """It reminds no more, and the conversation's history says why. Inside the transaction."""
    tell_reminder("conversation.reminder_ended", mark, by=by, why=why)
    forget_reminder(mark)
    _write(mark)


def dismiss(ids: Collection[int], *, by: Employee, before: Before) -> set[int]:
    """Somebody dealt with these: what was back for want of an answer reminds no more. Returns which were back.

    Who may only read deals with nothing for others: these remain as they are.
    """
    reminded = Mark.objects.reminded().filter(conversation__in=ids).select_for_update(of=("self",))
    back = list(reminded.select_related("conversation__mailbox__account").order_by("pk"))
    mine = Conversation.objects.editable_by(by).filter(pk__in=[each.conversation_id for each in back])
    may = set(mine.values_list("pk", flat=True)) if back else set()
    changed: dict[str, Any] = {}
    for each in back:
        if each.conversation_id in may:
            was = copy(each)
            end_reminder(each, why="done", by=by)
            changed[str(each.conversation_id)] = _change(was, each)
    if changed:
        before.append({"marks": changed})
    return {each.conversation_id for each in back}


def hand_over(mark: Mark, *, to: Conversation) -> None:
    """The reminder of this mark is that of another conversation from now on. Inside the transaction."""
    other = Mark.objects.select_for_update().filter(conversation=to).first() or new(to)
    for column in REMINDER:
        setattr(other, column, getattr(mark, column))
    other.is_looked_at = mark.is_looked_at
    other.save()
    forget_reminder(mark)
    _write(mark)


def tell_reminder(kind: str, mark: Mark, *, by: Employee | None, **facts: object) -> None:
    """Record what became of a reminder; the facts name whom it was for."""
    mailbox, conversation = mark.conversation.mailbox, mark.conversation
    whose = f"employee:{mark.remind_by.public_id}" if mark.remind_by else ""
    record(
        kind, account=mailbox.account, by=by, topic=mailbox.topic, subject=f"conversation:{conversation.public_id}",
        conversations=[conversation.public_id], to=whose, **facts,
    )  # fmt: skip


# Carried out


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
    marks = list(Mark.objects.filter(merged).select_related("conversation__merged_into").order_by("pk")[:limit])
    for each in marks:
        if each.conversation.merged_into is not None:
            _go_along(each, to=each.conversation.merged_into)
    return len(labelled) + len(marks)


def _go_along(mark: Mark, *, to: Conversation) -> None:
    """All that this mark says holds for the other conversation; a pin and a snooze where that has none of its own."""
    other = Mark.objects.select_for_update().filter(conversation=to).first() or new(to)
    for key, columns in GROUPS.items():
        if getattr(mark, key) is not None and (key == "remind_at" or getattr(other, key) is None):
            for column in columns:
                setattr(other, column, getattr(mark, column))
    other.by = other.by or mark.by
    mark.delete()
    _write(other)


def forget_old(*, before: datetime) -> int:
    """Marks of snoozes that ended before that time, and that nothing else needs, go."""
    over = Q(snoozed_until__lt=before) & (Q(is_looked_at=True) | Q(conversation__newest_at__gt=F("snoozed_until")))
    return Mark.objects.filter(over, pinned_at=None, remind_at=None).delete()[0]


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
