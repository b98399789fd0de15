"""Chooses how long an account or a mailbox keeps letters: shorter than its plan, never longer, and counted first.

The preview asks what the sweep asks (R9), under the periods that would hold. What would take more than a hundredth of
the account's letters, or more than a thousand, waits for seven days, in which nothing is hidden or deleted and the
choice can be taken back (F09). This brake holds back what people choose, never what the plan prescribes (R20).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record
from letterdesk.lib.ids import new_public_id
from letterdesk.plans import limits

from .. import connect
from ..models import Mailbox, Message, Quarantined, RetentionRule
from . import legal, receipts, sweep
from .letters import Leaving, is_over, is_young, next_leaving
from .own_times import LONGEST, Standing, made_of, rules_of, seal_of, special_folders, standing
from .periods import Cutoff, Own, Periods

MANY = 1000  # letters
PART = 100  # a hundredth of the account's
DELAY = timedelta(hours=24 * 7)


class NotPossible(connect.NotPossible):
    """These days cannot be chosen; the text says why."""


class LookAgain(Exception):
    """What the preview counted is no longer so, or was not confirmed: `proposal` is to be shown anew."""

    def __init__(self, proposal: "Proposal") -> None:
        super().__init__(_("Since the preview something changed. Look at the numbers again."))
        self.proposal = proposal


@dataclass(frozen=True, slots=True)
class Affected:
    """What a choice does in one mailbox. `goes`: letters that leave at once, `in_crm` of them stay in CRM (R8);
    `kept`: past their time and held by a task or a legal hold (R4)."""

    mailbox: Mailbox
    goes: int
    in_crm: int
    kept: int
    next: Leaving | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a choice would do. `mark` names exactly this preview: whoever chooses hands it back."""

    mailbox: Mailbox | None
    before: Own
    own: Own
    lines: tuple[Affected, ...]
    letters: int
    soon: int  # letters that it would end within the seven days of the brake, and what holds now would not
    lately: int  # letters that choices of the last days took without a delay
    begins_at: datetime
    mark: str

    @property
    def goes(self) -> int:
        """Letters that leave when it begins."""
        return sum(line.goes for line in self.lines)

    @property
    def in_crm(self) -> int:
        """Those of them of which CRM keeps a copy."""
        return sum(line.in_crm for line in self.lines)

    @property
    def kept(self) -> int:
        """Letters past their time that are held."""
        return sum(line.kept for line in self.lines)

    @property
    def counted(self) -> int:
        """Letters that the brake counts: what goes at once, or within its seven days."""
        return max(self.goes, self.soon)

    @property
    def is_braked(self) -> bool:
        """Whether it waits for seven days and asks twice (F09)."""
        return brakes(self.counted, lately=self.lately, letters=self.letters)


def brakes(goes: int, *, lately: int, letters: int) -> bool:
    """Whether so many are too many to go at once. What went without delay in the last days counts: no salami. Pure."""
    return goes > 0 and (goes + lately > MANY or (goes + lately) * PART > letters)


def propose(account: Account, own: Own, *, mailbox: Mailbox | None = None, now: datetime) -> Proposal:
    """What this choice would do to the account, or to one of its mailboxes; nothing is changed.

    Raises NotPossible, and NotInPlan where there is no Webmail (R2).
    """
    check(account, own, mailbox=mailbox, now=now)
    rules = rules_of(account)
    before, after = _periods(account, rules, _rule(account, own, mailbox, now), now)
    lines = _lines(account, before, after, now)
    letters = Message.objects.filter(mailbox__in=_mailboxes(account)).count()
    lately = _lately(account, now)
    soon = _soon(account, before, after, now)
    waits = brakes(max(sum(line.goes for line, _sum in lines), soon), lately=lately, letters=letters)
    return Proposal(
        mailbox,
        said_by(standing(rules, now), mailbox),
        own,
        tuple(line for line, _sum in lines),
        letters,
        soon,
        lately,
        now + DELAY if waits else now,
        _mark(account, own, mailbox, [(line.mailbox.pk, line.goes, line.in_crm, total) for line, total in lines]),
    )


@transaction.atomic
def choose(
    account: Account,
    own: Own,
    *,
    mailbox: Mailbox | None = None,
    seen: str,
    confirmed: bool,
    by: Employee | None,
    now: datetime,
) -> RetentionRule:
    """Choose what a preview has shown: `seen` is its mark. What waits for its day is taken back by a new choice.

    Raises LookAgain where something changed since, or a brake was not confirmed; NotPossible; NotInPlan.
    """
    receipts.lock(account.pk)  # no sweep meanwhile
    proposal = propose(account, own, mailbox=mailbox, now=now)
    if proposal.mark != seen or (proposal.is_braked and not confirmed):
        raise LookAgain(proposal)
    for waiting in waiting_rules(account, now).filter(mailbox=mailbox):
        take_back(waiting, by=by, now=now)
    rule = _rule(account, own, mailbox, proposal.begins_at, made_at=now)
    rule.going, rule.by, rule.by_operator = proposal.counted, by, by is None
    rule.save(force_insert=True)
    record(
        "retention.chosen", account=account, by=by, subject=_subject(rule), days=own.days, sent=own.sent,
        drafts=own.drafts, begins_at=rule.begins_at.isoformat(), going=rule.going,
    )  # fmt: skip
    return rule


@transaction.atomic
def take_back(rule: RetentionRule, *, by: Employee | None, now: datetime) -> bool:
    """Take back a choice that has not begun; returns whether it was in time."""
    waiting = waiting_rules(rule.account, now).filter(pk=rule.pk)
    if not waiting.update(taken_back_at=now):
        return False
    record("retention.taken_back", account=rule.account, by=by, subject=_subject(rule))
    return True


def waiting_rules(account: Account, now: datetime) -> QuerySet[RetentionRule]:
    """Choices that wait for their day (F09)."""
    rules = RetentionRule.objects.filter(account=account, taken_back_at=None, begins_at__gt=now)
    return rules.select_related("mailbox", "account", "by").order_by("begins_at", "pk")


def said_by(at: Standing, mailbox: Mailbox | None) -> Own:
    """What the account, or a mailbox, says itself."""
    return at.account if mailbox is None else at.own(mailbox.pk)


def check(account: Account, own: Own, *, mailbox: Mailbox | None, now: datetime) -> None:
    """Raise unless these days can be chosen: days that are days, not more than the plan has (R18)."""
    limits.require(account, integration=True, now=now)
    if mailbox is not None and mailbox.account_id != account.pk:
        raise NotPossible(_("This mailbox is not of this account."))
    plan = limits.terms(account, now=now)
    for days in (own.days, own.sent, own.drafts):
        if days is not None and not 1 <= days <= LONGEST:
            raise NotPossible(_("Days are a number from 1 to %(most)s.") % {"most": LONGEST})
        if days is not None and plan.days_kept is not None and days > plan.days_kept:
            raise NotPossible(
                _("Your plan %(plan)s keeps letters for %(days)s days. You can keep them shorter, not longer.")
                % {"plan": plan.name, "days": plan.days_kept}
            )


def _rule(
    account: Account, own: Own, mailbox: Mailbox | None, begins_at: datetime, *, made_at: datetime | None = None
) -> RetentionRule:
    rule = RetentionRule(
        public_id=new_public_id(),
        account=account,
        mailbox=mailbox,
        days=own.days,
        sent_days=own.sent,
        draft_days=own.drafts,
        begins_at=begins_at,
        made_at=made_at or begins_at,
    )
    rule.seal = seal_of(rule)
    return rule


def _periods(
    account: Account, rules: Sequence[RetentionRule], new: RetentionRule, now: datetime
) -> tuple[Periods, Periods]:
    """The periods as they are, and as they would be from `now` on."""
    days = limits.terms(account, now=now).days_kept
    others = [rule for rule in rules if rule.begins_at <= now or rule.mailbox_id != new.mailbox_id]
    folders = special_folders(account, [*rules, new])
    return made_of(rules, days, now=now, folders=folders), made_of([*others, new], days, now=now, folders=folders)


def _mailboxes(account: Account) -> QuerySet[Mailbox]:
    found: QuerySet[Mailbox] = account.mailboxes.filter(forgotten_at=None)
    return found


def _lines(account: Account, before: Periods, after: Periods, now: datetime) -> list[tuple[Affected, int]]:
    """What happens in each mailbox, with the sum of the keys of what goes: another letter makes another sum."""
    old, new = before.cutoff(now), after.cutoff(now)
    if new is None:
        return []
    mailboxes = {each.pk: each for each in _mailboxes(account).select_related("owner").defer("secret").order_by("pk")}
    letters = Message.objects.filter(mailbox__in=list(mailboxes), binned_at=None)
    going = _counted(sweep.ending(letters, new).filter(is_young(Message, old)))
    unread = _unread(list(mailboxes), old, new)
    kept = dict(
        letters.filter(is_over(Message, new), is_held=True).order_by().values_list("mailbox").annotate(Count("pk"))
    )
    leaving = next_leaving(account, list(mailboxes), now=now, periods=after)
    return [
        (
            Affected(
                mailbox,
                going.get(pk, (0, 0, 0))[0] + unread.get(pk, 0),
                going.get(pk, (0, 0, 0))[1],
                kept.get(pk, 0),
                leaving.get(pk),
            ),
            going.get(pk, (0, 0, 0))[2],
        )
        for pk, mailbox in mailboxes.items()
    ]


def _soon(account: Account, before: Periods, after: Periods, now: datetime) -> int:
    """What the brake counts besides: nobody waits a minute, and sees go what the preview did not count (F09)."""
    old, new = before.cutoff(now + DELAY), after.cutoff(now + DELAY)
    if new is None:
        return 0
    mailboxes = list(_mailboxes(account).values_list("pk", flat=True))
    letters = Message.objects.filter(mailbox__in=mailboxes, binned_at=None)
    return sweep.ending(letters, new).filter(is_young(Message, old)).count() + sum(
        _unread(mailboxes, old, new).values()
    )


def _counted(letters: QuerySet[Message]) -> dict[int, tuple[int, int, int]]:
    """By mailbox: how many, how many of them in CRM, and the sum of their keys."""
    counted = letters.order_by().values("mailbox").annotate(
        number=Count("pk"), crm=Count("pk", filter=Q(in_crm=True)), total=Sum("pk")
    )  # fmt: skip
    return {row["mailbox"]: (row["number"], row["crm"], int(row["total"])) for row in counted}


def _unread(mailboxes: list[int], old: Cutoff, new: Cutoff) -> dict[int, int]:
    """Letters that could not be read go, too."""
    letters = legal.unread_free(Quarantined.objects.filter(is_over(Quarantined, new), is_young(Quarantined, old)))
    counted = letters.filter(folder__mailbox__in=mailboxes).order_by().values_list("folder__mailbox")
    return dict(counted.annotate(number=Count("pk")))


def _lately(account: Account, now: datetime) -> int:
    """How many letters choices of the last days took at once."""
    rules = RetentionRule.objects.filter(account=account, taken_back_at=None, made_at__gt=now - DELAY)
    taken = [rule.going for rule in rules if rule.begins_at <= rule.made_at]
    return sum(taken)


def _mark(account: Account, own: Own, mailbox: Mailbox | None, lines: list[tuple[int, int, int, int]]) -> str:
    facts = [account.pk, mailbox and mailbox.pk, own.days, own.sent, own.drafts, lines]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _subject(rule: RetentionRule) -> str:
    return rule.mailbox.topic if rule.mailbox else ""
