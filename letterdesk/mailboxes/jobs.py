"""What is done for the store beside the requests."""

from django.utils import timezone

from letterdesk.lib.jobs import job

from .collect import collect
from .forget import forget_copies
from .search_index import forget_removed


@job(name="mailboxes.collect_blobs", priority=-10)
def collect_blobs() -> None:
    """Hourly: remove bytes that nobody has referred to for an hour."""
    now = timezone.now()
    while collect(now=now):
        pass


@job(name="mailboxes.forget_words", priority=-10)
def forget_words() -> None:
    """Hourly: let the words of removed letters leave the search index (F13)."""
    while forget_removed():
        pass


@job(name="mailboxes.forget_mailboxes", priority=-10)
def forget_mailboxes() -> None:
    """Hourly, and after a mailbox was disconnected so: remove the copies that somebody chose not to keep."""
    now = timezone.now()
    while forget_copies(now=now):
        pass
