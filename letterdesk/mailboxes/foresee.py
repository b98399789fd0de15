"""What a plan would do to an account, counted before anybody chooses it: the page, the command and the run agree.

Which mailboxes run is `fit.kept_under`, which letters go `sweep.ending` (R9) and `purge.not_held` (R12): the questions
that the run asks, answered by the numbers of `tally.py` less the few that stay for another reason than a hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Model, Q, QuerySet

from letterdesk.accounts.models import Account
from letterdesk.plans import limits
from letterdesk.plans.catalogue import Terms, catalogue, terms_of
from letterdesk.plans.models import Subscription
from letterdesk.plans.timeline import letters_go_at

from . import fit
from .connect import COUNTED
from .models import Mailbox, MailboxState, Message, PendingChange, Quarantined
from .retention import legal, purge, sweep
from .retention.letters import is_over
from .retention.own_times import periods_under
from .retention.periods import Cut, Cutoff, of_mailbox
from .tally import Numbers, Span, numbers


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
    before = limits.terms(account, now=now)
    return Preview(before, after, affected, _goes_at(account, before, after, now))


def _goes_at(account: Account, before: Terms, after: Terms, now: datetime) -> datetime:
    """From when on letters go; where there is no Webmail now, that does not begin anew (R12)."""
    if after.has_integration:
        return now
    lapsed = None if before.has_integration else Subscription.objects.filter(account=account).first()
    since = letters_go_at(lapsed, now) if lapsed is not None else None
    return max(now, since) if since is not None else now + timedelta(hours=24 * settings.PURGE_GRACE_DAYS)


def _counts(mailbox: Mailbox) -> bool:
    return bool(mailbox.imap_host) and mailbox.state in COUNTED


def _letters(account: Account, mailboxes: Sequence[Mailbox], after: Terms, now: datetime) -> tuple[dict[int, int], ...]:
    """By mailbox: letters that go, of which CRM keeps a copy, that only a task keeps, and changes that are dropped."""
    ids = [each.pk for each in mailboxes]
    unreadable = legal.unread_free(Quarantined.objects.filter(folder__mailbox__in=ids))
    if not after.has_integration:  # R12
        seen = _less(numbers(dict.fromkeys(ids, Span())), purge.unsent(ids))
        changes = PendingChange.objects.filter(purge.QUEUED, mailbox__in=ids)
        return *_told(_free(account, seen), unreadable), _by_mailbox(changes)
    cutoff = periods_under(account, after.days_kept, now=now).cutoff(now)
    if cutoff is None:
        return {}, {}, {}, {}
    return *_told(_free(account, _over(ids, cutoff)), unreadable.filter(is_over(Quarantined, cutoff))), {}


def _over(ids: Sequence[int], cutoff: Cutoff) -> dict[int, Numbers]:
    """Letters of R9: known numbers; counted where Sent or Drafts have times apart, by the sweep's own question."""
    here = {mailbox: of_mailbox(cutoff, mailbox) for mailbox in ids}
    spans = {mailbox: Span(until=moment) for mailbox, moment in here.items() if isinstance(moment, datetime)}
    old = Message.objects.filter(is_over(Message, cutoff), is_held=False)
    seen = _less(numbers(spans), sweep.unsettled(old, list(spans)))
    apart = [mailbox for mailbox, moment in here.items() if isinstance(moment, Cut)]
    if apart:
        letters = Message.objects.filter(mailbox__in=apart)
        held = _by_mailbox(letters.filter(is_over(Message, cutoff), is_held=True))
        free = _going(sweep.ending(letters, cutoff))
        seen |= {each: Numbers(*free.get(each, (0, 0)), held.get(each, 0)) for each in free.keys() | held.keys()}
    return seen


def _less(known: dict[int, Numbers], staying: QuerySet[Message]) -> dict[int, Numbers]:
    """Without what stays although nothing holds it (R9)."""
    going = dict(known)
    for mailbox, (number, kept) in _going(staying).items():
        one = known[mailbox]
        going[mailbox] = replace(one, free=one.free - number, in_crm=one.in_crm - kept)
    return going


def _free(account: Account, seen: dict[int, Numbers]) -> dict[int, Numbers]:
    """Nothing goes where a legal hold is being placed."""
    waited_for = legal.waited_for(account, seen)
    return {key: replace(each, free=0, in_crm=0) if key in waited_for else each for key, each in seen.items()}


def _told(seen: dict[int, Numbers], unreadable: QuerySet[Quarantined]) -> tuple[dict[int, int], ...]:
    goes = {mailbox: each.free for mailbox, each in seen.items()}
    return (
        _sum(goes, _by_mailbox(unreadable, "folder__mailbox")),
        {mailbox: each.in_crm for mailbox, each in seen.items()},
        {mailbox: each.held for mailbox, each in seen.items()},
    )


def _going(letters: QuerySet[Message]) -> dict[int, tuple[int, int]]:
    """By mailbox how many these are, and of how many of them CRM keeps a copy."""
    counted = (
        letters.order_by().values_list("mailbox").annotate(number=Count("pk"), kept=Count("pk", filter=Q(in_crm=True)))
    )
    return {mailbox: (number, kept) for mailbox, number, kept in counted}


def _by_mailbox(rows: QuerySet[Model], way: str = "mailbox") -> dict[int, int]:
    return dict(rows.order_by().values_list(way).annotate(number=Count("pk")))


def _sum(some: dict[int, int], more: dict[int, int]) -> dict[int, int]:
    return {pk: some.get(pk, 0) + more.get(pk, 0) for pk in some.keys() | more.keys()}
