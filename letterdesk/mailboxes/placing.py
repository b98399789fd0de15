"""Gives letters their places: (folder, UIDVALIDITY, UID). One row each, whatever happens twice (P2)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from letterdesk.mail.letters import Fetched
from letterdesk.mail.uidset import UidSet

from . import rows
from .columns import flag_columns
from .models import Folder, Mailbox, Message, PendingChange, Placement, SearchText
from .search.index import position

LEAVING = (PendingChange.Kind.MOVE, PendingChange.Kind.DELETE)


@dataclass(frozen=True, slots=True)
class Place:
    """A letter as the server has it, the message it is, and when it was received (R19)."""

    fetched: Fetched
    message: Message
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Placed:
    """Which UIDs have their letter now, which hold another one, and which conversations changed."""

    placed: UidSet
    conflicts: UidSet
    touched: set[int]


def place(mailbox: Mailbox, folder: Folder, places: Sequence[Place], *, uidvalidity: int, now: datetime) -> Placed:
    """Write the placements of a batch. Inside the caller's transaction, the mailbox locked."""
    uids = [place.fetched.uid for place in places]
    there = {one.uid: one for one in Placement.objects.filter(folder=folder, uidvalidity=uidvalidity, uid__in=uids)}
    conflicts = {
        place.fetched.uid
        for place in places
        if (other := there.get(place.fetched.uid)) and other.message_id != place.message.pk and not other.hidden_at
    }
    good = [place for place in places if place.fetched.uid not in conflicts]
    touched = _make_room(good, there, now)
    new = {place.fetched.uid: place for place in good if place.fetched.uid not in there}
    _fill_provisional(folder, new, uidvalidity)
    rows.insert([_placement(folder, place, uidvalidity) for place in new.values()])
    _take_earlier_dates(good)
    _no_longer_unplaced([place.message.pk for place in good])
    touched |= {place.message.conversation_id for place in good}
    return Placed(UidSet(place.fetched.uid for place in good), UidSet(conflicts), touched)


def _make_room(places: Sequence[Place], there: dict[int, Placement], now: datetime) -> set[int]:
    """What lies here already is shown again; what was softly removed gives way to another letter (A03, A05)."""
    wanted = {place.fetched.uid: place.message.pk for place in places}
    same = [one for uid, one in there.items() if wanted.get(uid) == one.message_id and one.hidden_at]
    others = [one for uid, one in there.items() if wanted.get(uid, one.message_id) != one.message_id]
    if same:
        shown = Placement.objects.filter(pk__in=[one.pk for one in same])
        shown.exclude(pending_changes__kind__in=LEAVING).update(hidden_at=None)
    if others:
        Placement.objects.filter(pk__in=[one.pk for one in others]).delete()
        mark_unplaced([one.message_id for one in others], now=now)
    for one in others:
        del there[one.uid]
    return {one.conversation_id for one in others}


def mark_unplaced(message_ids: Collection[int], *, now: datetime) -> None:
    """Note on letters that have lost their last placement since when: they may only have moved (A19)."""
    Message.objects.filter(pk__in=message_ids, placements=None, unplaced_at=None).update(unplaced_at=now)


def _fill_provisional(folder: Folder, new: dict[int, Place], uidvalidity: int) -> None:
    """A letter that we moved here ourselves, and whose UID the server did not tell, has a place waiting (`move.py`).

    It is taken over with its key, so what a person did to it meanwhile stays. Takes its letter out of `new`.
    """
    waiting = _waiting_places(folder, {place.message.pk for place in new.values()})
    for place in list(new.values()):
        provisional = waiting.pop(place.message.pk, None)
        if provisional is not None:
            uid = place.fetched.uid
            PendingChange.objects.filter(pk=-provisional.uid).delete()
            PendingChange.objects.filter(placement=provisional).update(uid=uid, uidvalidity=uidvalidity)
            Placement.objects.filter(pk=provisional.pk).update(
                uid=uid, uidvalidity=uidvalidity, modseq=place.fetched.modseq
            )
            del new[uid]


def _waiting_places(folder: Folder, message_ids: set[int]) -> dict[int, Placement]:
    moving = {
        change.pk
        for change in PendingChange.objects.filter(target=folder, kind=PendingChange.Kind.MOVE)
        if change.state != PendingChange.State.SENT
    }
    provisional = Placement.objects.filter(folder=folder, uid__lt=0, message__in=message_ids)
    return {one.message_id: one for one in provisional if -one.uid not in moving}


def _placement(folder: Folder, place: Place, uidvalidity: int) -> Placement:
    return rows.make(
        Placement,
        account_id=folder.account_id,
        folder_id=folder.pk,
        message_id=place.message.pk,
        conversation_id=place.message.conversation_id,
        uidvalidity=uidvalidity,
        uid=place.fetched.uid,
        modseq=place.fetched.modseq,
        received_at=place.received_at,
        binned_at=place.message.binned_at,
        **flag_columns(place.fetched.flags),
    )


def _take_earlier_dates(places: Sequence[Place]) -> None:
    """R19: the earliest of its placements, in all of them."""
    earliest: dict[int, datetime] = {}
    for place in places:
        if place.received_at < place.message.received_at:
            earliest[place.message.pk] = min(place.received_at, earliest.get(place.message.pk, place.received_at))
    for message_id, date in earliest.items():
        Message.objects.filter(pk=message_id, received_at__gt=date).update(received_at=date)
        Placement.objects.filter(message=message_id).update(received_at=date)
        SearchText.objects.filter(message=message_id).update(position=position(date, message_id))


def _no_longer_unplaced(message_ids: Collection[int]) -> None:
    Message.objects.filter(pk__in=message_ids, unplaced_at__isnull=False).update(unplaced_at=None)
