"""Keeps a draft of ours in the folder of drafts on the server: the new copy is stored, then the older ones go.

What is to be so in the end stands in the change, so a crash between the two leaves nothing that the next attempt does
not put right. A letter is removed only if it has the Message-ID of an older copy of ours and still says what we wrote:
what another program has made of it stays (R26). What a change was to remove is never lost: the draft's next one, in
whose favour it is given up, takes it over. Without UIDPLUS an older copy stays there, marked (A18).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.errors import MailError, ServerSaysNo
from letterdesk.mail.letters import Fetched
from letterdesk.mail.same_letter import says_the_same
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes import listing, move
from letterdesk.mailboxes.models import PendingChange, Placement

from . import push_append
from .passing import Pass

DELETED = frozenset({"\\Deleted"})
Place = tuple[int, int] | None


@dataclass(slots=True)
class Older:
    """The UIDs of older copies of ours, and the keys of those of which nothing is left; what others wrote is left."""

    uidvalidity: int = 0
    uids: UidSet = field(default_factory=UidSet)
    removed: list[int] = field(default_factory=list)


def send_draft(work: Pass, run: list[PendingChange]) -> None:
    """Store the draft, unless it is only to go, and remove its older copies."""
    [change] = run
    if not _is_read_anew(change) or _is_overtaken(work, change):
        return
    raw = blobs.get(change.account_id, change.detail["blob"]) if change.detail["blob"] else b""
    place = push_append.append_once(work, change, raw) if raw else None
    reach("push.draft.stored")
    found = _remove_older(work, change, place)
    store = push_append.prepare(work, change, raw, place) if raw else lambda: None
    _take_note(work, change, store, found)


def _is_read_anew(change: PendingChange) -> bool:
    """An earlier change of this pass may have handed over to it. False: it was taken back."""
    detail = PendingChange.objects.filter(pk=change.pk).values_list("detail", flat=True).first()
    change.detail = detail or {}
    return detail is not None


def _is_overtaken(work: Pass, change: PendingChange) -> bool:
    """Whether the draft was written on meanwhile. The later change takes over what this one was to remove."""
    later = PendingChange.objects.filter(mailbox=change.mailbox_id, kind=change.kind, pk__gt=change.pk)
    same = later.filter(detail__draft=change.detail["draft"], folder=change.folder_id)
    with work.transaction():
        heir = same.filter(state=PendingChange.State.WAITING).select_for_update().order_by("pk").first()
        if heir is None:
            return False
        heir.detail["old"] = _joined(change.detail, heir.detail)
        heir.save(update_fields=["detail"])
        change.delete()
        reach("push.draft.handed_over")
    return True


def _joined(earlier: dict[str, Any], later: dict[str, Any]) -> list[dict[str, Any]]:
    """All that is to go: of both, and what the earlier one was to store, for an attempt may have stored it."""
    own = [{name: earlier[name] for name in ("copy", "message_id", "blob")}] if earlier["blob"] else []
    return list({each["copy"]: each for each in [*earlier["old"], *own, *later["old"]]}.values())


def _remove_older(work: Pass, change: PendingChange, place: Place) -> Older:
    """Mark and expunge exactly the older copies of ours."""
    older = change.detail["old"]
    if not older or change.folder.is_wanted:
        return Older(removed=[each["copy"] for each in older])
    selected = work.connection.select(change.folder.wire_name)
    if selected.readonly:
        raise ServerSaysNo("The folder can only be read.", response_code="READ-ONLY")
    kept = UidSet([place[1]]) if place is not None and place[0] == selected.uidvalidity else UidSet()
    found = Older(selected.uidvalidity)
    for each in older:
        if not each["message_id"]:
            continue  # looked for by an empty text, every letter would be found
        named = work.connection.find(each["message_id"]) - kept
        ours = UidSet(_ours(work, change, each["blob"], named))
        found.uids |= ours
        if not named - ours:
            found.removed.append(each["copy"])
    if found.uids:
        _remove(work, found.uids)
    return found


def _remove(work: Pass, uids: UidSet) -> None:
    reach("push.draft.before_remove")
    work.connection.store(uids, add=DELETED)
    reach("push.draft.marked")
    if work.connection.has_uidplus:
        work.connection.expunge(uids)
    reach("push.draft.removed")


def _ours(work: Pass, change: PendingChange, blob: str, named: UidSet) -> Iterator[int]:
    for batch in work.connection.letters(named) if named else ():
        yield from (each.uid for each in batch if isinstance(each, Fetched) and _is_ours(change, blob, each.raw))


def _is_ours(change: PendingChange, blob: str, raw: bytes) -> bool:
    if blobs.hash_of(raw) == blob:
        return True
    try:
        return says_the_same(blobs.get(change.account_id, blob), raw)
    except (MailError, blobs.BlobMissing, blobs.BlobDamaged):
        return False  # in doubt it stays


def _take_note(work: Pass, change: PendingChange, store: Callable[[], object], found: Older) -> None:
    """One transaction: the new copy has its place, the older ones lose theirs, and the draft hears of it."""
    folder = change.folder
    with work.transaction():
        store()
        if work.connection.has_uidplus:
            move.remove_vanished(folder, found.uids, uidvalidity=found.uidvalidity, now=work.now)
        else:
            here = Placement.objects.filter(folder=folder, uidvalidity=found.uidvalidity)
            _mark_deleted(here.filter(uid__in=list(found.uids)))
        work.record("draft.stored", folder, stored=change.detail["copy"], removed=found.removed)
        change.delete()
        reach("push.draft.before_commit")
    reach("push.draft.committed")


def _mark_deleted(places: QuerySet[Placement]) -> None:
    touched = set(places.values_list("conversation_id", flat=True))
    places.update(is_deleted=True)
    listing.refresh(touched)
