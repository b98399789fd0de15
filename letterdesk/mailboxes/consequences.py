"""What disconnecting a mailbox does, counted before anybody confirms it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q, Sum

from .models import Mailbox, Message, PendingChange
from .retention.letters import shown
from .retention.own_times import periods_of
from .retention.periods import longest_first


@dataclass(frozen=True, slots=True)
class Consequences:
    """Letters here and their bytes; `held`: those that stay whatever happens (R4); `dropped`: intentions that are lost.

    `first_leaves_at`, `last_leaves_at`: when kept copies go by the plan's period (R9); None: never.
    """

    letters: int
    size: int
    held: int
    dropped: int
    readers: int
    first_leaves_at: datetime | None
    last_leaves_at: datetime | None


def of_disconnecting(mailbox: Mailbox, *, now: datetime) -> Consequences:
    """Count what `disconnect` would do, with copies kept or not."""
    periods = periods_of(mailbox.account, now)
    period = next(longest_first(periods.parts(mailbox.pk), now)).period
    letters = shown(Message.objects.filter(mailbox=mailbox), periods.cutoff(now))
    free = Q(is_held=False)
    sums = letters.aggregate(
        letters=Count("pk"), size=Sum("size"), held=Count("pk", filter=Q(is_held=True)),
        first=Min("received_at", filter=free), last=Max("received_at", filter=free),
    )  # fmt: skip
    return Consequences(
        letters=sums["letters"],
        size=sums["size"] or 0,
        held=sums["held"],
        dropped=PendingChange.objects.filter(mailbox=mailbox).count(),
        readers=mailbox.grants.count(),
        first_leaves_at=period.leaves_at(sums["first"]) if sums["first"] else None,
        last_leaves_at=period.leaves_at(sums["last"]) if sums["last"] else None,
    )
