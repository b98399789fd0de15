"""Activities go for good: their bytes are given back, and the letters in Webmail know that no copy is left (R8, R9)."""

from collections.abc import Collection
from datetime import datetime

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record as tell
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes import collect, in_crm
from letterdesk.outbound import tracking

from ..models import Activity, LetterCopy, Thread


def forget_activities(account_id: int, ids: Collection[int], *, by: Employee | None, now: datetime) -> None:
    """Remove these activities of an account. Inside the caller's transaction, the account locked."""
    if not ids:
        return
    activities = Activity.objects.filter(account=account_id, pk__in=list(ids))
    holders = [activity.holder for activity in activities.only("pk")]
    threads = list(activities.values_list("thread_id", flat=True))
    copies = list(LetterCopy.objects.filter(activity__in=list(ids)).values_list("mailbox_id", "blob"))
    in_crm.clear(account_id, copies)
    activities.delete()
    forget_threads(threads)
    collect.let_go_of_holders(account_id, holders, now=now)
    tracking.let_go(account_id, holders)
    tell("activity.purged", account=Account.objects.get(pk=account_id), by=by, count=len(holders))
    reach("activity_purge.before_commit")


def forget_threads(ids: Collection[int]) -> None:
    """Remove those of these threads in which nothing is left. Where a person took one away holds for what answers it:
    such a thread stays, with its Message-IDs, as long as the record does."""
    Thread.objects.filter(pk__in=list(ids), activities=None, unlinked=None).delete()
