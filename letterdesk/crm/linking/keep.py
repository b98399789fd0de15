"""Writes letters down as activities: their own hold on the bytes, where they stand, the thread. Set-based.

Inside the caller's transaction, which holds the account and the letters' mailboxes. Twice is once.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes import collect, in_crm, rows

from ..models import Activity, Binding, InText, LetterCopy, Reason
from ..records.bin import let_out
from ..search.index import index_copies, moved
from ..sendsave.secret import shown
from .decide import Bind
from .identity import COPIED, identity_of
from .in_text import adopt, told_of

_LATEST = "(SELECT MAX(b.received_at) FROM crm_binding AS b WHERE b.record_id = crm_record.id)"
_OWN_REASON = """
    ON CONFLICT (activity_id, record_id) DO UPDATE
    SET reason = excluded.reason, matched = excluded.matched, by_id = excluded.by_id, at = excluded.at
    WHERE crm_binding.reason = 'history' AND crm_binding.by_id IS NULL AND excluded.reason <> 'history'"""
_ACTIVE = f"UPDATE crm_record SET active_at = {_LATEST} WHERE id IN %s AND active_at < {_LATEST}"  # noqa: S608


@dataclass(frozen=True, slots=True)
class ToKeep:
    """A letter, in which thread and direction, and where it stands; without bindings it joins what is there (R13)."""

    letter: Any  # a Message; or what lies in no mailbox, and has the same columns (R30)
    thread: int
    direction: str
    bindings: tuple[Bind, ...] = ()
    known_as: str = ""  # the identity of the letter of which it is a copy; empty: its own

    @property
    def identity(self) -> str:
        """What tells that another copy is the same letter."""
        return self.known_as or identity_of(self.letter)


def keep(
    account_id: int,
    wanted: Sequence[ToKeep],
    *,
    through: str,
    now: datetime,
    by: Employee | None = None,
    told: Mapping[str, InText] | None = None,
) -> list[Activity]:
    """Write these letters of one mailbox down; returns their activities in order. The mailbox is locked.

    `told`: as in `keep_beside`.
    """
    if not wanted:
        return []
    activities = keep_beside(account_id, wanted, through=through, now=now, by=by, told=told)
    _copy(account_id, wanted, activities)
    in_crm.mark(account_id, [each.letter.pk for each in wanted])
    return activities


def keep_beside(
    account_id: int,
    wanted: Sequence[ToKeep],
    *,
    through: str,
    now: datetime,
    by: Employee | None = None,
    told: Mapping[str, InText] | None = None,
) -> list[Activity]:
    """The same for letters that lie in no mailbox (R30); somebody holds their bytes while the caller works.

    `told`: which of them CRM has as the text of a forward (`in_text.told_of`); None: that is looked up.
    """
    identities = [each.identity for each in wanted]
    known = {each.identity: each for each in Activity.objects.filter(account=account_id, identity__in=identities)}
    first = dict(zip(reversed(identities), reversed(wanted), strict=True))  # of copies, and of what comes twice
    new = {key: each for key, each in first.items() if key not in known}
    if told is None:
        told = told_of(account_id, {key: each.letter for key, each in new.items()})
    known |= adopt(new, told, used={each.thread for each in wanted}, through=through, now=now)
    _make(account_id, first, known, through=through, now=now, by=by)
    activities = [known[identity] for identity in identities]
    bind(account_id, [(a, each.bindings) for a, each in zip(activities, wanted, strict=True)], now=now, by=by)
    return activities


def bind(
    account_id: int,
    wanted: Sequence[tuple[Activity, Collection[Bind]]],
    *,
    now: datetime,
    by: Employee | None = None,
) -> None:
    """These activities stand at those records from now on; where they do already, the first reason stays: but one of
    its own is said rather than that the letter went along with another.

    What lay in the bin with its last record is out of it then; what a person put there itself is not (R8).
    """
    places: dict[tuple[int, int], tuple[Activity, Bind]] = {}
    for activity, binds in wanted:
        for bind in binds:
            before = places.get((activity.pk, bind.record))
            if before is None or before[1].reason == Reason.HISTORY:
                places[activity.pk, bind.record] = activity, bind
    bindings = [
        rows.make(
            Binding,
            account_id=account_id,
            activity_id=activity.pk,
            record_id=bind.record,
            reason=bind.reason,
            matched=bind.matched,
            by_id=by.pk if by else None,
            at=now,
            received_at=activity.received_at,
        )
        for activity, bind in places.values()
    ]
    rows.insert(bindings, conflict=_OWN_REASON)
    if binned := [activity.pk for activity, binds in wanted if binds and activity.deleted_at]:
        let_out(binned)
    records = sorted({each.record_id for each in bindings})
    if records:
        rows.run(_ACTIVE, [records])


def _make(
    account_id: int,
    wanted: dict[str, ToKeep],
    known: dict[str, Activity],
    *,
    through: str,
    now: datetime,
    by: Employee | None,
) -> None:
    """Activities for those that have none yet, each with its hold on the bytes."""
    made = [
        rows.make(
            Activity,
            account_id=account_id,
            identity=identity,
            thread_id=each.thread,
            direction=each.direction,
            through=through,
            made_at=now,
            made_by_id=by.pk if by else None,
            **{name: getattr(each.letter, name) for name in COPIED} | {"recipients": shown(each.letter.recipients)},
        )
        for identity, each in sorted(wanted.items())
        if identity not in known
    ]
    rows.insert_with_keys(made, known_by="identity")
    collect.share(account_id, [(each.blob, each.holder) for each in made], now=now)
    index_copies(made, {each.pk: wanted[each.identity].letter for each in made})
    known.update((each.identity, each) for each in made)


def _copy(account_id: int, wanted: Sequence[ToKeep], activities: Sequence[Activity]) -> None:
    """Which letters are which activities; the date of receipt is the earliest of all copies, whichever came first."""
    copies = [
        rows.make(
            LetterCopy,
            account_id=account_id,
            activity_id=activity.pk,
            mailbox_id=each.letter.mailbox_id,
            blob=each.letter.blob,
        )
        for each, activity in zip(wanted, activities, strict=True)
    ]
    rows.insert(copies, conflict="ON CONFLICT (mailbox_id, blob) DO NOTHING")
    earlier: defaultdict[int, list[datetime]] = defaultdict(list)
    for each, activity in zip(wanted, activities, strict=True):
        if each.letter.received_at < activity.received_at:
            earlier[activity.pk].append(each.letter.received_at)
            activity.received_at = each.letter.received_at
    for pk, dates in earlier.items():
        Activity.objects.filter(pk=pk).update(received_at=min(dates))
        Binding.objects.filter(activity=pk).update(received_at=min(dates))
        moved(pk, min(dates))
