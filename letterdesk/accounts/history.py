"""What happens here is told to the floor above: `events` gives its `record` at start-up, since it lies higher."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .models import Account, Employee


class Teller(Protocol):
    """Writes an event; see events/record.py."""

    def __call__(
        self,
        kind: str,
        *,
        account: "Account",
        by: "Employee | None" = None,
        topic: str = "",
        subject: str = "",
        **facts: object,
    ) -> object: ...


_tellers: list[Teller] = []


def told_by(teller: Teller) -> None:
    """Have everything told by this function; called once, by events/apps.py."""
    _tellers[:] = [teller]


def tell(kind: str, *, account: "Account", by: "Employee | None" = None, subject: str = "", **facts: object) -> None:
    """Tell that something happened, in the transaction that did it."""
    for teller in _tellers:
        teller(kind, account=account, by=by, subject=subject, **facts)
