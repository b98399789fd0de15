"""What people's changes have in common: the lock under which they are made, and how one is taken back."""

from collections.abc import Collection, Iterable, Iterator

from .models import Mailbox, PendingChange, Placement

Detail = dict[str, list[str]]


def by_mailbox(placements: Iterable[Placement]) -> Iterator[tuple[Mailbox, list[Placement]]]:
    """Read the placements again under their mailboxes' locks, which are always taken in one order."""
    ids = [placement.pk for placement in placements]
    mailboxes = Mailbox.objects.filter(folders__placements__in=ids).distinct().values_list("pk", flat=True)
    for mailbox_id in sorted(mailboxes):
        mailbox = Mailbox.objects.select_for_update().select_related("account").get(pk=mailbox_id)
        here = Placement.objects.filter(pk__in=ids, folder__mailbox=mailbox).select_related("folder")
        yield mailbox, list(here.order_by("pk"))


def drop(changes: Iterable[PendingChange]) -> set[int]:
    """Take back moves and deletes that were not carried out: sources are shown, provisional placements go.

    What was done to a provisional placement meanwhile – flags, a further move – is undone with it, except that
    flags go to the source. Returns the conversations to refresh.
    """
    touched: set[int] = set()
    for change in changes:
        source = change.placement
        if source is not None:
            Placement.objects.filter(pk=source.pk).update(hidden_at=None)
            touched.add(source.conversation_id)
        provisional = Placement.objects.filter(folder=change.target_id, uid=-change.pk).first()
        if provisional is not None:
            touched |= _drop_provisional(provisional, source)
        PendingChange.objects.filter(pk=change.pk).delete()
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
