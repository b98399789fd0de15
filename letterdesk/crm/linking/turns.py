"""Whose turn it is: people who are responsible one after the other for what a mailbox makes of letters.

Who is away or left is passed over; who comes back is not made to catch up. Inside the caller's transaction, which
holds the account: no two letters take the same turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet

from letterdesk.accounts.absence import is_here
from letterdesk.accounts.models import Employee, Role
from letterdesk.mailboxes.models import Mailbox

from ..models import MailboxSaving, PolledMailbox, SendSaveAddress, Turn


@dataclass(slots=True)
class Queue:
    """The people of a mailbox who are here, in their order; `count`: how many turns there were."""

    owner: Employee
    count: int = 0
    turns: list[Turn] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)

    def next(self) -> Employee:
        """Whose turn it is now; it is theirs then. Where nobody is here, the mailbox's owner."""
        turn = next_of(self.turns)
        if turn is None:
            return self.owner
        self.count += 1
        turn.last = self.count
        self.taken.add(turn.pk)
        return turn.employee

    def remember(self) -> None:
        """Write down whose turns were taken."""
        Turn.objects.bulk_update([turn for turn in self.turns if turn.pk in self.taken], ["last"])


def next_of(turns: Sequence[Turn]) -> Turn | None:
    """Who comes after whoever of these had the latest turn, the first after the last; None: there is nobody."""
    if not turns:
        return None
    row = sorted(turns, key=lambda turn: (turn.position, turn.pk))
    latest = max(row, key=lambda turn: turn.last)
    return row[0] if latest.last == 0 else row[(row.index(latest) + 1) % len(row)]


def queue_of(mailbox: Mailbox, now: datetime) -> Queue:
    """The mailbox's queue at `now`."""
    return _queue(Turn.objects.filter(saving__mailbox=mailbox), mailbox.owner, now)


def queue_beside(
    at: PolledMailbox | SendSaveAddress, now: datetime, *, by: Employee | None = None, forwarder: Employee | None = None
) -> Queue | None:
    """Of what comes past Webmail (R30): those of a polled mailbox, and whoever is responsible at a secret address.

    `by`: who said what the letter is; `forwarder`: who passed it on. None: nobody is there any more.
    """
    if isinstance(at, PolledMailbox):
        owner = _first_here(by, at.made_by) or _administrator(at.account_id)
        return _queue(Turn.objects.filter(polled=at), owner, now) if owner else None
    owner = _first_here(at.responsible, forwarder, at.employee, at.made_by)
    return Queue(owner) if owner else None


def _queue(of_mailbox: QuerySet[Turn], owner: Employee, now: datetime) -> Queue:
    turns = list(of_mailbox.select_related("employee__account").order_by("position", "pk"))
    count = max((turn.last for turn in turns), default=0)
    return Queue(owner, count, [turn for turn in turns if is_here(turn.employee, now)])


def _first_here(*people: Employee | None) -> Employee | None:
    return next((each for each in people if each is not None and each.is_active), None)


def _administrator(account_id: int) -> Employee | None:
    """Who connected a mailbox may have left: then the first administrator is responsible."""
    working = Employee.objects.filter(account=account_id, role=Role.ADMINISTRATOR).working()
    found: Employee | None = working.order_by("pk").select_related("account").first()
    return found


def people_in_turn(of: MailboxSaving | PolledMailbox) -> list[Employee]:
    """The people of a queue in their order, those who are away or left as well."""
    whose = {"saving": of.pk} if isinstance(of, MailboxSaving) else {"polled": of.pk}
    turns = Turn.objects.filter(**whose).select_related("employee").order_by("position", "pk")
    return [turn.employee for turn in turns]


def put_in_turn(of: MailboxSaving | PolledMailbox, people: Sequence[Employee]) -> bool:
    """The queue is these people from now on; who was in it keeps their place in the turn. Returns whether it is new."""
    if people_in_turn(of) == list(people):
        return False
    of.turns.exclude(employee__in=people).delete()
    for position, person in enumerate(people):
        defaults = {"account_id": of.account_id, "position": position}
        of.turns.update_or_create(employee=person, defaults=defaults)
    return True
