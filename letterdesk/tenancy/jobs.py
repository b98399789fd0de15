"""What is done for whole accounts beside the requests."""

from django.utils import timezone

from letterdesk.lib.jobs import job

from .purge import purge_due


@job(name="tenancy.purge_closed", priority=-10)
def purge_closed() -> None:
    """Hourly: purge accounts whose deletion was asked for 30 days ago."""
    purge_due(now=timezone.now())
