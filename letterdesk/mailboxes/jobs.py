"""What is done for the store beside the requests."""

from django.utils import timezone

from letterdesk.lib.jobs import job

from .collect import collect
from .forget import forget_copies
from .legal import free
from .marks import carry_over, forget_old, tell_returned
from .search_index import forget_removed
from .sweep import sweep
from .undoing import KEPT, forget_actions


@job(name="mailboxes.collect_blobs", priority=-10)
def collect_blobs() -> None:
    """Every ten minutes: remove bytes that nobody has referred to for half an hour."""
    now = timezone.now()
    while collect(now=now):
        pass


@job(name="mailboxes.sweep_letters", priority=-10)
def sweep_letters() -> None:
    """Every ten minutes: remove letters whose period has ended (R9), so that they are gone within the hour (R20)."""
    sweep(now=timezone.now())


@job(name="mailboxes.free_released", priority=-10)
def free_released() -> None:
    """Hourly: what a legal hold held that was released 30 days ago follows the rules again (F08)."""
    free(now=timezone.now())


@job(name="mailboxes.wake_snoozed")
def wake_snoozed() -> None:
    """Every minute: tell open pages what is back from its snooze, and take labels and pins along with merges."""
    now = timezone.now()
    while tell_returned(now=now) or carry_over():
        pass


@job(name="mailboxes.forget_actions", priority=-10)
def forget_old_actions() -> None:
    """Daily: remove what was done longer ago than "Recent actions" shows, and marks that mark nothing any more."""
    now = timezone.now()
    forget_actions(now=now)
    forget_old(before=now - KEPT)


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
