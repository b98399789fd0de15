"""What is done for letters on their way beside the requests."""

from letterdesk.lib.jobs import job


@job(name="outbound.deliver_due", priority=20)
def deliver_due() -> None:
    """Send what is due."""
