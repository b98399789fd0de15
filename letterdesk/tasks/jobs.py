"""What is done for tasks beside the requests."""

from django.utils import timezone

from letterdesk.lib.jobs import job

from .bin import purge_due
from .notices import forget_notices, tell_due, tell_overdue


@job(name="tasks.tell_reminders")
def tell_reminders() -> None:
    """Every minute: tell the reminders that are due, and once a day what is overdue."""
    now = timezone.now()
    while tell_due(now=now):
        pass
    tell_overdue(now=now)


@job(name="tasks.forget_notices", priority=-10)
def forget_old_notices() -> None:
    """Daily: remove notices that are not listed any more."""
    forget_notices(now=timezone.now())


@job(name="tasks.purge_bin", priority=-10)
def purge_bin() -> None:
    """Hourly: remove what has lain in the bin for 30 days (R29)."""
    purge_due(now=timezone.now())
