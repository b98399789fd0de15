"""What is done for plans beside the requests."""

from datetime import timedelta

from django.utils import timezone

from letterdesk.lib.jobs import job

from .models import Usage
from .usage import recount


@job(name="plans.audit_usage", priority=-10)
def audit_usage() -> None:
    """Nightly: count the months that still change anew from their ledger; where they differ it wins, and is told."""
    for usage in Usage.objects.filter(month__gte=timezone.now().date() - timedelta(days=62)).iterator():
        recount(usage, repair=True)
