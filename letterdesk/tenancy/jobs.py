"""What is done for whole accounts beside the requests."""

from django.utils import timezone

from letterdesk.lib.jobs import job

from .own_export import follow, make
from .purge import purge_due


@job(name="tenancy.purge_closed", priority=-10)
def purge_closed() -> None:
    """Hourly: purge accounts whose deletion was asked for 30 days ago."""
    purge_due(now=timezone.now())


@job(name="tenancy.make_export", retries=0, priority=-5)
def make_export(export_id: int) -> None:
    """Make an export that an administrator asked for; one that is made, or being made, is left alone."""
    make(export_id, now=timezone.now())


@job(name="tenancy.follow_exports", priority=-10)
def follow_exports() -> None:
    """Every ten minutes: wake exports that still wait, fail those that nobody makes, remove those that are over."""
    for waiting in follow(now=timezone.now()):
        make_export.later(waiting)
