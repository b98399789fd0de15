"""Limits on how often something may be done, exact at any concurrency and across processes (C26)."""

from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from .models import Account, Pace


class TooFast(Exception):
    """Done too often. `again_at` says from when it works again; the text is for people."""

    def __init__(self, again_at: datetime, now: datetime) -> None:
        minutes = max(1, -int((now - again_at).total_seconds() // 60))
        super().__init__(f"Too many attempts. Try again in {minutes} minute{'' if minutes == 1 else 's'}.")
        self.again_at = again_at


def spend(account: Account, action: str, *, who: str = "", most: int, within: timedelta, now: datetime) -> None:
    """Count one use of the action, by `who` or by the whole account. Raises TooFast beyond `most` per span.

    Call it outside of the transaction of what it limits, so that what fails counts too.
    """
    begins_at = _beginning(now, within)
    ours = Pace.objects.filter(account=account, action=action, who=who, begins_at=begins_at)
    if _count(ours, most):
        return
    try:
        with transaction.atomic():
            Pace.objects.create(
                account=account, action=action, who=who, begins_at=begins_at, ends_at=begins_at + within, times=1
            )
    except IntegrityError:  # it exists: full, or another began it just now
        if not _count(ours, most):
            raise TooFast(begins_at + within, now) from None


def is_spent(account: Account, action: str, *, who: str = "", most: int, within: timedelta, now: datetime) -> bool:
    """Whether `spend` would refuse, by a look alone: so that a flood of refused ones writes nothing."""
    ours = Pace.objects.filter(account=account, action=action, who=who, begins_at=_beginning(now, within))
    return ours.filter(times__gte=most).exists()


def _count(ours: QuerySet[Pace], most: int) -> bool:
    return bool(ours.filter(times__lt=most).update(times=F("times") + 1))


def _beginning(now: datetime, within: timedelta) -> datetime:
    seconds = within.total_seconds()
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
