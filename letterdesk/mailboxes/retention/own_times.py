"""The own times of an account as they hold at a moment: for list, storage line, sync, sweep and preview alike."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db.models import QuerySet

from letterdesk.accounts.models import Account
from letterdesk.plans import limits

from ..models import Conversation, Folder, FolderRole, Listing, RetentionRule
from .periods import Own, Part, Period, Periods, times

SPECIAL = {FolderRole.SENT: "sent", FolderRole.DRAFTS: "drafts"}
NOTHING = Own()
LONGEST = 36_500  # days; what is more is a slip of the hand


def periods_of(account: Account, now: datetime) -> Periods:
    """The periods of all mailboxes of an account at `now`: by its plan (R18), and by its own times (two queries)."""
    return periods_under(account, limits.terms(account, now=now).days_kept, now=now)


def periods_under(account: Account, plan_days: int | None, *, now: datetime) -> Periods:
    """As `periods_of`, under another plan."""
    rules = rules_of(account)
    return made_of(rules, plan_days, now=now, folders=special_folders(account, rules)) if rules else plain(plan_days)


def sent_period(account: Account, mailbox_id: int | None, now: datetime) -> Period:
    """How long a letter stays that is sent from this mailbox: as what lies in its Sent; None: from no mailbox."""
    periods = periods_of(account, now)
    if mailbox_id is None:
        return periods.base
    sent = Folder.objects.filter(account=account, mailbox=mailbox_id, role=FolderRole.SENT, gone_at=None)
    return periods.in_folders(sent.values_list("pk", flat=True), mailbox_id)


def periods_here(conversations: QuerySet[Conversation], account: Account, now: datetime) -> list[Period]:
    """How long letters stay in the folders in which each of these conversations lies."""
    periods = periods_of(account, now)
    folders: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    lines = Listing.objects.filter(account=account, conversation__in=conversations)
    for conversation, mailbox, folder in lines.values_list("conversation", "conversation__mailbox", "folder"):
        folders[conversation, mailbox].append(folder)
    return [periods.in_folders(lying, mailbox) for (_conversation, mailbox), lying in folders.items()]


def plain(plan_days: int | None) -> Periods:
    """The periods where nobody chose own ones."""
    return Periods(Period(plan_days))


def rules_of(account: Account) -> list[RetentionRule]:
    """The rules of an account that mean anything, in the order in which they take over from each other (F22)."""
    rules = RetentionRule.objects.filter(account=account, taken_back_at=None).order_by("begins_at", "pk")
    return [rule for rule in rules if is_whole(rule)]


def is_whole(rule: RetentionRule) -> bool:
    """Whether a rule was made here, by somebody, with days that are days; what is not matches nothing (F09, F22)."""
    days = [each for each in (rule.days, rule.sent_days, rule.draft_days) if each is not None]
    has_author = rule.by_operator or rule.by_id is not None
    return has_author and all(1 <= each <= LONGEST for each in days) and rule.seal == seal_of(rule)


def seal_of(rule: RetentionRule) -> str:
    """What the seal of this rule must be: one that was changed past the preview does not fit (F09)."""
    facts = [
        rule.account_id, rule.mailbox_id, rule.days, rule.sent_days, rule.draft_days, rule.public_id,
        rule.begins_at.astimezone(UTC).isoformat(),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Standing:
    """What was chosen, at one moment: for the account, and by mailbox."""

    account: Own = NOTHING
    mailboxes: Mapping[int, Own] = field(default_factory=dict)

    def own(self, mailbox_id: int) -> Own:
        """What the mailbox says itself."""
        return self.mailboxes.get(mailbox_id, NOTHING)


def standing(rules: Iterable[RetentionRule], now: datetime) -> Standing:
    """Of each hand the last rule that has begun at `now`."""
    account, mailboxes = NOTHING, {}
    for rule in rules:
        if rule.begins_at > now:
            continue
        own = Own(rule.days, rule.sent_days, rule.draft_days)
        if rule.mailbox_id is None:
            account = own
        else:
            mailboxes[rule.mailbox_id] = own
    return Standing(account, mailboxes)


Folders = Mapping[int, Sequence[tuple[int, str]]]  # by mailbox: (folder, "sent" or "drafts")


def special_folders(account: Account, rules: Iterable[RetentionRule]) -> Folders:
    """The folders for sent letters and drafts of the account's mailboxes, where a rule tells them apart."""
    found: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    if any(rule.sent_days or rule.draft_days for rule in rules):
        folders = Folder.objects.filter(account=account, role__in=list(SPECIAL), gone_at=None)
        for pk, mailbox, role in folders.order_by("pk").values_list("pk", "mailbox_id", "role"):
            found[mailbox].append((pk, SPECIAL[FolderRole(role)]))
    return found


def made_of(rules: Sequence[RetentionRule], plan_days: int | None, *, now: datetime, folders: Folders) -> Periods:
    """The periods that these rules make under a plan, and what they become at the next moment at which one begins."""
    turns_at = min((rule.begins_at for rule in rules if rule.begins_at > now), default=None)
    before = standing(rules, now)
    after = before if turns_at is None else standing(rules, turns_at)
    named = before.mailboxes.keys() | after.mailboxes.keys()
    base = _period(
        times(plan_days, before.account, NOTHING), times(plan_days, after.account, NOTHING), "days", turns_at
    )
    everywhere = [each for each in (before.account, after.account) if each.sent is not None or each.drafts is not None]
    own: dict[int, tuple[Part, ...]] = {}
    for mailbox in sorted(named | (folders.keys() if everywhere else set())):
        first = times(plan_days, before.account, before.own(mailbox))
        then = times(plan_days, after.account, after.own(mailbox))
        own[mailbox] = tuple(_parts(first, then, turns_at, folders.get(mailbox, ())))
    return Periods(base, {mailbox: parts for mailbox, parts in own.items() if parts != (Part(None, base),)})


def _parts(first: Own, then: Own, turns_at: datetime | None, folders: Sequence[tuple[int, str]]) -> list[Part]:
    """All letters of a mailbox, and apart from them those in folders with another period."""
    general = _period(first, then, "days", turns_at)
    by_period: defaultdict[Period, list[int]] = defaultdict(list)
    for folder, kind in folders:
        period = _period(first, then, kind, turns_at)
        if period != general:
            by_period[period].append(folder)
    return [Part(None, general), *(Part(tuple(some), period) for period, some in by_period.items())]


def _period(first: Own, then: Own, kind: str, turns_at: datetime | None) -> Period:
    days, later = getattr(first, kind), getattr(then, kind)
    return Period(days) if days == later or turns_at is None else Period(days, later, turns_at)
