"""Writes down what was carried out on the server: letters that a person moved get their new place, keys and all."""

from datetime import timedelta

from letterdesk.lib.crashpoint import reach
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes import listing, move
from letterdesk.mailboxes.intentions import drop
from letterdesk.mailboxes.models import Folder, PendingChange, Placement
from letterdesk.mailboxes.placing import mark_unplaced

from .passing import Pass

LOST_AFTER = timedelta(hours=1)
Run = list[PendingChange]


def moved(work: Pass, run: Run, told: dict[int, int], *, left_marked: bool = False) -> None:
    """The letters are in their new folder. Where the new UID was not told, the next pull of that folder finds it."""
    folder, target = run[0].folder, run[0].target
    assert target is not None  # noqa: S101  the sender has looked
    with work.transaction():
        for change in run:
            _take_place(work, change, target, told.get(change.uid or 0))
        _leave(work, folder, run, left_marked=left_marked)
        work.record("message.moved", folder, count=len(run), left_marked=len(run) if left_marked else 0)
        reach("push.move.before_commit")
    reach("push.move.committed")


def deleted(work: Pass, run: Run, *, left_marked: bool = False) -> None:
    """The letters are gone from the server, by the wish of a person."""
    folder = run[0].folder
    with work.transaction():
        PendingChange.objects.filter(pk__in=[change.pk for change in run]).delete()
        _leave(work, folder, run, left_marked=left_marked)
        reach("push.delete.before_commit")
    reach("push.delete.committed")


def _take_place(work: Pass, change: PendingChange, target: Folder, uid: int | None) -> None:
    waiting = Placement.objects.filter(folder=target, uid=-change.pk).first()
    if uid is None or target.uidvalidity is None:
        change.state, change.placement, change.due_at = PendingChange.State.SENT, None, work.now
        change.save(update_fields=["state", "placement", "due_at"])
        return
    PendingChange.objects.filter(pk=change.pk).delete()
    if waiting is None:
        return
    place = {"uid": uid, "uidvalidity": target.uidvalidity}
    there = Placement.objects.filter(folder=target, **place).first()
    if there is None:
        Placement.objects.filter(pk=waiting.pk).update(**place)
    PendingChange.objects.filter(placement=waiting).update(placement=there or waiting, **place)
    if there is not None:  # a pull was quicker
        waiting.delete()


def _leave(work: Pass, folder: Folder, run: Run, *, left_marked: bool) -> None:
    """The old place goes; where the server could not expunge one letter alone, it stays there, marked (A18)."""
    uidvalidity, uids = run[0].uidvalidity or 0, UidSet(change.uid or 0 for change in run)
    old = Placement.objects.filter(folder=folder, uidvalidity=uidvalidity, uid__in=list(uids))
    if left_marked:
        old.update(is_deleted=True, hidden_at=None)
    else:
        move.remove_vanished(folder, uids, uidvalidity=uidvalidity, now=work.now)


def take_back(change: PendingChange) -> None:
    """The server refused for good: the letter is shown where it still is. The row stays, to be shown as failed."""
    touched = drop([change])
    change.pk, change.placement = None, None
    change.save(force_insert=True)
    listing.refresh(touched)


def give_up_lost(work: Pass) -> None:
    """Moved letters that never showed up in their new folder: somebody else was quicker, they are gone."""
    sent = PendingChange.objects.filter(
        mailbox=work.mailbox, state=PendingChange.State.SENT, due_at__lte=work.now - LOST_AFTER
    )
    if not sent.exists():
        return
    with work.transaction():
        places = Placement.objects.filter(
            folder__mailbox=work.mailbox, uid__in=[-pk for pk in sent.values_list("pk", flat=True)]
        )
        touched = list(places.values_list("message_id", "conversation_id"))
        places.delete()
        mark_unplaced([message for message, _ in touched], now=work.now)
        listing.refresh({conversation for _, conversation in touched})
        sent.delete()
        reach("push.lost.before_commit")
