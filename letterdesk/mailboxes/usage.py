"""What an account has used of what its plan limits."""

from dataclasses import dataclass

from django.db.models import Count, Q

from letterdesk.accounts.models import Account, Employee

from .connect import COUNTED
from .fit import considered
from .models import Mailbox


@dataclass(frozen=True, slots=True)
class Used:
    """A number and its limit; None: there is none."""

    number: int
    limit: int | None

    @property
    def percent(self) -> int:
        """How much of the limit is used; a limit of 0 is used up."""
        if self.limit is None:
            return 0
        return 100 * self.number // self.limit if self.limit else 100


def mailboxes_by_person(account: Account) -> list[tuple[Employee, int]]:
    """The people who own mailboxes that count (R14), with how many; those with the most first."""
    counted = Q(own_mailboxes__state__in=COUNTED) & ~Q(own_mailboxes__imap_host="")
    people = account.employees.annotate(number=Count("own_mailboxes", filter=counted)).filter(number__gt=0)
    return [(person, person.number) for person in people.order_by("-number", "name")]


def states_in(account_id: int) -> set[str]:
    """The states in which mailboxes of this account are; empty: it has none."""
    return set(Mailbox.objects.filter(account=account_id).values_list("state", flat=True).distinct())


def choosable(owner: Employee) -> list[Mailbox]:
    """The owner's mailboxes among which a plan chooses (R13), in the order in which they keep running."""
    return sorted(considered(owner.account, owner=owner), key=lambda each: (each.gives_way, each.connected_at, each.pk))
