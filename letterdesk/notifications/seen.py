"""What was looked at is not new any more; and what is old is not kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Conversation, Muted
from letterdesk.mailboxes.retention.pace import in_pieces
from letterdesk.tasks.models import Notice

from .decide import OF_NOBODY
from .lines import Line
from .models import Kind, Notification, Telling

AT_ONCE = 500  # lines in a statement
KEPT = timedelta(days=30)  # R9 of what they are about may be sooner: they go with it


def see_all(employee: Employee, *, now: datetime) -> None:
    """Everything that this person was told is seen."""
    Notification.objects.visible_to(employee).unseen().update(seen_at=now)
    Notice.objects.visible_to(employee).filter(seen_at=None).update(seen_at=now)


def see(employee: Employee, pk: int, *, now: datetime) -> None:
    """This line is seen."""
    Notification.objects.visible_to(employee).unseen().filter(pk=pk).update(seen_at=now)


def see_conversation(employee: Employee, conversation: Conversation, *, now: datetime) -> None:
    """This person reads the conversation: its lines are seen, and that there are new letters in its mailbox."""
    about = Q(conversation=conversation) | Q(kind=Kind.LETTERS, mailbox=conversation.mailbox_id)
    Notification.objects.filter(about, employee=employee, seen_at=None).update(seen_at=now)


def see_muted(employee: Employee, *, now: datetime) -> None:
    """This person wants to hear nothing of what they have muted: its lines are seen, those that call them are not."""
    muted = Muted.objects.visible_to(employee).values("conversation")
    rows = Notification.objects.visible_to(employee).unseen().filter(kind__in=OF_NOBODY, conversation__in=muted)
    rows.update(seen_at=now)


def be_present(employee: Employee, *, now: datetime) -> None:
    """A page of this person asked for news while it was looked at."""
    Telling.objects.filter(employee=employee).update(present_at=now)


def mark(lines: Sequence[Line], **when: datetime) -> None:
    """Note that these lines went out (`pushed_at` or `mailed_at`); one that was counted on meanwhile goes out again."""
    for line in lines:
        type(line.row)._default_manager.filter(pk=line.row.pk, count=line.row.count).update(**when)


def forget(*, now: datetime) -> int:
    """Remove what was told more than 30 days ago, and of conversations that are gone, in pieces. Returns how many.

    Outside any transaction.
    """
    old = Notification.objects.filter(at__lt=now - KEPT).order_by("at")
    orphaned = Notification.objects.orphaned().order_by("pk")
    return in_pieces(lambda: _remove(old)) + in_pieces(lambda: _remove(orphaned))


def _remove(lines: QuerySet[Notification]) -> int:
    keys = list(lines.values_list("pk", flat=True)[:AT_ONCE])
    Notification.objects.filter(pk__in=keys).delete()
    return len(keys)
