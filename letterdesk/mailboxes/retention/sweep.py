"""The sweep of R9: letters whose period has ended are removed here, and here alone; no IMAP write, ever (R10, R26).

Hiding never waits for it (R20). It goes mailbox by mailbox, in pieces of one transaction each: which letters is asked
in the transaction, and once more in the deleting statement, so a hold that was just taken wins (P10, F07). A crash
leaves whole pieces, two sweeps at once do the same as one, and the preview is the same question without the answer.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach
from letterdesk.plans import limits

from ..models import Mailbox, Message, PendingChange, Placement, Quarantined, SweepClock
from ..remove import remove_over, remove_quarantined
from . import legal, receipts, tombstones
from .letters import is_over
from .own_times import periods_under
from .pace import in_pieces
from .periods import Cutoff, latest, of_mailbox

AT_ONCE = 1000
RULE, OWN = "R9", "own"  # what the plan ends, and what only a time of one's own does
JUMP = timedelta(days=1)  # a clock that is so far from the last sweep's has jumped, or nobody was running
HELD_FOR = timedelta(days=1)  # R20: a jump holds deletion back for a day, never the hiding


@dataclass(frozen=True, slots=True)
class Due:
    """What the sweep would remove from a mailbox now. `listed` is `receipts.list_hash` of it."""

    mailbox: Mailbox
    count: int
    quarantined: int
    listed: str


def preview(account: Account, *, now: datetime) -> list[Due]:
    """What a sweep at `now` would remove, mailbox by mailbox; nothing is changed."""
    cutoff = cutoff_of(account, now)
    if cutoff is None:
        return []
    found = []
    for mailbox in account.mailboxes.filter(forgotten_at=None).order_by("pk"):
        here = of_mailbox(cutoff, mailbox.pk)
        blobs = list(over(mailbox, here).values_list("blob", flat=True))
        quarantined = _quarantined(mailbox, here).count()
        if blobs or quarantined:
            found.append(Due(mailbox, len(blobs), quarantined, receipts.list_hash(blobs)))
    return found


def sweep(*, now: datetime) -> int:
    """Remove what is over in all accounts; returns how many letters went. Nothing while the clock is in doubt."""
    if not clock_is_steady(now):
        return 0
    return sum(in_pieces(partial(_piece, mailbox, now)) for mailbox in _mailboxes(now))


def cutoff_of(account: Account, now: datetime) -> Cutoff:
    """What was received at or before this is over (R19); None: nothing is. Without Webmail, R12 speaks, not R9."""
    terms = limits.terms(account, now=now)
    return periods_under(account, terms.days_kept, now=now).cutoff(now) if terms.has_integration else None


def over(mailbox: Mailbox, cutoff: Cutoff) -> QuerySet[Message]:
    """Letters of R9 in a mailbox."""
    return ending(Message.objects.filter(mailbox=mailbox), cutoff)


def ending(letters: QuerySet[Message], cutoff: Cutoff) -> QuerySet[Message]:
    """Those of R9: received by then, not held (R4), and with no change of a person still on its way."""
    return settled(legal.may_go(letters.filter(is_over(Message, cutoff), is_held=False)))


def settled(letters: QuerySet[Message]) -> QuerySet[Message]:
    """Those with no change of a person that the server does not know yet (R9, R29)."""
    waiting = _waiting().filter(placement__message=OuterRef("pk"))
    moving = Placement.objects.provisional().filter(message=OuterRef("pk"))
    return letters.filter(~Exists(waiting), ~Exists(moving))


def unsettled(letters: QuerySet[Message], mailboxes: Collection[int]) -> QuerySet[Message]:
    """The others of those of these mailboxes: few, and found by the changes, whatever the number of letters."""
    waiting = _waiting().filter(mailbox__in=mailboxes, placement__isnull=False).values("placement__message")
    moving = Placement.objects.provisional().filter(folder__mailbox__in=mailboxes).values("message")
    return letters.filter(Q(pk__in=waiting.union(moving)))


def _waiting() -> QuerySet[PendingChange]:
    return PendingChange.objects.filter(state=PendingChange.State.WAITING)


def _mailboxes(now: datetime) -> Iterator[Mailbox]:
    for account in Account.objects.order_by("pk").iterator():
        if cutoff_of(account, now) is not None:
            yield from account.mailboxes.filter(forgotten_at=None).select_related("account").order_by("pk")


@transaction.atomic
def _piece(mailbox: Mailbox, now: datetime) -> int:
    """Some letters of the mailbox, with tombstones and receipt; the plan is asked anew, it may have changed (R12)."""
    receipts.lock(mailbox.account_id)
    cutoff = of_mailbox(cutoff_of(mailbox.account, now), mailbox.pk)
    last = latest(cutoff)
    if last is None:
        return 0
    # Before choosing: nobody changes a chosen letter (R9).
    Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)
    ids = list(over(mailbox, cutoff).order_by("received_at").values_list("pk", flat=True)[:AT_ONCE])
    blobs = remove_over(mailbox, ids, cutoff=last, now=now)
    blobs += remove_quarantined(mailbox, _quarantined(mailbox, cutoff), now=now)
    if blobs:
        account_for(mailbox, blobs, rule=_rule(mailbox, last, now), kind="message.expired", now=now)
    reach("sweep.before_commit")
    return len(blobs)


def _rule(mailbox: Mailbox, last: datetime, now: datetime) -> str:
    prescribed = limits.cutoff(mailbox.account, now)
    return RULE if prescribed is not None and last <= prescribed else OWN


def account_for(
    mailbox: Mailbox, blobs: list[str], *, rule: str, kind: str, now: datetime, by: Employee | None = None
) -> None:
    """Tombstones, receipt and event of a deletion, in its transaction, the account locked (R10, P10)."""
    if mailbox.imap_host:
        tombstones.bury(mailbox, blobs, rule=rule, now=now)
    receipts.write(mailbox, blobs, rule=rule, now=now)
    record(kind, account=mailbox.account, by=by, topic=mailbox.topic, count=len(blobs))


def _quarantined(mailbox: Mailbox, cutoff: Cutoff) -> QuerySet[Quarantined]:
    """What could not be read has a period, too; what the server never handed out has no copy here."""
    return legal.unread_free(Quarantined.objects.filter(is_over(Quarantined, cutoff), folder__mailbox=mailbox))


def clock_is_in_doubt(now: datetime) -> bool:
    """Whether a jump of the clock holds deletion back (F11); what else deletes asks here."""
    clock = SweepClock.objects.filter(pk=1).first()
    if clock is None:
        return False
    return now - clock.seen_at > JUMP or (clock.held_until is not None and now < clock.held_until)


@transaction.atomic
def clock_is_steady(now: datetime) -> bool:
    """Whether the clock went on since the last sweep as clocks do. After a jump: not for a day (F11).

    A clock that is set back ends the doubt: the jump was the mistake.
    """
    clock, _ = SweepClock.objects.select_for_update().get_or_create(pk=1, defaults={"seen_at": now})
    if now < clock.seen_at:
        clock.held_until = None
    elif now - clock.seen_at > JUMP:
        clock.held_until = now + HELD_FOR
    clock.seen_at = now
    clock.save(update_fields=["seen_at", "held_until"])
    return clock.held_until is None or now >= clock.held_until
