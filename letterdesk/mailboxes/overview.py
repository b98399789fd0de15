"""All mailboxes that somebody may know of, with their figures, in a constant number of queries: never a letter."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, IntegerField, Min, OuterRef, Prefetch, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from letterdesk.accounts.models import Account, Employee

from .models import AccessRequest, Grant, Mailbox, Message
from .retention.letters import Leaving, next_leaving, shown
from .retention.own_times import periods_of


@dataclass(frozen=True, slots=True)
class Figures:
    """What a mailbox holds here, by the clock (R20): letters, bytes, the oldest, and what leaves next (R9, R18)."""

    kept: int = 0
    size: int = 0
    oldest: datetime | None = None
    leaving: Leaving | None = None


def known_mailboxes(employee: Employee) -> list[Any]:
    """Those this employee reads or oversees, with owner, grants, and what they may do (`may_read`,
    `may_manage`, `may_steer`); `asking`: how many wait to be let in."""
    this = OuterRef("pk")
    grants = Prefetch("grants", Grant.objects.select_related("employee", "department").order_by("pk"))
    known = Mailbox.objects.known_to(employee).annotate(
        may_read=Exists(Mailbox.objects.visible_to(employee).filter(pk=this)),
        asking=_number_of(AccessRequest.objects.filter(mailbox=this)),
        may_manage=Exists(Mailbox.objects.manageable_by(employee).filter(pk=this)),
        may_steer=Exists(Mailbox.objects.steered_by(employee).filter(pk=this)),
    )
    return list(known.select_related("owner", "account").prefetch_related(grants).defer("secret"))


def _number_of(rows: QuerySet[Any]) -> Any:
    counted = rows.order_by().values("mailbox").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def figures(account: Account, mailboxes: Sequence[int], *, now: datetime) -> dict[int, Figures]:
    """The figures of these mailboxes, by key: four queries."""
    periods = periods_of(account, now)
    letters = shown(Message.objects.filter(mailbox__in=mailboxes), periods.cutoff(now))
    sums = letters.values("mailbox").annotate(kept=Count("pk"), bytes=Sum("size"), oldest=Min("received_at")).order_by()
    leaving = next_leaving(account, mailboxes, now=now, periods=periods)
    return {
        row["mailbox"]: Figures(row["kept"], row["bytes"], row["oldest"], leaving.get(row["mailbox"])) for row in sums
    }
