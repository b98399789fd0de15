"""What is no longer needed goes: letters that were sent or stopped, drafts of mailboxes whose copies were removed."""

from datetime import datetime, timedelta

from django.db import transaction

from letterdesk.mailboxes import collect

from .drafts import remove
from .models import Delivery, Draft, State

KEPT = timedelta(days=30)
AT_ONCE = 500


@transaction.atomic
def sweep(*, now: datetime) -> int:
    """Remove a piece of it; returns how many rows went. Call until it returns 0."""
    done = Delivery.objects.filter(state__in=[State.SENT, State.CANCELLED], due_at__lte=now - KEPT)
    rows = list(done.order_by("pk")[:AT_ONCE])
    for row in rows:
        collect.let_go_of_all(row.account_id, row.holder, now=now)
    Delivery.objects.filter(pk__in=[row.pk for row in rows]).delete()
    drafts = list(Draft.objects.filter(mailbox__forgotten_at__lte=now - KEPT).order_by("pk")[:AT_ONCE])
    for draft in drafts:
        remove(draft, now=now)
    return len(rows) + len(drafts)
