"""Reminders: a conversation comes back at its time if nobody has answered by then.

What became of one is a pure function, `outcome`. It is asked when letters come, so that an answer ends the reminder at
once, and when its time has come. Reminders are columns of a conversation's mark: lists lay them in as they do snoozes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import F, Q, QuerySet

from letterdesk.accounts.models import Employee
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.automatic import MAIL_SYSTEMS

from . import marks
from .aside import lies_aside
from .models import Conversation, FolderRole, MailboxState, Mark, Message, Placement
from .ours import is_ours

AT_ONCE = 200
IN_STEP = timedelta(minutes=30)  # the longest an idle connection is left alone, and a little
SAME_LETTER = timedelta(minutes=1)  # between our clock at sending and the provider's at filing


class Outcome(StrEnum):
    """What became of a reminder. All but the first two end it."""

    WAITS = "waits"
    RETURNS = "returns"
    ANSWERED = "answered"  # another person wrote
    FOLLOWED = "followed"  # it had come back, and we wrote again
    GONE = "gone"  # at its time nothing of the conversation lay anywhere but in Trash or Spam


@dataclass(frozen=True, slots=True)
class Awaited:
    """An answer that is waited for since that moment; `reminded_at`: it has come back already (UTC)."""

    since: datetime
    remind_at: datetime
    reminded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter of the conversation. `roles`: of the folders in which it lies; none: it is gone from all of them."""

    received_at: datetime
    roles: Set[str]
    is_ours: bool = False  # `ours.py`: the writer's, or a colleague's who writes from the same mailbox
    is_automatic: bool = False  # of a machine: an automatic reply, a report of a mail system


def outcome(awaited: Awaited, letters: Iterable[Letter], *, now: datetime, is_in_step: bool) -> Outcome:
    """What is to become of the reminder at `now`. Pure.

    What a person answered counts wherever it lies but in Spam, also in Trash: somebody has had it in hand. Nothing of
    ours is an answer; once the conversation has come back, it is what the reminder was for. `is_in_step`: the mailbox
    knows what its server has; a reminder that could not know of an answer waits.
    """
    found = list(letters)
    if any(_answers(each, awaited.since) for each in found):
        return Outcome.ANSWERED
    if awaited.reminded_at is not None:
        wrote = any(each.is_ours and each.received_at > awaited.reminded_at for each in found)
        return Outcome.FOLLOWED if wrote else Outcome.WAITS
    if now < awaited.remind_at or not is_in_step:
        return Outcome.WAITS
    is_gone = all(not each.roles or lies_aside(each.roles) for each in found)
    return Outcome.GONE if is_gone else Outcome.RETURNS


def _answers(letter: Letter, since: datetime) -> bool:
    is_suspected = bool(letter.roles) and letter.roles <= {FolderRole.SPAM}
    is_draft = FolderRole.DRAFTS in letter.roles
    return letter.received_at > since and not (letter.is_ours or letter.is_automatic or is_suspected or is_draft)


def in_step(now: datetime) -> Q:
    """For marks: those of mailboxes that would know of an answer (R11, R13: a suspended one knows of none)."""
    connected = Q(mailbox__state=MailboxState.CONNECTED, mailbox__error_code="")
    return Q(mailbox__imap_host="") | (connected & Q(mailbox__last_synced_at__gte=now - IN_STEP))


# Carried out


def await_answer(conversation_id: int, *, since: datetime, remind_at: datetime, by: Employee | None) -> None:
    """A letter has left whose sender wants to be reminded. Inside the caller's transaction."""
    conversations = Conversation.objects.filter(pk=conversation_id).select_related("mailbox__account")
    for conversation in conversations:
        mark = Mark.objects.select_for_update().filter(conversation=conversation).first() or marks.new(conversation)
        marks.set_reminder(mark, since=since, remind_at=remind_at, by=by)
        mark.save()
        marks.tell_reminder("conversation.reminder_set", mark, by=by, until=remind_at.isoformat())


@transaction.atomic
def look_at(mailbox_id: int, *, now: datetime, conversations: Collection[str] = ()) -> int:
    """Letters came: reminders of this mailbox that they end. Returns how many.

    Looked at are `conversations` (public ids), and all others in which there is anything newer than what awaits an
    answer; so a batch of letters costs what it touches, not what is waited for.
    """
    newer = Q(conversation__newest_at__gt=F("awaited_since") + SAME_LETTER)
    these = Q(conversation__public_id__in=list(conversations))
    return len(
        _settle(Mark.objects.filter(newer | these, mailbox=mailbox_id, remind_at__isnull=False), now, is_in_step=False)
    )


def remind_due(*, now: datetime, limit: int = AT_ONCE) -> int:
    """What is due comes back, or ends; returns how many reminders were looked at, by index."""
    done, last = 0, 0
    while True:
        due = Mark.objects.awaiting().filter(in_step(now), remind_at__lte=now, conversation__merged_into=None)
        ids = list(due.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:limit])
        if not ids:
            return done
        with transaction.atomic():
            rows = Mark.objects.awaiting().filter(pk__in=ids, remind_at__lte=now)
            done += len(_settle(rows, now, is_in_step=True))
            reach("reminders.before_commit")
        last = ids[-1]


def _settle(marked: QuerySet[Mark], now: datetime, *, is_in_step: bool) -> list[Mark]:
    """Decide for each of these marks, locked, and write what became of it. Returns those that changed."""
    rows = marked.select_for_update(of=("self",)).select_related("conversation__mailbox__account", "remind_by")
    found = list(rows.order_by("pk"))
    letters = letters_of({each.conversation_id for each in found}) if found else {}
    changed = []
    for mark in found:
        awaited = Awaited(mark.awaited_since or now, mark.remind_at or now, mark.reminded_at)
        told = outcome(awaited, letters.get(mark.conversation_id, ()), now=now, is_in_step=is_in_step)
        if told == Outcome.WAITS:
            continue
        if told == Outcome.RETURNS:
            marks.bring_back(mark, now=now)
        else:
            marks.end_reminder(mark, why=told)
        changed.append(mark)
    return changed


def letters_of(conversations: Collection[int]) -> dict[int, list[Letter]]:
    """What `outcome` asks of the letters of these conversations, by their keys; two queries."""
    roles: defaultdict[int, set[str]] = defaultdict(set)
    places = Placement.objects.filter(conversation__in=conversations).shown()
    for message, role in places.values_list("message", "folder__role"):
        roles[message].add(role)
    found: defaultdict[int, list[Letter]] = defaultdict(list)
    columns = ("conversation", "received_at", "from_address", "is_automatic")
    letters: Sequence[Message] = (
        Message.objects.filter(conversation__in=conversations).annotate(ours=is_ours()).only(*columns)
    )
    for each in letters:
        is_automatic = each.is_automatic or each.from_address.lower().startswith(MAIL_SYSTEMS)
        letter = Letter(each.received_at, frozenset(roles[each.pk]), is_ours=each.ours, is_automatic=is_automatic)  # type: ignore[attr-defined]
        found[each.conversation_id].append(letter)
    return found


def follow_split(old: Conversation, new: Conversation) -> None:
    """A letter was split off: the reminder goes with the letter of ours for which it was set. In the transaction."""
    mark = Mark.objects.select_for_update().filter(conversation=old, remind_at__isnull=False).first()
    if mark is None:
        return
    until = mark.awaited_since + SAME_LETTER
    letters = Message.objects.filter(is_ours(), conversation__in=[old.pk, new.pk], received_at__lte=until)
    if letters.order_by("-received_at", "-pk").values_list("conversation", flat=True).first() == new.pk:
        marks.hand_over(mark, to=new)
