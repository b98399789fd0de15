"""What is no longer needed goes: letters that were sent or stopped, drafts of mailboxes whose copies were removed,
days that are over, and what was remembered of drafts' copies on servers that never said that they have them no more.

A letter of which somebody has yet to hear stays (`trouble.py`).
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from letterdesk.mailboxes import collect

from .drafts import remove
from .models import Delivery, Draft, DraftCopy, SentOnDay, State
from .server_copies import forget
from .tracking import forget_unheld

KEPT = timedelta(days=30)
AT_ONCE = 500


@transaction.atomic
def sweep(*, now: datetime) -> int:
    """Remove a piece of it; returns how many rows went. Call until it returns 0."""
    done = Delivery.objects.filter(state__in=[State.SENT, State.CANCELLED], due_at__lte=now - KEPT, trouble_at=None)
    to_keep = Q(state=State.SENT, is_kept=False) & ~Q(about="")  # its copy is not taken yet (R6)
    rows = list(done.exclude(to_keep).order_by("pk")[:AT_ONCE])
    for row in rows:
        collect.let_go_of_all(row.account_id, row.holder, now=now)
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).delete()
    SentOnDay.objects.filter(day__lt=(now - KEPT).date()).delete()
    drafts = list(Draft.objects.filter(mailbox__forgotten_at__lte=now - KEPT).order_by("pk")[:AT_ONCE])
    for draft in drafts:
        remove(draft, now=now)
    lost = Q(draft=None, created_at__lte=now - KEPT) | Q(mailbox__forgotten_at__lte=now - KEPT)
    copies = list(DraftCopy.objects.filter(lost).order_by("pk")[:AT_ONCE])
    forget(copies, now=now)
    return len(rows) + len(drafts) + len(copies) + forget_unheld(limit=AT_ONCE)
