"""Receipts of deletions: a chain for each account, so that none can be changed or taken out unseen (P10, F19).

`chain.py` says whether it is whole.
"""

import hashlib
import json
from collections.abc import Collection
from datetime import UTC, datetime

from django.db.models import QuerySet

from letterdesk.accounts.models import Account

from ..models import Mailbox, Receipt


def lock(account_id: int) -> None:
    """Take the lock of the account's chain, before all others of a deletion. Rows that point to it may be made.

    Before those of its mailboxes: whoever holds a mailbox asks for the account no more, nor by a join (`of`).
    """
    Account.objects.select_for_update(no_key=True).get(pk=account_id)


def write(mailbox: Mailbox, blobs: Collection[str], *, rule: str, now: datetime) -> Receipt:
    """Add a receipt for letters with these hashes. Inside the deleting transaction, the account locked."""
    last = Receipt.objects.filter(account=mailbox.account_id).order_by("-number").first()
    receipt = Receipt(
        account_id=mailbox.account_id,
        number=last.number + 1 if last else 1,
        at=now,
        rule=rule,
        mailbox=mailbox.public_id,
        address=mailbox.address,
        count=len(blobs),
        listed=list_hash(blobs),
        previous=last.seal if last else "",
    )
    receipt.seal = seal_of(receipt)
    receipt.save()
    return receipt


def list_hash(blobs: Collection[str]) -> str:
    """One hash of a list of letters, whatever its order: a preview and a run of the same list have the same."""
    return hashlib.sha256("\n".join(sorted(blobs)).encode()).hexdigest()


def seal_of(receipt: Receipt) -> str:
    """What the seal of this receipt must be."""
    facts = [
        receipt.account_id, receipt.number, receipt.at.astimezone(UTC).isoformat(), receipt.rule, receipt.mailbox,
        receipt.address, receipt.count, receipt.listed, receipt.previous,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def of(account: Account) -> QuerySet[Receipt]:
    """The receipts of an account, the latest first."""
    return Receipt.objects.filter(account=account).order_by("-number")
