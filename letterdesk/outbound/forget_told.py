"""The record of what happened keeps no reader's hours: that somebody opened a letter goes a day after it was told.

A run goes from account to account in pieces, each a transaction of its own, for some seconds; the next one goes on
where it ended. One that dies in between leaves what it had not come to, for the next hour.
"""

import time
from datetime import datetime, timedelta

from django.db import transaction

from letterdesk.events.models import Event
from letterdesk.lib.crashpoint import reach

from .models import Tracking

TOLD_FOR = timedelta(days=1)
TOLD = ("letter.opened", "letter.clicked")
AT_ONCE = 500  # events in a transaction
LASTS = 20.0  # seconds of a run
REST = 0.1  # of the time that a piece took: others write meanwhile


def forget_told(*, now: datetime, begins_at: int = 0) -> int | None:
    """Remove such events, of the accounts from this key on, as far as a run goes. Outside any transaction.

    Returns the account at which the next run goes on; None: nothing is left.
    """
    until = time.monotonic() + LASTS
    accounts = Tracking.objects.filter(account__gte=begins_at).order_by("account").values_list("account", flat=True)
    for account_id in accounts.iterator():
        began = time.monotonic()
        while _forget_piece(account_id, now):
            if time.monotonic() > until:
                return account_id
            time.sleep(REST * (time.monotonic() - began))
            began = time.monotonic()
    return None


@transaction.atomic
def _forget_piece(account_id: int, now: datetime) -> bool:
    """Whether there were any."""
    told = Event.objects.filter(account=account_id, kind__in=TOLD, at__lte=now - TOLD_FOR)
    keys = list(told.exclude(dispatched_at=None).order_by("at").values_list("pk", flat=True)[:AT_ONCE])
    Event.objects.filter(pk__in=keys).delete()
    reach("forget_told.before_commit")
    return bool(keys)
