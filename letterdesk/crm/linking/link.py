"""Letters of a mailbox are looked at, each once, and saved as `decide.py` says (R5, R28).

In pieces of one transaction each (`piece.py`), once it was found out whom CRM may know (`sift.py`). The same letter in
three mailboxes is one activity. What has an activity already joins it, whatever else is so (R13). Keys of letters rise
in the order of their commits, as `receive.store` holds the mailbox; so `MailboxSaving.considered` is enough to know
what was looked at. A letter at which that fails is set aside, and the others go on (`set_aside.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from letterdesk.lib.blame import is_away
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes.models import Mailbox, Message

from ..models import MailboxSaving
from ..saving import saving_of
from .piece import hold, look
from .set_aside import Parting, put_aside
from .sift import next_of, sift
from .untried import leave_untried

AT_ONCE = 500  # half of what a piece of 200 cost was its questions, which are as many for any number


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a piece: how many letters were saved; whether more are waiting, as far as is known."""

    saved: int
    is_last: bool


def link_new(mailbox: Mailbox, *, now: datetime) -> int:
    """Look at all letters of the mailbox that were not looked at yet; returns how many were saved."""
    looked = link_piece(mailbox, now=now)
    saved = looked.saved
    while not looked.is_last:
        looked = link_piece(mailbox, now=now)
        saved += looked.saved
    return saved


def link_letters(mailbox: Mailbox, message_ids: Sequence[int], *, now: datetime) -> int:
    """Look at these letters of the mailbox once more, as if they lay there before: they make no lead (R28).

    Those that were not looked at yet are new, and `link_piece` comes to them.
    """
    fails, leaves = partial(_set_back_aside, mailbox, now), partial(_leave_back_aside, mailbox, now)
    parting = Parting(partial(_look_back_at, mailbox, now), fails, leaves)
    parts = (message_ids[start : start + AT_ONCE] for start in range(0, len(message_ids), AT_ONCE))
    return sum(parting.together(part) for part in parts)


@transaction.atomic
def _look_back_at(mailbox: Mailbox, now: datetime, keys: Sequence[int], *, with_earlier: bool = True) -> int:
    hold(mailbox)
    saving = saving_of(mailbox)
    # By their keys: asked for the mailbox, too, SQLite would rather walk all of it.
    found = Message.objects.filter(pk__in=[key for key in keys if key <= saving.considered]).order_by("pk")
    letters = [each for each in found if each.mailbox_id == mailbox.pk]
    for letter in letters:
        letter.is_history = True
    return look(saving, letters, now=now, with_earlier=with_earlier) if letters else 0


@transaction.atomic
def _set_back_aside(mailbox: Mailbox, now: datetime, key: int, error: Exception) -> None:
    hold(mailbox)
    put_aside(mailbox, key, error, now=now, is_history=True)


@transaction.atomic
def _leave_back_aside(mailbox: Mailbox, now: datetime, keys: Sequence[int], error: Exception) -> None:
    hold(mailbox)
    leave_untried(mailbox, keys, now=now, is_history=True, error=error)


def link_piece(mailbox: Mailbox, *, now: datetime) -> Looked:
    """Look at some letters."""
    try:
        return _look_at(mailbox, now)
    except Exception as error:
        keys = [] if is_away(error) else next_of(saving_of(mailbox), AT_ONCE)
        if not keys:
            raise
    fails, leaves = partial(_set_aside, mailbox, now), partial(_leave_aside, mailbox, now)
    return Looked(Parting(partial(_look_at_part, mailbox, now), fails, leaves).by_halves(keys), is_last=False)


def _look_at_part(mailbox: Mailbox, now: datetime, keys: Sequence[int], *, with_earlier: bool = True) -> int:
    return _look_at(mailbox, now, keys, with_earlier=with_earlier).saved


def _look_at(
    mailbox: Mailbox, now: datetime, among: Sequence[int] | None = None, *, with_earlier: bool = True
) -> Looked:
    """Look at the next letters; `among`: at these, as far as nobody else was quicker.

    Which of them CRM may know anything of is found out before anything is held, so that a first sync goes on meanwhile:
    it is as if they had been looked at then.
    """
    saving = saving_of(mailbox)
    keys = next_of(saving, AT_ONCE) if among is None else [key for key in among if key > saving.considered]
    wanted = sift(saving, keys) if keys else []
    reach("crm_link.sifted")
    return _look_closer(mailbox, keys, wanted, now=now, is_end=among is None, with_earlier=with_earlier)


@transaction.atomic
def _look_closer(
    mailbox: Mailbox, keys: Sequence[int], wanted: Sequence[int], *, now: datetime, is_end: bool, with_earlier: bool
) -> Looked:
    """Look at what is wanted of these letters. `is_end`: fewer than `AT_ONCE` are the last that were there."""
    is_end = is_end and len(keys) < AT_ONCE
    saving = _held(mailbox) if wanted or is_end else _saving(mailbox)
    left = [key for key in wanted if key > saving.considered]  # where no other worker was quicker
    letters = list(Message.objects.filter(pk__in=left).order_by("pk")) if left else []
    saved = look(saving, letters, now=now, with_earlier=with_earlier) if letters else 0
    considered = max([*keys, saving.considered])
    if is_end and not next_of(saving, 1, after=considered):
        considered = _up_to_now(considered)
    else:
        is_end = False
    _go_on(saving, considered)
    reach("crm_link.before_commit")
    return Looked(saved, is_end)


@transaction.atomic
def _set_aside(mailbox: Mailbox, now: datetime, key: int, error: Exception) -> None:
    saving = _held(mailbox)
    if key <= saving.considered:
        return  # another worker was quicker
    put_aside(mailbox, key, error, now=now)
    _go_on(saving, key)
    reach("crm_link.before_set_aside")


@transaction.atomic
def _leave_aside(mailbox: Mailbox, now: datetime, keys: Sequence[int], error: Exception) -> None:
    saving = _held(mailbox)
    left = [key for key in keys if key > saving.considered]
    leave_untried(mailbox, left, now=now, is_history=False, error=error)
    _go_on(saving, max(keys))
    reach("crm_link.before_set_aside")


def _held(mailbox: Mailbox) -> MailboxSaving:
    """How far the mailbox is, which nobody changes until the commit."""
    hold(mailbox)
    return _saving(mailbox)


def _saving(mailbox: Mailbox) -> MailboxSaving:
    saving, _ = MailboxSaving.objects.get_or_create(mailbox=mailbox, defaults={"account_id": mailbox.account_id})
    saving.mailbox = mailbox
    return saving


def _go_on(saving: MailboxSaving, considered: int) -> None:
    if considered > saving.considered:
        MailboxSaving.objects.filter(pk=saving.pk, considered__lt=considered).update(considered=considered)


def _up_to_now(considered: int) -> int:
    """Later letters of a mailbox that is held have greater keys than all that are there now, whosever they are."""
    return max(Message.objects.aggregate(newest=Max("pk"))["newest"] or 0, considered)


def is_behind(mailbox: Mailbox, least: int = 1) -> bool:
    """Whether so many letters of the mailbox wait; asked without holding anything: each batch of a sync wakes its own
    job."""
    return len(next_of(saving_of(mailbox), least)) >= least


def mailboxes_to_look_at() -> list[int]:
    """Keys of mailboxes with letters that were not looked at yet."""
    considered = MailboxSaving.objects.filter(mailbox=OuterRef("mailbox")).values("considered")
    letters = Message.objects.filter(mailbox=OuterRef("pk"))
    newer = letters.filter(pk__gt=Coalesce(Subquery(considered), Value(0)))
    waiting = Mailbox.objects.filter(Exists(newer), forgotten_at=None).order_by("pk")
    return list(waiting.values_list("pk", flat=True))
