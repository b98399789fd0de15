"""Day 31 of an account whose deletion was asked for: everything goes, piece by piece, here alone (R4, R26, F13, F17).

Which tables there are is asked of the models: every row of ours names its account, and what points to another row goes
before it. Each piece is a transaction of its own that asks again whether it may: the account is still to go, and no
legal hold is on any of its letters (P10, F05). A crash leaves whole pieces; running again does the rest.

What remains is a shell without a name: the receipts, which say what was deleted and never what it said, and one event.
"""

from datetime import datetime
from graphlib import TopologicalSorter

from django.apps import apps
from django.db import models, transaction
from django.db.models import Exists, OuterRef, QuerySet

from letterdesk.accounts.close import KEPT
from letterdesk.accounts.models import Account
from letterdesk.accounts.sessions import end_sessions
from letterdesk.events.record import record
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes.models import (
    Hold,
    Mailbox,
    Message,
    Quarantined,
    Receipt,
    ReceiptCheck,
    RemovedWords,
    SearchText,
)
from letterdesk.mailboxes.remove import remove_messages
from letterdesk.mailboxes.retention import holds, legal, receipts
from letterdesk.mailboxes.retention.sweep import clock_is_in_doubt
from letterdesk.mailboxes.search.letters import forget_removed

from . import parcels

AT_ONCE = 500
RULE = "account"
REMAINS: tuple[type[models.Model], ...] = (Receipt, ReceiptCheck)
ELSEWHERE = (SearchText, RemovedWords)  # go with their letters, and when the index was merged
Model = type[models.Model]


class Held(Exception):
    """Letters of the account are under a legal hold: they win, and nothing more is deleted until it is released."""

    code = "held"

    def __init__(self, account: Account, count: int) -> None:
        super().__init__(f"{account.name} is under a legal hold ({count} letters). Release it first.")
        self.count = count


class NotDue(Exception):
    """The account is open, or its 30 days are not over."""

    code = "not_due"


def due(now: datetime) -> QuerySet[Account]:
    """Accounts whose 30 days are over, and those whose purge has begun and is not done."""
    return Account.objects.filter(closed_at__lte=now - KEPT, purged_at=None).order_by("closed_at")


def purge_due(*, now: datetime) -> int:
    """Purge what is due; returns how many accounts are done. None while the clock is in doubt (F11)."""
    if clock_is_in_doubt(now):
        return 0
    done = 0
    for account in due(now):
        try:
            purge(account, now=now)
        except Held:
            continue  # the operator sees it in the list of accounts
        done += 1
    return done


def purge(account: Account, *, now: datetime) -> None:
    """Delete everything of an account whose 30 days are over; running again goes on. Raises NotDue, Held."""
    _begin(account, now)
    for person in account.employees.all():
        end_sessions(person)
    tables = order()
    while sum(_empty(account, model, now) for model in tables):  # until a whole round finds nothing
        reach("account_purge.round")
    parcels.remove_all(account.pk)
    for blob in blobs.stored(account.pk):
        blobs.remove(account.pk, blob)
    while forget_removed():
        pass
    _end(account, now)


def legal_holds(account: Account) -> int:
    """How many letters of the account are under a legal hold, those that nobody could read included."""
    unreadable = legal.unread_held(Quarantined.objects.filter(account=account)).count()
    return Hold.objects.filter(account=account, reason="legal").values("message").distinct().count() + unreadable


def order() -> list[Model]:
    """All tables whose rows name their account, those that point to others before them; without what remains."""
    ours = [model for model in apps.get_models() if model not in (*REMAINS, *ELSEWHERE) and _names_its_account(model)]
    before: dict[Model, set[Model]] = {model: set() for model in ours}
    for model in ours:
        for field in model._meta.get_fields():
            there = field.related_model if field.concrete and field.is_relation else None
            if there in before and there is not model:
                before[there].add(model)
    return list(TopologicalSorter(before).static_order())


@transaction.atomic
def _begin(account: Account, now: datetime) -> None:
    """From here on nothing brings the account back."""
    receipts.lock(account.pk)
    account.refresh_from_db()
    if account.closed_at is None or now < account.closed_at + KEPT or account.purged_at is not None:
        raise NotDue(f"{account.name or account.public_id} is not to be purged now.")
    _refuse_held(account)
    if account.purge_began_at is None:
        Account.objects.filter(pk=account.pk).update(purge_began_at=now)


def _refuse_held(account: Account) -> None:
    if (count := legal_holds(account)) or legal.being_placed(account).exists():
        raise Held(account, count)


def _empty(account: Account, model: Model, now: datetime) -> int:
    """Delete all rows of a table, piece by piece; returns how many."""
    done = 0
    while gone := _letters(account, now) if model is Message else _rows(account, model):
        done += gone
        reach("account_purge.piece")
    return done


@transaction.atomic
def _rows(account: Account, model: Model) -> int:
    _still_to_go(account)
    ids = list(model._base_manager.filter(account=account.pk).values_list("pk", flat=True)[:AT_ONCE])
    if ids:
        model._base_manager.filter(account=account.pk, pk__in=ids).delete()
    return len(ids)


@transaction.atomic
def _letters(account: Account, now: datetime) -> int:
    """Letters of a mailbox, through the one door, with a receipt: no task holds them any more (R4)."""
    _still_to_go(account)
    mailbox = Mailbox.objects.filter(Exists(Message.objects.filter(mailbox=OuterRef("pk"))), account=account.pk).first()
    if mailbox is None:
        return 0
    ids = list(Message.objects.filter(mailbox=mailbox).values_list("pk", flat=True)[:AT_ONCE])
    holds.settle(Message.objects.filter(pk__in=ids, is_held=True))
    gone = remove_messages(mailbox, ids, now=now)
    if gone:
        receipts.write(mailbox, gone, rule=RULE, now=now)
    return len(gone)


def _still_to_go(account: Account) -> None:
    """Asked anew in each transaction, under the account's lock."""
    receipts.lock(account.pk)
    if not Account.objects.filter(pk=account.pk, purge_began_at__isnull=False, purged_at=None).exists():
        raise NotDue(account.public_id)
    _refuse_held(account)


@transaction.atomic
def _end(account: Account, now: datetime) -> None:
    """The last line of its audit, and a shell without a name."""
    receipts.lock(account.pk)
    letters = Receipt.objects.filter(account=account.pk, rule=RULE).aggregate(n=models.Sum("count"))["n"] or 0
    record("account.purged", account=account, letters=letters, closed_at=str(account.closed_at))
    shell = Account.objects.filter(pk=account.pk, purged_at=None)
    shell.update(name="", purged_at=now, closed_by=None, left_behind_until=None, time_zone="UTC")
    reach("account_purge.before_end")


def _names_its_account(model: Model) -> bool:
    return any(
        field.name == "account" and field.concrete and field.is_relation and field.related_model is Account
        for field in model._meta.get_fields()
    )
