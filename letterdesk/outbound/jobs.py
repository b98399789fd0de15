"""What is done for letters on their way beside the requests."""

from django.utils import timezone

from letterdesk.lib.jobs import job

from .deliver import deliver
from .resolve import look_for
from .sweep import sweep


@job(name="outbound.deliver_due", priority=20)
def deliver_due() -> None:
    """Send what is due (woken by what was queued, and each minute), and look for letters of which nobody knows."""
    try:
        deliver(now=timezone.now(), clock=timezone.now)
    finally:
        look_for(now=timezone.now())


@job(name="outbound.sweep_sent", priority=-10)
def sweep_sent() -> None:
    """Nightly: forget letters that were done with 30 days ago."""
    while sweep(now=timezone.now()):
        pass
