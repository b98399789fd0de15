"""What people's changes have in common: the lock under which they are made, and how one is taken back."""

from collections.abc import Collection, Iterable, Iterator

from .models import Mailbox, PendingChange, Placement

Detail = dict[str, list[str]]


def by_mailbox(placements: Iterable[Placement]) -> Iterator[tuple[Mailbox, list[Placement]]]:
    """Read the placements again under their mailboxes' locks, which are always taken in one order."""
    ids = [placement.pk for placement in placements]
    mailboxes = Mailbox.objects.filter(folders__placements__in=ids).distinct().values_list("pk", flat=True)
    for mailbox_id in sorted(mailboxes):
        held = Mailbox.objects.select_for_update(of=("self",), no_key=True)  # not the account: see `receipts.lock`
        mailbox = held.select_related("account").get(pk=mailbox_id)
        here = Placement.objects.filter(pk__in=ids, folder__mailbox=mailbox).select_related("folder")
        yield mailbox, list(here.order_by("pk"))


def drop(changes: Iterable[PendingChange]) -> set[int]:
    """Take back moves and deletes that were not carried out: sources are shown, provisional placements go.

    What was done to a provisional placement meanwhile – flags, a further move – is undone with it, except that
    flags go to the source. Returns the conversations to refresh.
    """
    dropped = list(changes)
    sources = [change.placement for change in dropped if change.placement is not None]
    Placement.objects.filter(pk__in=[source.pk for source in sources]).update(hidden_at=None)
    touched = {source.conversation_id for source in sources}
    touched |= _drop_provisionals({change.pk: change for change in dropped if change.target_id is not None})
    PendingChange.objects.filter(pk__in=[change.pk for change in dropped]).delete()
    return touched


def _drop_provisionals(moves: dict[int, PendingChange]) -> set[int]:
    """Hundreds at once, in a few statements; what was done to one of them meanwhile is taken back one by one."""
    found = Placement.objects.filter(uid__in=[-pk for pk in moves])
    ours = [place for place in found if place.folder_id == moves[-place.uid].target_id]
    changed = set(PendingChange.objects.filter(placement__in=ours).values_list("placement_id", flat=True))
    touched: set[int] = set()
    for place in ours:
        if place.pk in changed:
            touched |= _drop_provisional(place, moves[-place.uid].placement)
    Placement.objects.filter(pk__in=[place.pk for place in ours if place.pk not in changed]).delete()
    return touched


def _drop_provisional(provisional: Placement, source: Placement | None) -> set[int]:
    further = PendingChange.objects.filter(placement=provisional).select_related("placement")
    touched = drop(further.exclude(kind=PendingChange.Kind.FLAGS))
    flags = PendingChange.objects.filter(placement=provisional, kind=PendingChange.Kind.FLAGS).first()
    if source is not None and flags is not None:
        _hand_back_flags(flags, provisional, source)
    Placement.objects.filter(pk=provisional.pk).delete()
    return touched


def _hand_back_flags(flags: PendingChange, provisional: Placement, source: Placement) -> None:
    """As a new row: a push may be sending the source's old one this moment, and deletes it by its key."""
    earlier = PendingChange.objects.filter(placement=source, kind=PendingChange.Kind.FLAGS).first()
    before = earlier.detail if earlier else None
    flags.detail = joined(before, add=flags.detail["add"], remove=flags.detail["remove"])
    flags.placement, flags.folder_id = source, source.folder_id
    flags.uid, flags.uidvalidity = source.uid, source.uidvalidity
    PendingChange.objects.filter(pk__in=[flags.pk, *([earlier.pk] if earlier else [])]).delete()
    flags.pk = None
    flags.save(force_insert=True)
    columns = ("is_seen", "is_flagged", "is_answered", "is_draft", "is_deleted", "keywords")
    changed = {column: getattr(provisional, column) for column in columns}
    Placement.objects.filter(pk=source.pk).update(**changed)


def joined(before: Detail | None, *, add: Collection[str], remove: Collection[str]) -> Detail:
    """The intention about flags that is left of an earlier one and a later one."""
    earlier = before or {"add": [], "remove": []}
    return {
        "add": sorted((set(earlier["add"]) - set(remove)) | set(add)),
        "remove": sorted((set(earlier["remove"]) - set(add)) | set(remove)),
    }
