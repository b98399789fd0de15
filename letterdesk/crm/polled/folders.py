"""The folders of a polled mailbox as its server lists them; which are read, a person chooses (R30)."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from letterdesk.events.record import record as tell
from letterdesk.mail.errors import ServerSaysNo
from letterdesk.mail.imap import RemoteFolder, Status

from ..models import PolledFolder, PolledLetter, PolledMailbox
from .claim import held
from .renamed import NOTHING, Renamed

READ = ("inbox", "sent")  # by themselves
NEVER = ("drafts", "trash", "spam", "all")  # nobody's letters to clients, or all of them a second time
MOST = 1_000  # folders of a mailbox that are shown
LONGEST = 2_000  # bytes of a folder's name; PostgreSQL has no place for more than 2,704 in an index
REFUSED_TOLD = 5  # times in a row that the server says NO to a folder, until administrators are told


def readable(
    remote: Sequence[RemoteFolder], known: Iterable[PolledFolder] = (), *, most: int | None = None
) -> list[RemoteFolder]:
    """Of these the folders that can be read, at most so many (None: `MOST`): those that are read, then those that are
    known, then the server's first. However many there are, none that is read is cut off.
    """
    is_on = {each.wire_name: each.is_on for each in known}
    aside = tuple(each.wire_name + each.delimiter for each in remote if each.role in NEVER and each.delimiter)
    listed = [each for each in remote if each.selectable and each.role not in NEVER]
    listed = [each for each in listed if not each.wire_name.startswith(aside)]  # many programs delete folders so
    listed = [each for each in listed if len(each.wire_name.encode("utf-8", "surrogatepass")) <= LONGEST]
    read = [each for each in listed if each.role in READ or is_on.get(each.wire_name)]
    rest = [each for each in listed if not (each.role in READ or is_on.get(each.wire_name))]
    rest.sort(key=lambda each: each.wire_name not in is_on)
    return read + rest[: max(0, (MOST if most is None else most) - len(read))]


def bring_folders(
    mailbox: PolledMailbox,
    remote: Sequence[RemoteFolder],
    *,
    begins: Mapping[str, Status] | None = None,
    renamed: Renamed = NOTHING,
) -> None:
    """Enter what the server lists. `begins`: how far each folder goes when the mailbox is connected; without it, a
    folder is read from its beginning, as far as its letters are new enough. Inside the caller's transaction.
    """
    ours = list(PolledFolder.objects.filter(mailbox=mailbox))
    were_gone = [each for each in ours if each.is_on and not each.is_there]
    chosen = _give_names(ours, renamed)
    by_role = _read_by_role(ours)
    known = {each.wire_name: each for each in ours}
    roles = set()  # of folders that are read
    for each in readable(remote, ours):
        there = known.pop(each.wire_name, None)
        is_on = there.is_on if there else each.role in by_role or each.wire_name in chosen
        roles |= {each.role} if is_on and each.role else set()
        if there is None:
            status = (begins or {}).get(each.wire_name)
            _enter(mailbox, each, status, renamed.ids.get(each.wire_name, ""), is_on=is_on)
        else:
            _keep(there, each, renamed.ids.get(each.wire_name, ""))
    _miss(mailbox, [each for each in known.values() if each.is_there], roles)
    if any(each.is_there for each in were_gone):
        _recover(mailbox, "folder_gone", PolledFolder.objects.filter(is_there=False).exclude(role__in=roles))


def _keep(there: PolledFolder, listed: RemoteFolder, object_id: str) -> None:
    was = (there.name, there.role, there.is_there, there.object_id)
    there.name, there.role, there.is_there = listed.name, listed.role, True
    there.object_id = there.object_id or object_id
    if was != (there.name, there.role, there.is_there, there.object_id):
        there.save(update_fields=["name", "role", "is_there", "object_id"])


def _read_by_role(ours: Sequence[PolledFolder]) -> set[str]:
    """For what a folder is that is read by itself when it comes. Who has taken the sent letters off has said so of
    whatever folder is for them.
    """
    is_on, known = {each.role for each in ours if each.is_on}, {each.role for each in ours}
    return {role for role in READ if role in is_on or role not in known}


def _give_names(ours: Sequence[PolledFolder], renamed: Renamed) -> set[str]:
    """Folders that have another name on the server have it here, too; returns the names that some of those that are
    read had before: whatever has such a name now is read as well, for a person chose it.
    """
    left: set[str] = set()
    taken = set(renamed.names.values())
    aside = [each for each in ours if each.pk in renamed.names or each.wire_name in taken]
    for each in aside:  # a name is there once, and two may have swapped theirs
        left |= {each.wire_name} if each.is_on and each.pk in renamed.names else set()
        each.wire_name = f"\x01{each.pk}"
        each.save(update_fields=["wire_name"])
    for each in aside:
        each.wire_name = renamed.names.get(each.pk, each.wire_name)
        each.is_there |= each.pk in renamed.names  # whose name another has is missed as any that is not listed
        each.save(update_fields=["wire_name", "is_there"])
    return left


def _miss(mailbox: PolledMailbox, gone: Sequence[PolledFolder], roles: Collection[str]) -> None:
    """These are not listed any more. Those of which nothing was read are forgotten, however many names a server has."""
    PolledFolder.objects.filter(pk__in=[each.pk for each in gone]).update(is_there=False)
    lines = PolledLetter.objects.filter(folder=OuterRef("pk"))
    forgotten = PolledFolder.objects.filter(~Exists(lines), mailbox=mailbox, is_on=False, is_there=False)
    forgotten.exclude(role__in=READ).delete()
    if any(each.is_on and each.role not in roles for each in gone):  # renamed perhaps: a person chooses the new one
        tell("polled.failing", account=mailbox.account, subject=mailbox.reference, code="folder_gone")


def note_answers(mailbox: PolledMailbox, answers: Mapping[PolledFolder, ServerSaysNo | None]) -> None:
    """What the server said to reading these folders, and None of those that were read, is noted; administrators hear
    of one that is refused again and again. Raises NotOurs.
    """
    changed = {folder: error for folder, error in answers.items() if error or folder.refused}
    if not changed:
        return
    with transaction.atomic():
        held(mailbox)
        for folder, error in changed.items():
            was, text = folder.refused, error.detail[:500] if error else ""
            now = was + 1 if error else 0
            PolledFolder.objects.filter(pk=folder.pk).update(refused=now, refused_text=text)
            if now == REFUSED_TOLD:
                tell("polled.failing", account=mailbox.account, subject=mailbox.reference, code="folder_refused")
            elif not error and was >= REFUSED_TOLD:
                _recover(mailbox, "folder_refused", PolledFolder.objects.filter(refused__gte=REFUSED_TOLD))


def _recover(mailbox: PolledMailbox, code: str, troubled: QuerySet[PolledFolder]) -> None:
    """A folder is read again; told unless another of those that are read has the same trouble still."""
    if not troubled.filter(mailbox=mailbox, is_on=True).exists():
        tell("polled.recovered", account=mailbox.account, subject=mailbox.reference, code=code)


def _enter(mailbox: PolledMailbox, remote: RemoteFolder, status: Status | None, object_id: str, *, is_on: bool) -> None:
    is_told = status is not None and status.uidvalidity is not None and status.uidnext is not None
    before = (status.uidnext or 1) - 1 if status is not None and is_told else 0
    PolledFolder.objects.create(
        account_id=mailbox.account_id,
        mailbox=mailbox,
        name=remote.name,
        wire_name=remote.wire_name,
        role=remote.role,
        is_on=is_on,
        object_id=status.object_id if status is not None else object_id,
        uidvalidity=status.uidvalidity if status is not None and is_told else None,
        begins_after=before if is_told else None,
        read_to=0 if mailbox.older_since else before,
    )
