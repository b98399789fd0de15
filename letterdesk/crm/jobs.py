"""What is done for CRM beside the requests."""

from django.utils import timezone

from letterdesk.lib.jobs import job

from .bin import purge_due


@job(name="crm.purge_bin", priority=-10)
def purge_bin() -> None:
    """Hourly: remove what has lain in CRM's bin for 30 days (R8)."""
    purge_due(now=timezone.now())
