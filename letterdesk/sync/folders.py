"""Which folders there are: new, renamed, gone, and what each is for.

A folder is known by its MAILBOXID where the server has one (RFC 8474), else by name and UIDVALIDITY, else by
UIDVALIDITY and a look at its letters: so a renamed folder, or two that swapped names, keep their letters (A31).
A folder that is missing in one answer is asked for again before that is believed (hard rule 4).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from letterdesk.lib.crashpoint import reach
from letterdesk.mail.errors import ServerSaysNo
from letterdesk.mail.imap import Connection, RemoteFolder, Status
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes import move
from letterdesk.mailboxes.models import Folder, FolderRole, Placement

from .models import FolderCursor
from .passing import Pass

LOOKED_AT = 12  # letters by which a renamed folder is recognised
MANY = 50  # letters: a folder of more is believed to be gone only a cycle later (P5)


@dataclass(frozen=True, slots=True)
class Found:
    """A folder of ours and its STATUS; None: the server did not answer for it."""

    folder: Folder
    status: Status | None


def discover(work: Pass) -> list[Found]:
    """Bring our folders in step with LIST; returns those on the server, with their statuses."""
    listed = work.connection.folders()
    statuses = work.connection.statuses([one.wire_name for one in listed if one.selectable])
    ours = list(work.mailbox.folders.filter(gone_at=None).select_related("cursor"))
    for folder in ours:
        folder.mailbox = work.mailbox
    if not _is_unchanged(ours, listed, statuses):
        listed, statuses, ours = _bring_in_step(work, listed, statuses, ours)
    return [Found(folder, statuses.get(folder.wire_name)) for folder in ours if not folder.is_wanted]


def _is_unchanged(ours: list[Folder], listed: list[RemoteFolder], statuses: dict[str, Status]) -> bool:
    """Nothing to write: the usual case, decided without a query."""
    names = {one.wire_name for one in listed}
    by_name = {folder.wire_name: folder for folder in ours if not folder.is_wanted or folder.wire_name in names}
    if by_name.keys() != names or any(folder.is_wanted for folder in by_name.values()):
        return False
    return all(
        _is_same(by_name[one.wire_name], statuses.get(one.wire_name)) and _says_the_same(by_name[one.wire_name], one)
        for one in listed
    )


def _says_the_same(folder: Folder, one: RemoteFolder) -> bool:
    same_role = folder.role_is_chosen or folder.role == one.role
    return same_role and _columns(one) == (folder.name, folder.delimiter, folder.is_selectable)


def _columns(one: RemoteFolder) -> tuple[str, str, bool]:
    return one.name.replace("\x00", ""), one.delimiter[:4], one.selectable


def _is_same(folder: Folder, status: Status | None) -> bool:
    """Whether name and identity fit. What is not known fits."""
    if status is None:
        return True
    if folder.object_id and status.object_id:
        return folder.object_id == status.object_id
    known = folder.uidvalidity is not None and status.uidvalidity is not None
    return not known or folder.uidvalidity == status.uidvalidity


def _bring_in_step(
    work: Pass, listed: list[RemoteFolder], statuses: dict[str, Status], ours: list[Folder]
) -> tuple[list[RemoteFolder], dict[str, Status], list[Folder]]:
    pairs = _match(work, listed, statuses, ours)
    missing = _missing(ours, pairs)
    if missing:  # ask again before it is believed
        listed = _joined(listed, work.connection.folders())
        statuses |= work.connection.statuses([one.wire_name for one in listed if one.wire_name not in statuses])
        pairs = _match(work, listed, statuses, ours)
        missing = _missing(ours, pairs)
    with work.transaction():
        _free_names(pairs)
        here = [_keep(work, one, statuses.get(one.wire_name), pairs.get(one.wire_name)) for one in listed]
        for folder in missing:
            _miss(work, folder, alone=not listed)
        reach("folders.before_commit")
    reach("folders.committed")
    return listed, statuses, here


def _missing(ours: list[Folder], pairs: dict[str, Folder]) -> list[Folder]:
    """Ours that are not listed; one that waits to be made is not expected to be."""
    listed = {folder.pk for folder in pairs.values()}
    return [folder for folder in ours if folder.pk not in listed and not folder.is_wanted]


def _joined(first: Iterable[RemoteFolder], second: Iterable[RemoteFolder]) -> list[RemoteFolder]:
    """Two answers to LIST: what is in either of them is there."""
    return list({one.wire_name: one for one in (*first, *second)}.values())


# Which is which -----------------------------------------------------------------------------------------------------


def _match(
    work: Pass, listed: list[RemoteFolder], statuses: dict[str, Status], ours: list[Folder]
) -> dict[str, Folder]:
    """Wire name on the server → our folder. Certain identities first, names last."""
    pairs: dict[str, Folder] = {}
    free = {folder.pk: folder for folder in ours}
    by_name = {folder.wire_name: folder for folder in ours}

    def pair(name: str, folder: Folder | None) -> None:
        if folder is not None and folder.pk in free and name not in pairs:
            pairs[name] = free.pop(folder.pk)

    for name, status in statuses.items():  # MAILBOXID, RFC 8474
        if status.object_id:
            pair(name, next((one for one in free.values() if one.object_id == status.object_id), None))
    for one in listed:
        folder = by_name.get(one.wire_name)
        if folder is not None and _is_same(folder, statuses.get(one.wire_name)):
            pair(one.wire_name, folder)
    for name, status in statuses.items():
        if name not in pairs:
            pair(name, _renamed(work.connection, name, status, list(free.values())))
    for one in listed:  # same name, another identity: its UIDVALIDITY has changed
        pair(one.wire_name, by_name.get(one.wire_name))
    return pairs


def _renamed(connection: Connection, name: str, status: Status, free: list[Folder]) -> Folder | None:
    """Ours that now has this name: same UIDVALIDITY, and the letters that we know are in it."""
    for folder in free:
        if folder.object_id and status.object_id:
            continue  # both known, and not equal: another folder
        if folder.uidvalidity is None or folder.uidvalidity != status.uidvalidity:
            continue
        if (status.uidnext or LOOKED_AT) >= _uidnext(folder) and _has_letters_of(connection, name, folder):
            return folder
    return None


def _uidnext(folder: Folder) -> int:
    cursor = FolderCursor.objects.filter(folder=folder).first()
    return cursor.uidnext if cursor else 1


def _has_letters_of(connection: Connection, name: str, folder: Folder) -> bool:
    """Compare sizes of a few letters. An empty folder has nothing to lose by being taken for another."""
    rows = Placement.objects.filter(folder=folder, uidvalidity=folder.uidvalidity or 0, uid__gt=0, hidden_at=None)
    sizes = dict(rows.order_by("-uid").values_list("uid", "message__size")[:LOOKED_AT])
    if not sizes:
        return True
    try:
        connection.select(name, readonly=True)
        found = {summary.uid: summary.size for summary in connection.envelopes(UidSet(sizes))}
    except ServerSaysNo:
        return False
    same = sum(sizes.get(uid) == size for uid, size in found.items())
    return bool(same * 2 > len(sizes))


# Writing ------------------------------------------------------------------------------------------------------------


def _free_names(pairs: dict[str, Folder]) -> None:
    """Two folders may swap names, and a name is unique: those that change theirs step aside first."""
    for name, folder in pairs.items():
        if folder.wire_name != name:
            Folder.objects.filter(pk=folder.pk).update(wire_name=f"\x01{folder.pk}")


def _keep(work: Pass, one: RemoteFolder, status: Status | None, folder: Folder | None) -> Folder:
    if folder is None:
        folder = _come_back(work, one, status) or _add(work, one, status)
    name, delimiter, selectable = _columns(one)
    if folder.wire_name != one.wire_name:
        work.record("folder.renamed", folder, was=folder.name[:500], now=name[:500])
    folder.name, folder.wire_name, folder.delimiter, folder.is_selectable = name, one.wire_name, delimiter, selectable
    if status is not None and status.object_id:
        folder.object_id = status.object_id
    folder.is_wanted = False
    if not folder.role_is_chosen:
        folder.role = _free_role(work, one.role, folder)
    columns = ["name", "wire_name", "delimiter", "is_selectable", "is_wanted", "object_id", "role", "gone_at"]
    folder.save(update_fields=columns)
    FolderCursor.objects.filter(folder=folder).exclude(vanish_suspected_at=None).filter(settled={}).update(
        vanish_suspected_at=None
    )
    return folder


def _free_role(work: Pass, role: str, folder: Folder) -> str:
    """A role that a person gave to another folder is not given twice (A33)."""
    chosen = work.mailbox.folders.filter(role=role, role_is_chosen=True, gone_at=None).exclude(pk=folder.pk)
    return FolderRole.NONE.value if role and chosen.exists() else role


def _add(work: Pass, one: RemoteFolder, status: Status | None) -> Folder:
    name, delimiter, selectable = _columns(one)
    folder = Folder(
        account_id=work.mailbox.account_id,
        mailbox=work.mailbox,
        name=name,
        wire_name=one.wire_name,
        delimiter=delimiter,
        role=one.role,
        is_selectable=selectable,
        object_id=status.object_id if status else "",
    )
    folder.save(force_insert=True)
    work.record("folder.added", folder, name=name[:500])
    return folder


def _come_back(work: Pass, one: RemoteFolder, status: Status | None) -> Folder | None:
    """A folder that was gone is there again: with the same identity it has its letters back."""
    earlier: Iterable[Folder] = work.mailbox.folders.filter(wire_name=one.wire_name).exclude(gone_at=None)
    for folder in earlier:
        if status is not None and _is_same(folder, status) and folder.uidvalidity is not None:
            folder.gone_at = None
            folder.mailbox = work.mailbox
            FolderCursor.objects.filter(folder=folder).update(settled={})
            return folder
    return None


def _miss(work: Pass, folder: Folder, *, alone: bool) -> None:
    """Twice not in LIST. A large one, or all of them, is believed to be gone only a cycle later."""
    letters = Placement.objects.filter(folder=folder, uid__gt=0, hidden_at=None)
    cursor, _ = FolderCursor.objects.get_or_create(folder=folder, defaults={"account_id": folder.account_id})
    is_much = alone or letters.count() > MANY or folder.role == FolderRole.INBOX
    if is_much and (cursor.vanish_suspected_at is None or cursor.vanish_suspected_at >= work.now):
        if cursor.vanish_suspected_at is None:
            work.record("folder.vanish_suspected", folder, count=letters.count())
        FolderCursor.objects.filter(pk=cursor.pk, vanish_suspected_at=None).update(
            vanish_suspected_at=work.now, settled={}
        )
        work.about(folder).unsettled = "The folder is missing on the server."
        return
    if folder.role == FolderRole.INBOX:  # every mailbox has one (RFC 9051 5.1): the answer is not to be believed
        work.about(folder).unsettled = "The server does not show an inbox."
        return
    folder.gone_at = work.now
    folder.save(update_fields=["gone_at"])
    move.hide_softly(folder, UidSet(letters.values_list("uid", flat=True)), now=work.now)
    work.record("folder.gone", folder, name=folder.name[:500])
