"""What a plan would do to an account, counted before anybody chooses it: the page, the command and the run agree.

Which mailboxes run is `fit.kept_under`, which letters go `sweep.ending` (R9) and `purge.not_held` (R12): the questions
that the run asks, without the deeds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Model, Q, QuerySet

from letterdesk.accounts.models import Account
from letterdesk.plans import limits
from letterdesk.plans.catalogue import Terms, catalogue, terms_of

from . import fit, legal, purge, sweep
from .connect import COUNTED
from .models import Mailbox, MailboxState, Message, PendingChange, Quarantined
from .own_times import periods_under
from .retention import is_over


@dataclass(frozen=True, slots=True)
class Affected:
    """One mailbox under the other plan.

    `goes`: letters removed, of `in_crm` of them CRM keeps a copy (R8); `with_tasks`: those that only a task keeps (R4).
    """

    mailbox: Mailbox
    is_suspended: bool
    is_resumed: bool
    goes: int
    with_tasks: int
    dropped: int
    in_crm: int = 0

    @property
    def is_untouched(self) -> bool:
        """Whether nothing is to be said of it."""
        return not (self.is_suspended or self.is_resumed or self.goes or self.with_tasks or self.dropped)


@dataclass(frozen=True, slots=True)
class Preview:
    """What going from one plan to another does. `goes_at`: when letters begin to go, the operator's grace included."""

    before: Terms
    after: Terms
    mailboxes: tuple[Affected, ...]
    goes_at: datetime

    @property
    def suspended(self) -> list[Affected]:
        """Mailboxes that would be suspended by the plan (R13)."""
        return [each for each in self.mailboxes if each.is_suspended]

    @property
    def resumed(self) -> list[Affected]:
        """Suspended mailboxes for which there would be a place again (R13)."""
        return [each for each in self.mailboxes if each.is_resumed]

    @property
    def goes(self) -> int:
        """Letters that would be removed here; the mail server keeps them."""
        return sum(each.goes for each in self.mailboxes)

    @property
    def in_crm(self) -> int:
        """How many of those that go CRM keeps a copy of (R8)."""
        return sum(each.in_crm for each in self.mailboxes)

    @property
    def with_tasks(self) -> int:
        """Letters that would go, but for a task that holds them (R4)."""
        return sum(each.with_tasks for each in self.mailboxes)

    @property
    def dropped(self) -> int:
        """Changes that people made and that would not be carried out any more (R12)."""
        return sum(each.dropped for each in self.mailboxes)


def foresee(account: Account, plan: str, *, now: datetime) -> Preview:
    """What the plan of that key would do to the account at `now`; nothing is changed. Raises UnknownPlan.

    Eight queries, however many mailboxes there are.
    """
    after = terms_of(catalogue(now).plan(plan), now)
    mailboxes = list(account.mailboxes.filter(forgotten_at=None).select_related("owner").defer("secret").order_by("pk"))
    running = fit.kept_under(after, [each for each in mailboxes if each.imap_host and each.state in fit.CONSIDERED])
    goes, in_crm, with_tasks, dropped = _letters(account, mailboxes, after, now)
    affected = tuple(
        Affected(
            mailbox,
            is_suspended=_counts(mailbox) and mailbox.pk not in running,
            is_resumed=mailbox.state == MailboxState.SUSPENDED and mailbox.pk in running,
            goes=goes.get(mailbox.pk, 0),
            with_tasks=with_tasks.get(mailbox.pk, 0),
            dropped=dropped.get(mailbox.pk, 0),
            in_crm=in_crm.get(mailbox.pk, 0),
        )
        for mailbox in mailboxes
    )
    grace = timedelta() if after.has_integration else timedelta(hours=24 * settings.PURGE_GRACE_DAYS)
    return Preview(limits.terms(account, now=now), after, affected, now + grace)


def _counts(mailbox: Mailbox) -> bool:
    return bool(mailbox.imap_host) and mailbox.state in COUNTED


def _letters(account: Account, mailboxes: Sequence[Mailbox], after: Terms, now: datetime) -> tuple[dict[int, int], ...]:
    """By mailbox: letters that go, of which CRM keeps a copy, that only a task keeps, and changes that are dropped."""
    letters = Message.objects.filter(mailbox__in=[each.pk for each in mailboxes])
    unreadable = legal.unread_free(Quarantined.objects.filter(folder__mailbox__in=[each.pk for each in mailboxes]))
    if not after.has_integration:  # R12
        changes = PendingChange.objects.filter(purge.QUEUED, mailbox__in=[each.pk for each in mailboxes])
        goes, in_crm = _going(purge.not_held(letters), unreadable)
        return goes, in_crm, _by_mailbox(letters.filter(is_held=True)), _by_mailbox(changes)
    cutoff = periods_under(account, after.days_kept, now=now).cutoff(now)
    if cutoff is None:
        return {}, {}, {}, {}
    goes, in_crm = _going(sweep.ending(letters, cutoff), unreadable.filter(is_over(Quarantined, cutoff)))
    return goes, in_crm, _by_mailbox(letters.filter(is_over(Message, cutoff), is_held=True)), {}


def _going(letters: QuerySet[Message], unreadable: QuerySet[Quarantined]) -> tuple[dict[int, int], dict[int, int]]:
    """How many go, and of how many of them CRM keeps a copy."""
    counted = (
        letters.order_by().values_list("mailbox").annotate(number=Count("pk"), kept=Count("pk", filter=Q(in_crm=True)))
    )
    found = list(counted)
    goes = {mailbox: number for mailbox, number, _ in found}
    return _sum(goes, _by_mailbox(unreadable, "folder__mailbox")), {mailbox: kept for mailbox, _, kept in found}


def _by_mailbox(rows: QuerySet[Model], way: str = "mailbox") -> dict[int, int]:
    return dict(rows.order_by().values_list(way).annotate(number=Count("pk")))


def _sum(some: dict[int, int], more: dict[int, int]) -> dict[int, int]:
    return {pk: some.get(pk, 0) + more.get(pk, 0) for pk in some.keys() | more.keys()}
