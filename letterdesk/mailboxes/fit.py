"""Which mailboxes a plan lets run: fitted to the account's plan when it changes, and when an owner chooses (R13).

Suspended by plan means: nothing is fetched, sent or deleted on the server; settings, folders and grants are kept, and
what is here stays readable until its period ends (R9), as far as the plan has Webmail at all (R12).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record
from letterdesk.lib.crashpoint import reach
from letterdesk.plans import limits
from letterdesk.plans.catalogue import Terms, catalogue, terms_of
from letterdesk.plans.timeline import plan_at

from .connect import COUNTED, tell_resumed
from .models import Mailbox, MailboxState

CONSIDERED = (*COUNTED, MailboxState.SUSPENDED)


class Candidate(Protocol):
    """What the choice looks at."""

    pk: int
    connected_at: datetime
    gives_way: bool


@dataclass(slots=True)
class Fitted:
    """What was done."""

    suspended: list[Mailbox] = field(default_factory=list)
    resumed: list[Mailbox] = field(default_factory=list)


def kept(mailboxes: Iterable[Candidate], limit: int | None) -> set[int]:
    """Keys of those of one owner's mailboxes that run under this limit (None: all).

    Those that were connected first; the owner's choice of what gives way comes before that (R13).
    """
    first = sorted(mailboxes, key=lambda each: (each.gives_way, each.connected_at, each.pk))
    return {each.pk for each in first[:limit]}


def kept_under(terms: Terms, mailboxes: Iterable[Mailbox]) -> set[int]:
    """Keys of the account's mailboxes that run under these terms: `kept` for each owner."""
    by_owner: dict[int, list[Mailbox]] = defaultdict(list)
    for mailbox in mailboxes:
        by_owner[mailbox.owner_id].append(mailbox)
    running: set[int] = set()
    for own in by_owner.values():
        running |= kept(own, terms.mailboxes_per_employee if terms.has_integration else 0)
    return running


def considered(account: Account, *, owner: Employee | None = None, locked: bool = False) -> list[Mailbox]:
    """The mailboxes of the account, or of this owner, that a plan counts or has suspended, with their owners.

    `locked`: nobody pauses or disconnects one of them until the end of the transaction.
    """
    found = Mailbox.objects.filter(account=account, state__in=CONSIDERED).exclude(imap_host="")
    if owner is not None:
        found = found.filter(owner=owner)
    if locked:
        found = found.select_for_update(of=("self",))
    return list(found.select_related("owner", "account").defer("secret").order_by("pk"))


def fit(account: Account, *, now: datetime) -> Fitted:
    """Suspend what the plan at `now` has no place for, and resume what it has a place for again. Twice is once."""
    with limits.locked(account) as subscription:
        key = plan_at(subscription, now)
        shelf = catalogue(now)
        done = _fit(considered(account, locked=True), terms_of(shelf.plan(key), now))
        subscription.followed, subscription.followed_version = key, shelf.version
        subscription.save(update_fields=["followed", "followed_version"])
        reach("fit.before_commit")
    reach("fit.committed")
    return done


def choose(owner: Employee, giving_way: Collection[str], *, by: Employee, now: datetime) -> Fitted:
    """Say which of the owner's mailboxes (public ids) are suspended before others; it holds at once and later (R13)."""
    with limits.locked(owner.account):
        own = considered(owner.account, owner=owner, locked=True)
        for mailbox in own:
            chosen = mailbox.public_id in giving_way
            if chosen != mailbox.gives_way:
                mailbox.gives_way = chosen
                mailbox.save(update_fields=["gives_way"])
                record("mailbox.changed", account=owner.account, by=by, topic=mailbox.topic, subject=mailbox.topic,
                       gives_way=int(chosen))  # fmt: skip
        return _fit(own, limits.terms(owner.account, now=now))


def _fit(mailboxes: list[Mailbox], terms: Terms) -> Fitted:
    running, done = kept_under(terms, mailboxes), Fitted()
    for mailbox in mailboxes:
        is_suspended = mailbox.state == MailboxState.SUSPENDED
        if mailbox.pk not in running and not is_suspended:
            _suspend(mailbox, terms)
            done.suspended.append(mailbox)
            reach("fit.suspended")
        elif mailbox.pk in running and is_suspended:
            _resume(mailbox)
            done.resumed.append(mailbox)
            reach("fit.resumed")
    return done


def _suspend(mailbox: Mailbox, terms: Terms) -> None:
    before = MailboxState.PAUSED if mailbox.state == MailboxState.PAUSED else ""
    mailbox.state, mailbox.state_before = MailboxState.SUSPENDED, before
    mailbox.error_code, mailbox.error_text, mailbox.error_since = "", "", None
    mailbox.save(update_fields=["state", "state_before", "error_code", "error_text", "error_since"])
    reason = "number" if terms.has_integration else "webmail"
    record("mailbox.suspended", account=mailbox.account, topic=mailbox.topic, subject=mailbox.topic,
           owner=mailbox.owner.public_id, plan=terms.key, reason=reason)  # fmt: skip


def _resume(mailbox: Mailbox) -> None:
    """As it was: a mailbox that its owner had paused is paused again."""
    mailbox.state = MailboxState(mailbox.state_before or MailboxState.CONNECTED)
    mailbox.state_before = ""
    mailbox.save(update_fields=["state", "state_before"])
    tell_resumed(mailbox, was=MailboxState.SUSPENDED, by=None)
