"""Which mailboxes this process watches: leases taken, renewed and given back in bulk, by the database's clock."""

import math
from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from letterdesk.mailboxes.models import Mailbox, MailboxState
from letterdesk.plans.timeline import without_webmail

from .models import Lease, SyncProcess

Claims = dict[int, int]  # mailbox id → fence


def claim(holder: str, *, limit: int, seconds: float) -> Claims:
    """Take up to `limit` free mailboxes for `seconds`. Each gets the next fence, so that late writers are refused."""
    _make_missing_leases()
    taken: Claims = {}
    for lease in Lease.objects.filter(_free(), _due(), _watchable()).order_by("expires_at", "pk")[:limit]:
        with transaction.atomic():
            mine = Lease.objects.filter(_free(), pk=lease.pk, fence=lease.fence).update(
                holder=holder, fence=F("fence") + 1, expires_at=Now() + timedelta(seconds=seconds)
            )
        if mine:
            taken[lease.mailbox_id] = lease.fence + 1
    return taken


def renew(holder: str, *, seconds: float) -> Claims:
    """Prolong what this holder has, and return it. What is not in the answer is lost: stop working on it.

    A mailbox that was paused, suspended or disconnected meanwhile, or whose account has no Webmail any more by the
    clock, is given back (R11: within 60 s).
    """
    mine = Lease.objects.filter(holder=holder, expires_at__gt=Now())
    mine.filter(~_watchable()).update(holder="", expires_at=None)
    mine.update(expires_at=Now() + timedelta(seconds=seconds))
    return dict(mine.values_list("mailbox_id", "fence"))


def give_back(holder: str, mailboxes: Collection[int] | None = None) -> None:
    """Free these mailboxes, or all of this holder, at once, so that another process need not wait."""
    mine = Lease.objects.filter(holder=holder)
    if mailboxes is not None:
        mine = mine.filter(mailbox__in=mailboxes)
    mine.update(holder="", expires_at=None)


def show_alive(holder: str, *, seconds: float) -> int:
    """Say that this process lives; returns its fair share of mailboxes among the living ones."""
    SyncProcess.objects.update_or_create(
        name=holder, defaults={"seen_at": Now()}, create_defaults={"seen_at": Now(), "started_at": Now()}
    )
    SyncProcess.objects.filter(seen_at__lt=Now() - timedelta(days=1)).delete()
    living = SyncProcess.objects.filter(seen_at__gte=Now() - timedelta(seconds=seconds)).count()
    watchable = _watchable_mailboxes().count()  # not their leases: a new mailbox has none before it is first claimed
    return math.ceil(watchable / max(living, 1))


def leave(holder: str) -> None:
    """This process ends: its mailboxes and its share are free."""
    give_back(holder)
    SyncProcess.objects.filter(name=holder).delete()


def ask_for_pass(mailbox: Mailbox) -> None:
    """A person wants the mailbox in step now: its process does a pass at once, and a back-off is over."""
    Lease.objects.filter(mailbox=mailbox).update(wanted_at=Now(), retry_at=None)


def wanted(holder: str) -> set[int]:
    """Mailboxes of this holder for which a person asked a pass; asking is taken note of."""
    asked = Lease.objects.filter(holder=holder, wanted_at__isnull=False)
    found = set(asked.values_list("mailbox_id", flat=True))
    asked.filter(mailbox__in=found).update(wanted_at=None)
    return found


def _make_missing_leases() -> None:
    without = _watchable_mailboxes().filter(lease=None)
    Lease.objects.bulk_create(
        [Lease(account_id=account, mailbox_id=pk) for pk, account in without.values_list("pk", "account_id")],
        ignore_conflicts=True,
    )


def _watchable_mailboxes() -> QuerySet[Mailbox]:
    return Mailbox.objects.filter(_kept_in_step(""))


def _free() -> Q:
    return Q(expires_at=None) | Q(expires_at__lt=Now())


def _due() -> Q:
    return Q(retry_at=None) | Q(retry_at__lte=Now())


def _watchable() -> Q:
    return _kept_in_step("mailbox__")


def _kept_in_step(way: str) -> Q:
    """Connected, with a server, in an account that is not closed, and whose plan has Webmail by the clock (R11)."""
    connected = Q(**{f"{way}state": MailboxState.CONNECTED}) & ~Q(**{f"{way}imap_host": ""})
    refused = without_webmail(timezone.now()).values("account")
    return connected & Q(**{f"{way}account__closed_at": None}) & ~Q(**{f"{way}account__in": refused})
