"""Who opened a conversation that was shared with them, and when: for the mailbox's owner, for 90 days."""

from datetime import datetime, timedelta

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Conversation

from .models import Opening

KEPT = timedelta(days=90)
MOST = 200  # shown


def opened(conversation_id: int, *, by: Employee, now: datetime) -> None:
    """Write it down, once for each hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    row = Opening(account_id=by.account_id, conversation_id=conversation_id, employee=by, hour=hour)
    Opening.objects.bulk_create([row], ignore_conflicts=True)


def openings(conversation: Conversation, *, seen_by: Employee) -> list[Opening]:
    """The latest first, for who owns or manages the mailbox; else none."""
    found = Opening.objects.visible_to(seen_by).filter(conversation=conversation)
    return list(found.select_related("employee").order_by("-hour", "pk")[:MOST])


def forget_openings(*, now: datetime) -> int:
    """Delete what is older than 90 days."""
    gone, _rows = Opening.objects.filter(hour__lt=now - KEPT).delete()
    return gone
