"""Addresses that do not exist, by a report on a letter of ours: nothing more is sent there until somebody says so.

A mailbox that goes on writing to such addresses is taken for a spammer's. Only a report that was matched to a letter
of ours and to the recipient to whom it had gone puts an address here (`bounces.py`); nobody can have a stranger's
address refused by writing a report about it.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record
from letterdesk.mail.addresses import address_key

from .models import Delivery, Suppressed


def suppress(delivery: Delivery, address: str, *, reason: str, now: datetime) -> bool:
    """Send nothing more to a recipient of this letter; returns whether it is new. Inside the caller's transaction."""
    made, is_new = Suppressed.objects.get_or_create(
        account_id=delivery.account_id,
        address=address_key(address),
        defaults={"mailbox": delivery.mailbox, "reason": reason, "at": now},
    )
    if is_new:
        subject = f"suppressed:{made.public_id}"
        record("address.suppressed", account=delivery.account, topic=delivery.topic, subject=subject)
    return is_new


@transaction.atomic
def release(row: Suppressed, *, by: Employee) -> None:
    """Take an address off the list: letters go there again, and another report puts it back."""
    if Suppressed.objects.filter(pk=row.pk).delete()[0]:
        record("address.released", account=by.account, by=by, subject=f"suppressed:{row.public_id}",
               address=row.address)  # fmt: skip


def suppressed_among(account_id: int, addresses: Iterable[str]) -> list[Suppressed]:
    """Those of the addresses to which this account sends nothing, in one query; none for none."""
    keys = {address_key(each) for each in addresses}
    found = Suppressed.objects.filter(account=account_id, address__in=keys) if keys else ()
    return sorted(found, key=lambda each: each.address)
