"""What is done for the store beside the requests."""

from django.utils import timezone

from letterdesk.accounts.models import Account
from letterdesk.events.models import Event
from letterdesk.lib.jobs import job

from . import quarantine
from .collect import collect
from .forget import forget_copies
from .marks import carry_over, forget_old, tell_returned
from .models import Mailbox, Mark
from .reminders import look_at, remind_due
from .retention import chain
from .retention.legal import cover_all, free
from .retention.sweep import sweep
from .search.index import forget_removed
from .tally import audit, fold
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


@job(name="mailboxes.cover_holds")
def cover_holds() -> None:
    """Every minute, and after a legal hold was placed: write the rows of its letters that are still to come (F07)."""
    cover_all(now=timezone.now())


def after_hold_placed(event: Event) -> None:
    """A reaction to `hold.placed`: a large one is completed at once."""
    cover_holds.later()


@job(name="mailboxes.free_released", priority=-10)
def free_released() -> None:
    """Hourly: what a legal hold held that was released 30 days ago follows the rules again (F08)."""
    now = timezone.now()
    free(now=now)
    while quarantine.forget_gone(now=now):
        pass


@job(name="mailboxes.wake_snoozed")
def wake_snoozed() -> None:
    """Every minute: tell open pages what is back from its snooze, and take labels and pins along with merges."""
    now = timezone.now()
    while tell_returned(now=now) or carry_over():
        pass


@job(name="mailboxes.remind")
def remind() -> None:
    """Every minute: conversations in which nobody has answered come back, where somebody wanted to be reminded."""
    remind_due(now=timezone.now())


def after_letters(event: Event) -> None:
    """A reaction to `message.received`: an answer ends the reminder of its conversation."""
    awaited = Mark.objects.filter(remind_at__isnull=False, mailbox__account=event.account_id)
    mailboxes = awaited.filter(mailbox__public_id=event.topic.removeprefix("mailbox:"))
    for mailbox_id in set(mailboxes.values_list("mailbox", flat=True)):
        look_at(mailbox_id, now=timezone.now(), conversations=event.facts.get("conversations", ()))


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


@job(name="mailboxes.check_receipts", priority=-10)
def check_receipts() -> None:
    """Nightly: check all receipts of all accounts, the oldest included (F19)."""
    for account in Account.objects.order_by("pk").iterator():
        chain.check(account, now=timezone.now())


@job(name="mailboxes.fold_tallies", priority=-10)
def fold_tallies() -> None:
    """Hourly: add up the numbers of letters that single transactions left."""
    for mailbox in Mailbox.objects.order_by("pk").iterator():
        fold(mailbox)


@job(name="mailboxes.audit_tallies", priority=-10)
def audit_tallies() -> None:
    """Nightly: compare the numbers of letters with the letters; where they differ the letters win, and it is told."""
    for mailbox in Mailbox.objects.select_related("account").order_by("pk").iterator():
        audit(mailbox)
