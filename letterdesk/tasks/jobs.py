"""What is done for tasks beside the requests."""

from django.utils import timezone

from letterdesk.lib.jobs import job

from .bin import purge_due


@job(name="tasks.purge_bin", priority=-10)
def purge_bin() -> None:
    """Hourly: remove what has lain in the bin for 30 days (R29)."""
    purge_due(now=timezone.now())
