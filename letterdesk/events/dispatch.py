"""Hands each event to its reactions: in order per account, each exactly once, whatever fails or dies.

The reactions of an event run in one transaction with the mark that it is dispatched, under a lock on the account's
row: two workers never handle the same event, and never the later one first. A reaction that raises is undone alone,
kept as a FailedReaction and tried again, 3 times in all; the rest flows (G14). An event that kills its worker
is tried once a minute, and given up after three times.
"""

import logging
import traceback
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from letterdesk.accounts.models import Account
from letterdesk.lib.crashpoint import reach
from letterdesk.lib.jobs import job

from .models import Event, FailedReaction
from .reactions import Reaction, name_of, reactions

logger = logging.getLogger(__name__)

TRIES = 3
LEASE = timedelta(seconds=60)  # how long one worker is left alone with an event
WAITS = (timedelta(seconds=10), timedelta(seconds=60))  # before the second and the third try


@job(name="events.dispatch", priority=10)
def dispatch_events() -> None:
    """Dispatch what waits, then try again what failed and is due. Woken by every event, and each minute."""
    dispatch(timezone.now())
    retry_failed(timezone.now())


def dispatch(now: datetime) -> int:
    """Hand on every event that waits; returns how many were dispatched here."""
    accounts = Event.objects.filter(dispatched_at=None).values_list("account_id", flat=True)
    done = 0
    for account_id in dict.fromkeys(accounts.order_by("id")):
        while dispatch_next(account_id, now):
            done += 1
    return done


def dispatch_next(account_id: int, now: datetime) -> bool:
    """Hand on the account's oldest waiting event. False: none waits, or another worker is at it."""
    event_id = _claim(account_id, now)
    if event_id is None:
        return False
    with transaction.atomic():
        _lock(account_id)
        event = Event.objects.select_related("account", "by").get(pk=event_id)
        if event.dispatched_at is None:
            for reaction in reactions(event.kind):
                _react(event, reaction, now)
        Event.objects.filter(pk=event_id).update(dispatched_at=now)
        reach("dispatch.before_commit")
    return True


@transaction.atomic
def _claim(account_id: int, now: datetime) -> int | None:
    """Count the try before it is made, so that a try that kills the process is counted too."""
    _lock(account_id)
    waiting = Event.objects.filter(account_id=account_id, dispatched_at=None)
    event: Event | None = waiting.order_by("id").first()
    if event is None or (event.tried_at is not None and event.tried_at > now - LEASE):
        return None
    if event.attempts >= TRIES:
        _give_up(event, now)
        return _claim(account_id, now)
    Event.objects.filter(pk=event.pk).update(attempts=F("attempts") + 1, tried_at=now)
    return event.pk


def _give_up(event: Event, now: datetime) -> None:
    logger.error("Event %s (%s) is given up: it killed its worker %s times", event.pk, event.kind, TRIES)
    event.failures.create(
        account_id=event.account_id, error="the worker died", attempts=TRIES, due_at=now, given_up_at=now
    )
    Event.objects.filter(pk=event.pk).update(dispatched_at=now)


def _lock(account_id: int) -> None:
    """FOR NO KEY UPDATE: rows that refer to the account can still be written. SQLite is serial in any case."""
    Account.objects.select_for_update(no_key=True).get(pk=account_id)


def _react(event: Event, reaction: Reaction, now: datetime) -> None:
    try:
        with transaction.atomic():
            reaction(event)
    except Exception as error:  # any error of a reaction is its own: the others and the next events flow
        logger.warning("Reaction %s to event %s failed: %s", name_of(reaction), event.pk, _words(error))
        event.failures.create(
            account_id=event.account_id,
            reaction=name_of(reaction),
            error=_words(error),
            attempts=1,
            due_at=now + WAITS[0],
        )


def retry_failed(now: datetime) -> int:
    """Try failed reactions again that are due; returns how many succeeded. The third failure is the last."""
    due = FailedReaction.objects.filter(given_up_at=None, due_at__lte=now)
    return sum(_retry(pk, now) for pk in due.order_by("event_id", "id").values_list("pk", flat=True)[:500])


@transaction.atomic
def _retry(pk: int, now: datetime) -> bool:
    failed = FailedReaction.objects.select_for_update().filter(pk=pk, given_up_at=None, due_at__lte=now).first()
    if failed is None:
        return False
    try:
        with transaction.atomic():
            _reaction_named(failed)(failed.event)
    except Exception as error:  # as in _react
        _failed_again(failed, error, now)
        return False
    failed.delete()
    return True


def _reaction_named(failed: FailedReaction) -> Reaction:
    for reaction in reactions(failed.event.kind):
        if name_of(reaction) == failed.reaction:
            return reaction
    raise LookupError(f"{failed.reaction} no longer reacts to {failed.event.kind}")


def _failed_again(failed: FailedReaction, error: Exception, now: datetime) -> None:
    failed.attempts += 1
    failed.error = _words(error)
    if failed.attempts >= TRIES:
        failed.given_up_at = now
        logger.error("Reaction %s to event %s is given up: %s", failed.reaction, failed.event_id, failed.error)
    else:
        failed.due_at = now + WAITS[failed.attempts - 1]
    failed.save(update_fields=["attempts", "error", "given_up_at", "due_at"])


def _words(error: Exception) -> str:
    """The error's kind and place, not its text: that could quote a letter (hard rule 15)."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {place.name}, line {place.lineno}"[:200]
