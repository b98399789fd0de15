"""A letter at which looking fails is set aside with its error: it is tried again, and holds up no other.

A fault of ours, a constraint of the database: nobody foresaw it. What fails together is looked at by halves, each in a
transaction of its own, until it is known which letter fails by itself. A database that is away, busy or not up to date
sets nothing aside: then nobody's letters can be looked at, and the wake-ups go on asking.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from django.db import transaction
from django.db.models import F

from letterdesk.accounts.models import Account
from letterdesk.events.record import record as tell
from letterdesk.intake.models import FAILED_TRIES
from letterdesk.lib.blame import is_away, places_of
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes.models import Mailbox, Message

from ..models import SetAside
from ..saving import saving_of
from .piece import hold, look

AGAIN_AFTER = timedelta(minutes=5)  # doubled with each try,
MOST_DOUBLED = 8  # up to 21 hours: it is tried without an end
AT_ONCE = 500
HOPELESS = 20  # letters that fail one after the other
logger = logging.getLogger(__name__)


class Look(Protocol):
    """Looks at letters by their keys, in a transaction of its own; returns how many were saved."""

    def __call__(self, keys: Sequence[int], *, with_earlier: bool = True) -> int: ...


@dataclass(slots=True)
class Parting:
    """Looks at letters together, and where that fails by halves, until it is known which one fails by itself.

    `fails`: what becomes of that one; `leaves`: of those that are tried no more, as `HOPELESS` in a row failed alike:
    then the fault is no letter's. Raises what says that the database is away (`is_away`); what was looked at by then
    stays so.
    """

    look_at: Look
    fails: Callable[[int, Exception], None]
    leaves: Callable[[Sequence[int], Exception], None]
    error: Exception | None = None  # at which the last ones failed,
    in_a_row: int = 0

    def together(self, keys: Sequence[int]) -> int:
        """Returns how many of these letters were saved."""
        if not keys:
            return 0
        if self.error is not None and self.in_a_row >= HOPELESS:
            self.leaves(keys, self.error)
            return 0
        try:
            saved = self.look_at(keys)
        except Exception as error:
            if is_away(error):
                raise
            failed = error
        else:
            self.in_a_row = 0
            return saved
        return self.by_halves(keys) if len(keys) > 1 else self._alone(keys, failed)

    def by_halves(self, keys: Sequence[int]) -> int:
        """The same where looking at all of them together has failed."""
        middle = len(keys) // 2
        return self.together(keys[:middle]) + self.together(keys[middle:])

    def _alone(self, keys: Sequence[int], failed: Exception) -> int:
        """Perhaps an earlier letter fails that goes along with this one: that is looked at by itself then."""
        try:
            saved = self.look_at(keys, with_earlier=False)
        except Exception as error:
            if is_away(error):
                raise
        else:
            self.in_a_row = 0
            return saved
        self.in_a_row = self.in_a_row + 1 if type(failed) is type(self.error) else 1
        self.error = failed
        self.fails(keys[0], failed)
        return 0


def put_aside(mailbox: Mailbox, key: int, error: Exception, *, now: datetime, is_history: bool = False) -> None:
    """This letter failed by itself. Inside the caller's transaction, which holds the mailbox.

    `is_history`: it is looked at as if it lay there before; where it waits already, that stays as it was.
    """
    _log(key, error)
    facts = {
        "account_id": mailbox.account_id, "mailbox": mailbox, "is_history": is_history, "at": now,
        "error": type(error).__name__[:100], "due_at": now + AGAIN_AFTER,
    }  # fmt: skip
    SetAside.objects.get_or_create(letter=key, defaults=facts)


def mailboxes_to_try(now: datetime) -> list[int]:
    """Keys of mailboxes with letters that were set aside and are due."""
    due = SetAside.objects.filter(due_at__lte=now).order_by("mailbox")
    return list(due.values_list("mailbox", flat=True).distinct())


def make_due(account: Account | None, *, now: datetime) -> list[int]:
    """Letters that were set aside, of this account or of all, are due at once; returns the keys of their mailboxes."""
    waiting = SetAside.objects.filter(account=account) if account else SetAside.objects.all()
    waiting.filter(due_at__gt=now).update(due_at=now)
    return mailboxes_to_try(now)


def look_again(mailbox: Mailbox, *, now: datetime) -> int:
    """Look at the letters of a mailbox that were set aside and are due; returns how many were saved.

    Of a mailbox that is forgotten nothing is saved any more.
    """
    if mailbox.forgotten_at is not None:
        SetAside.objects.filter(mailbox=mailbox).delete()
        return 0
    due = SetAside.objects.filter(mailbox=mailbox, due_at__lte=now).order_by("tries", "due_at", "letter")
    keys = list(due.values_list("letter", flat=True)[:AT_ONCE])
    fails = partial(_failed_again, mailbox, now)
    return Parting(partial(_try, mailbox, now), fails, leaves=lambda _keys, _error: None).together(keys)


@transaction.atomic
def _try(mailbox: Mailbox, now: datetime, keys: Sequence[int], *, with_earlier: bool = True) -> int:
    hold(mailbox)
    waiting = {each.letter: each for each in SetAside.objects.filter(letter__in=keys, mailbox=mailbox, due_at__lte=now)}
    letters = list(Message.objects.filter(pk__in=list(waiting), mailbox=mailbox).order_by("pk"))
    for letter in letters:
        letter.is_history = letter.is_history or waiting[letter.pk].is_history
    saved = look(saving_of(mailbox), letters, now=now, with_earlier=with_earlier) if letters else 0
    SetAside.objects.filter(pk__in=[each.pk for each in waiting.values()]).delete()  # also those that are gone
    if any(each.tries >= FAILED_TRIES for each in waiting.values()):
        _tell_recovered(mailbox)
    reach("crm_link.before_commit")
    return saved


@transaction.atomic
def _failed_again(mailbox: Mailbox, now: datetime, key: int, error: Exception) -> None:
    hold(mailbox)
    for row in SetAside.objects.filter(letter=key, mailbox=mailbox, due_at__lte=now):
        _log(key, error)
        due_at = now + AGAIN_AFTER * 2 ** min(row.tries, MOST_DOUBLED)
        name = type(error).__name__[:100]
        SetAside.objects.filter(pk=row.pk).update(tries=F("tries") + 1, error=name, due_at=due_at)
        if row.tries + 1 == FAILED_TRIES:
            tell("linking.failing", account=mailbox.account, topic=mailbox.topic, error=name)
    reach("crm_link.before_set_aside")


def _tell_recovered(mailbox: Mailbox) -> None:
    if not SetAside.objects.filter(mailbox=mailbox, tries__gte=FAILED_TRIES).exists():
        tell("linking.recovered", account=mailbox.account, topic=mailbox.topic)


def _log(key: int, error: Exception) -> None:
    logger.error("CRM could not look at letter %s: %s\n%s", key, type(error).__name__, places_of(error))
