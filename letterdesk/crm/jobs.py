"""What is done for CRM beside the requests, and what wakes it."""

from django.utils import timezone

from letterdesk.accounts.models import Employee
from letterdesk.events.models import Event
from letterdesk.lib.jobs import job
from letterdesk.mailboxes.models import Mailbox

from .bin import purge_due
from .link import link_piece, mailboxes_to_look_at
from .look_back import look_back
from .models import Record, Source

PIECES = 10  # of a mailbox in one job


@job(name="crm.link_letters", priority=-5)
def link_letters_of(mailbox_id: int) -> None:
    """After letters came: look at those of this mailbox that were not looked at yet (R5, R28).

    Some at once; for the rest it lines up again, so that a first sync holds up no other mailbox.
    """
    for mailbox in Mailbox.objects.filter(pk=mailbox_id, forgotten_at=None).select_related("account", "owner__account"):
        for _ in range(PIECES):
            if link_piece(mailbox, now=timezone.now()) is None:
                return
        link_letters_of.later(mailbox_id)


@job(name="crm.link_missed", priority=-10)
def link_missed() -> None:
    """Every ten minutes: letters whose wake-up was lost."""
    for mailbox_id in mailboxes_to_look_at():
        link_letters_of.now(mailbox_id)


@job(name="crm.look_back", priority=-10)
def look_back_for(record_id: int, by_id: int | None = None) -> None:
    """After a record got addresses: letters of them that are here already, where who named them may read (P9)."""
    by = Employee.objects.filter(pk=by_id).first()
    for record in Record.objects.present().filter(pk=record_id).select_related("account", "responsible"):
        look_back(record, by=by, now=timezone.now())


@job(name="crm.purge_bin", priority=-10)
def purge_bin() -> None:
    """Hourly: remove what has lain in CRM's bin for 30 days (R8)."""
    purge_due(now=timezone.now())


def after_receiving(event: Event) -> None:
    """A reaction to `message.received`."""
    public_id = event.topic.removeprefix("mailbox:")
    mailboxes = Mailbox.objects.filter(account=event.account_id, public_id=public_id)
    for mailbox_id in mailboxes.values_list("pk", flat=True):
        link_letters_of.later(mailbox_id)


def after_new_addresses(event: Event) -> None:
    """A reaction to `record.created`, `record.changed` and `record.restored`; a lead of a letter has no past (R28)."""
    if event.facts.get("source") == Source.LETTER or "addresses" not in event.facts.get("changed", ["addresses"]):
        return
    kind, _, public_id = event.subject.partition(":")
    records = Record.objects.present().filter(account=event.account_id, kind=kind, public_id=public_id)
    for record_id in records.exclude(addresses=None).values_list("pk", flat=True).distinct():
        look_back_for.later(record_id, event.by_id)
