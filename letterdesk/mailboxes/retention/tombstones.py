"""What must not come back by sync: letters are known by their bytes, not by their UID (R10)."""

from collections.abc import Collection
from datetime import datetime

from .. import rows
from ..models import Mailbox, Tombstone

ENDING_ON_RECONNECT = ("R9", "own", "R12")  # those of R29 stay


def bury(mailbox: Mailbox, hashes: Collection[str], *, rule: str, now: datetime) -> None:
    """Keep letters with these bytes from being stored in this mailbox again. `rule`: R9, own, R12 or R29."""
    stones = [
        rows.make(Tombstone, account_id=mailbox.account_id, mailbox_id=mailbox.pk, blob=blob, rule=rule, created_at=now)
        for blob in sorted(set(hashes))
    ]
    strongest = "" if rule in ENDING_ON_RECONNECT else "UPDATE SET rule = excluded.rule"
    rows.insert(stones, conflict=f"ON CONFLICT (mailbox_id, blob) DO {strongest or 'NOTHING'}")


def buried(mailbox_id: int, hashes: Collection[str]) -> set[str]:
    """Which of these bytes have a tombstone."""
    stones = Tombstone.objects.filter(mailbox=mailbox_id, blob__in=set(hashes))
    return set(stones.values_list("blob", flat=True))


def lift(mailbox: Mailbox) -> int:
    """The mailbox is connected anew or resumed: tombstones of R9 and R12 end. Returns how many did."""
    return Tombstone.objects.filter(mailbox=mailbox, rule__in=ENDING_ON_RECONNECT).delete()[0]
