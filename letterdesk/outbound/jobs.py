"""What is done for letters on their way beside the requests."""

from django.db.models import Exists, OuterRef
from django.utils import timezone

from letterdesk.events.models import Event
from letterdesk.lib.jobs import job
from letterdesk.mailboxes.models import Mailbox

from .bounces import read_reports
from .deliver import deliver
from .drafts import remove_discarded
from .forget_told import forget_told
from .keep_copies import keep_copies
from .models import Delivery
from .resolve import look_for
from .sweep import sweep
from .take_in import look_at_copies
from .tracking import judge_due


@job(name="outbound.deliver_due", priority=20)
def deliver_due() -> None:
    """Send what is due (woken by what was queued, and each minute), and look for letters of which nobody knows."""
    try:
        deliver(now=timezone.now(), clock=timezone.now)
    finally:
        look_for(now=timezone.now())


@job(name="outbound.tend_drafts")
def tend_drafts() -> None:
    """Each minute: look what other programs did to drafts on the server, then keep there what was written here.

    What was discarded, and is not to be restored, goes first.
    """
    try:
        remove_discarded(now=timezone.now())
        look_at_copies(now=timezone.now())
    finally:
        keep_copies(now=timezone.now())


@job(name="outbound.read_reports", priority=-5)
def read_reports_of(mailbox_id: int) -> None:
    """After letters came: read the reports among them that say that a letter of ours did not arrive."""
    for mailbox in Mailbox.objects.filter(pk=mailbox_id, forgotten_at=None).select_related("account"):
        if read_reports(mailbox, now=timezone.now()):
            read_reports_of.later(mailbox_id)


@job(name="outbound.count_opens", priority=-5)
def count_opens() -> None:
    """Each minute, and soon after somebody opened a letter: judge who it was, and count it."""
    judge_due(now=timezone.now())


def after_receiving(event: Event) -> None:
    """A reaction to `message.received`: what a lost wake-up left is read with the next letters."""
    public_id = event.topic.removeprefix("mailbox:")
    mailboxes = Mailbox.objects.filter(account=event.account_id, public_id=public_id)
    sent_lately = Delivery.objects.filter(mailbox=OuterRef("pk"))
    by_senders = Delivery.objects.filter(account=event.account_id, verified_sender__isnull=False)
    for mailbox_id in mailboxes.filter(Exists(sent_lately) | Exists(by_senders)).values_list("pk", flat=True):
        read_reports_of.later(mailbox_id)


@job(name="outbound.sweep_sent", priority=-10)
def sweep_sent() -> None:
    """Nightly: forget letters that were done with 30 days ago."""
    while sweep(now=timezone.now()):
        pass


@job(name="outbound.forget_told", priority=-10)
def forget_when_read(begins_at: int = 0) -> None:
    """Hourly: that somebody opened a letter, or followed a link, is forgotten a day after it was told (decision 36).

    `begins_at`: the account at which the run before ended.
    """
    goes_on_at = forget_told(now=timezone.now(), begins_at=begins_at)
    if goes_on_at is not None:
        forget_when_read.later(goes_on_at)
