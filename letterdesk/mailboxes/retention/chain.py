"""Whether the chain of receipts is whole (P10, F19): every receipt there, unchanged, in its order.

All of it is walked each night and on demand (`check`), and how far it went is kept: that receipt must stay, so one that
is taken from the end shows as well. A page looks at what was written since (`look`); what the whole walk found wrong it
shows until another one finds it whole.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account
from letterdesk.events.record import record

from ..models import Receipt, ReceiptCheck
from .receipts import seal_of

KEPT = 100  # flaws that are kept for the page; `check` returns all


class Flaw(NamedTuple):
    """What is wrong with receipts, by their numbers. `what`: missing, loose (does not follow) or changed."""

    what: str
    first: int
    last: int

    def __str__(self) -> str:
        texts = {
            "missing": _("receipts %(first)d to %(last)d are missing"),
            "loose": _("receipt %(n)d does not follow the one before it"),
            "changed": _("receipt %(n)d was changed"),
        }
        return texts[self.what] % {"n": self.first, "first": self.first, "last": self.last}


@dataclass(frozen=True, slots=True)
class Look:
    """What a page tells. `last`: the whole walk before; None: all were looked at just now. `since`: how many were."""

    flaws: list[Flaw]
    last: ReceiptCheck | None
    since: int


def check(account: Account, *, now: datetime) -> list[Flaw]:
    """Walk through all receipts and keep the outcome; returns what is wrong. Deletions go on meanwhile."""
    before = ReceiptCheck.objects.filter(account=account).first()
    known = (before.number, before.seal) if before else (0, "")
    walk = Walk()
    found = list(walk.flaws(_receipts(account).iterator()))
    if not found and (lost := _lost(account, *known)):
        found = [lost]
    number, seal = known if found else (walk.number, walk.seal)
    kept = [list(flaw) for flaw in found[:KEPT]]
    ReceiptCheck.objects.update_or_create(
        account=account, defaults={"at": now, "number": number, "seal": seal, "flaws": kept}
    )
    if found:
        record("receipts.broken", account=account, count=len(found))
    return found


def look(account: Account) -> Look:
    """Walk through what was written since the last whole walk; nothing is changed."""
    last = ReceiptCheck.objects.filter(account=account).first()
    walk = Walk(last.number, last.seal) if last else Walk()
    since = list(_receipts(account).filter(number__gt=walk.number))
    lost = _lost(account, walk.number, walk.seal)
    found = [*(Flaw(*flaw) for flaw in (last.flaws if last else ())), *filter(None, [lost]), *walk.flaws(since)]
    return Look(list(dict.fromkeys(found)), last, len(since))


def verify(account: Account) -> list[str]:
    """What is wrong with the account's chain, in words; empty: it is whole. Nothing is kept of it."""
    return [str(flaw) for flaw in Walk().flaws(_receipts(account).iterator())]


class Walk:
    """From one receipt to the next: `number` and `seal` are those of the last one, at first of none."""

    def __init__(self, number: int = 0, seal: str = "") -> None:
        self.number, self.seal = number, seal

    def flaws(self, receipts: Iterable[Receipt]) -> Iterator[Flaw]:
        """What is wrong with the receipts that follow, in their order."""
        for receipt in receipts:
            if receipt.number != self.number + 1:
                yield Flaw("missing", self.number + 1, receipt.number - 1)
            elif receipt.previous != self.seal:
                yield Flaw("loose", receipt.number, receipt.number)
            if receipt.seal != seal_of(receipt):
                yield Flaw("changed", receipt.number, receipt.number)
            self.number, self.seal = receipt.number, receipt.seal


def _lost(account: Account, number: int, seal: str) -> Flaw | None:
    """What is wrong with the receipt that was the last of a whole chain, or with the end of the chain."""
    if number == 0:
        return None
    end = _receipts(account).filter(number__lte=number).last()
    if end is None or end.number < number:
        return Flaw("missing", end.number + 1 if end else 1, number)
    return None if end.seal == seal == seal_of(end) else Flaw("changed", number, number)


def _receipts(account: Account) -> QuerySet[Receipt]:
    return Receipt.objects.filter(account=account).order_by("number")
