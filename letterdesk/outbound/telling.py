"""What is told of letters on their way, and how one that did not leave gives back what it took."""

from datetime import datetime

from django.db.models import F

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record
from letterdesk.mailboxes import collect
from letterdesk.plans import usage

from .models import Delivery, Draft


def give_back(row: Delivery, *, now: datetime) -> None:
    """The quota of a letter that did not leave, and its bytes (R23). Inside the caller's transaction."""
    if row.reservation is not None:
        usage.refund(row.reservation, now=now)
    collect.let_go_of_all(row.account_id, row.holder, now=now)


def reopen(row: Delivery, *, now: datetime) -> Draft | None:
    """The draft of a letter that did not leave is among the drafts again. Inside the caller's transaction."""
    if row.draft_id is None:
        return None
    Draft.objects.filter(pk=row.draft_id).update(sent_at=None, version=F("version") + 1, updated_at=now)
    draft: Draft = Draft.objects.select_related("mailbox", "verified_sender").get(pk=row.draft_id)
    return draft


def tell(kind: str, row: Delivery, *, by: Employee | None = None, **facts: object) -> None:
    """Record what happened to a letter on its way."""
    record(kind, account=row.account, by=by, topic=row.topic, subject=f"delivery:{row.public_id}",
           channel=row.channel, **facts)  # fmt: skip


def locked(delivery: Delivery) -> Delivery:
    """The letter's row, locked until the transaction ends."""
    rows = Delivery.objects.select_for_update(of=("self",), no_key=True).select_related(
        "account", "mailbox__account", "verified_sender", "by", "draft", "reservation"
    )
    row: Delivery = rows.get(pk=delivery.pk)
    return row
