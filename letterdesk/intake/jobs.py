"""Looks at letters that came in: reads them, asks whether their senders are proved, and gives them to their door."""

import logging
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from letterdesk.events.record import record
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.lib.jobs import job
from letterdesk.lib.turns import in_turn
from letterdesk.mail.authentic import Proof, evidence_of
from letterdesk.mail.letters import Unreadable
from letterdesk.mail.parse import parse_many

from .doors import Arrival, Door, door_named
from .models import FAILED_TRIES, KEPT, Arrived, State
from .states import forget, leave, settle

logger = logging.getLogger(__name__)

CROWDED = "crowded"  # why a letter that cannot be read was not kept
MOST_READS = 3  # tries to read a letter
AGAIN_AFTER = timedelta(minutes=2)  # doubled with each try,
MOST_DOUBLED = 9  # up to 17 hours: it is tried without an end
DNS_PATIENCE = timedelta(hours=1)  # so long it is asked again whether a sender is proved
MISSED_AFTER = timedelta(seconds=30)
AT_ONCE = 500
SWEEP = 50.0  # seconds; the next one begins where this one ends


@job(name="intake.take", retries=0)
def take(arrived_id: int) -> None:
    """Look at one letter that waits; whatever happens, it is there afterwards."""
    now = timezone.now()
    waiting = Arrived.objects.filter(pk=arrived_id, state=State.WAITING, due_at__lte=now)
    row = waiting.select_related("account").first()
    if row is None or not _begin(row, now):
        return  # another worker has it, or it is done
    raw = blobs.get(row.account_id, row.blob)
    [letter] = parse_many([raw])
    door = door_named(row.door)
    if isinstance(letter, Unreadable):
        if row.tries >= MOST_READS:
            _cannot_be_read(row, door, now)
        return
    evidence = evidence_of(raw, believed=door.believed)
    if evidence.proof == Proof.UNKNOWN and now < row.arrived_at + DNS_PATIENCE:
        settle(row, now=now)
        return
    reach("intake.before_take")
    door.take(Arrival(row, raw, letter, evidence), now)


@transaction.atomic
def _begin(row: Arrived, now: datetime) -> bool:
    """Whether the next try is this worker's. That so many have failed is told once."""
    due_at = now + AGAIN_AFTER * 2 ** min(row.tries, MOST_DOUBLED)
    waiting = Arrived.objects.filter(pk=row.pk, state=State.WAITING, tries=row.tries, due_at__lte=now)
    is_mine = waiting.update(tries=F("tries") + 1, due_at=due_at) == 1
    if is_mine and row.tries == FAILED_TRIES:
        record("arrived.failing", account=row.account, subject=row.holder)
    return is_mine


@transaction.atomic
def _cannot_be_read(row: Arrived, door: Door, now: datetime) -> None:
    there = Arrived.objects.filter(door=row.door, address=row.address, state=State.UNREADABLE)
    if door.most_unreadable is not None and there.count() >= door.most_unreadable:
        leave(row, State.LEFT_OUT, why=CROWDED, now=now, is_kept=False)
        return
    leave(row, State.UNREADABLE, why="unreadable", now=now)
    record("arrived.unreadable", account=row.account, subject=row.holder)


@job(name="intake.take_these", retries=0)
def take_these(arrived_ids: list[int]) -> None:
    """Look at some letters that came together."""
    for pk in arrived_ids:
        _take_one(pk)


@job(name="intake.take_at_leisure", retries=0, priority=-8)
def take_these_at_leisure(arrived_ids: list[int]) -> None:
    """Look at some letters that were fetched: what a mailbox brings at once holds up nobody's mail (D13)."""
    take_these.now(arrived_ids)


@job(name="intake.take_waiting", priority=-5)
def take_waiting() -> None:
    """Every minute: letters whose wake-up was lost, and those that are tried again; each account in its turn (D13)."""
    now = timezone.now()
    waiting = Arrived.objects.filter(state=State.WAITING, due_at__lte=now - MISSED_AFTER)
    turn = Window(RowNumber(), partition_by=F("account"), order_by=F("due_at").asc())
    in_turn = list(waiting.annotate(turn=turn).order_by("turn", "due_at").values_list("pk", flat=True)[:AT_ONCE])
    until = time.monotonic() + SWEEP
    for pk in in_turn:
        if time.monotonic() > until:
            return
        _take_one(pk)


def _take_one(pk: int) -> None:
    try:
        take.now(pk)
    except Exception as error:  # it is tried again; the others do not wait for it
        logger.error("Letter %s could not be looked at: %s", pk, type(error).__name__)


@job(name="intake.forget_old", priority=-10)
def forget_old() -> None:
    """Daily, in runs of a minute until nothing is left: what was done or left out 30 days ago. What waits for a person
    or cannot be read stays.
    """
    now, until = timezone.now(), time.monotonic() + SWEEP
    while rows := list(_to_forget(now)[:AT_ONCE]):
        gone = in_turn(rows, lambda row: forget(row, now=now), failure="Letter %s that came in cannot be forgotten")
        if not gone:
            return  # they have their turn again tomorrow
        if time.monotonic() > until:
            forget_old.later()
            return


def _to_forget(now: datetime) -> QuerySet[Arrived]:
    old = Arrived.objects.filter(state__in=[State.DONE, State.LEFT_OUT], arrived_at__lt=now - KEPT, due_at__lte=now)
    return old.order_by("due_at")
