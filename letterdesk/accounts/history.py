"""What happens here is told to the floor above: `events` gives its `record` at start-up, since it lies higher."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models import Account, Employee


Teller = Callable[..., object]  # events.record.record


_tellers: list[Teller] = []


def told_by(teller: Teller) -> None:
    """Have everything told by this function; called once, by events/apps.py."""
    _tellers[:] = [teller]


def tell(kind: str, *, account: "Account", by: "Employee | None" = None, subject: str = "", **facts: object) -> None:
    """Tell that something happened, in the transaction that did it."""
    for teller in _tellers:
        teller(kind, account=account, by=by, subject=subject, **facts)
