"""A folder of a polled mailbox that has another name on its server is the same folder still (R30, A31).

It is known by its MAILBOXID where the server has one (RFC 8474), else by UIDVALIDITY and letters: some of those that
were read are asked for once more, and have to be the same under their numbers. What cannot be told is left to a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from letterdesk.mail.errors import ServerSaysNo
from letterdesk.mail.imap import Connection, Status
from letterdesk.mail.letters import Fetched
from letterdesk.mail.uidset import UidSet

from ..models import PolledFolder, PolledLetter, PolledMailbox
from .key import key_of, key_of_place

LOOKED_AT = 12  # lines of a folder by which it may be recognised
COMPARED = 3  # letters that are asked for
LARGEST = 1_000_000  # bytes of one of them
MOST = 20  # pairs of folders that are compared in a look
TRIES = 3  # looks in a row that failed, after which nothing is compared: it may be why they fail


@dataclass(frozen=True, slots=True)
class Renamed:
    """`names`: of folders of ours, by key, the wire name that they have now; `ids`: MAILBOXIDs by wire name."""

    names: Mapping[int, str] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)


NOTHING = Renamed()


def find_renamed(mailbox: PolledMailbox, listed: Sequence[str], connection: Connection) -> Renamed:
    """Which of our folders have another name among those that are listed, by wire name. Outside any transaction.

    Raises MailError.
    """
    ours = [each for each in PolledFolder.objects.filter(mailbox=mailbox) if each.wire_name.upper() != "INBOX"]
    here, there = {each.wire_name for each in ours if each.is_there}, set(listed)
    fresh = [name for name in listed if name not in here and name.upper() != "INBOX"]
    lost = [each for each in ours if each.is_on and each.wire_name not in there]
    has_ids = connection.has("OBJECTID")
    statuses: dict[str, Status] = {}
    if has_ids:
        asked = [each for each in ours if each.wire_name in there and (each.is_on or not each.object_id)]
        statuses = connection.statuses([each.wire_name for each in asked])
    if (fresh and (lost or has_ids)) or any(not _fits(each, statuses) for each in ours):
        wanted = listed if has_ids else fresh
        statuses |= connection.statuses([name for name in wanted if name not in statuses])
    names = _by_id(ours, statuses)
    lost = [each for each in lost if each.pk not in names]
    if lost and mailbox.failures < TRIES:
        free = {name: statuses[name] for name in fresh if name in statuses and name not in names.values()}
        names |= _by_letters(connection, lost, free)
    return Renamed(names, {name: each.object_id for name, each in statuses.items() if each.object_id})


def _fits(folder: PolledFolder, statuses: Mapping[str, Status]) -> bool:
    """Whether the server calls what has its name as it called the folder. What is not known fits."""
    status = statuses.get(folder.wire_name)
    return status is None or not (folder.object_id and status.object_id) or folder.object_id == status.object_id


def _by_id(ours: Sequence[PolledFolder], statuses: Mapping[str, Status]) -> dict[int, str]:
    named = {each.object_id: name for name, each in statuses.items() if each.object_id}
    found = {each.pk: named[each.object_id] for each in ours if each.object_id in named}
    return {each.pk: found[each.pk] for each in ours if found.get(each.pk, each.wire_name) != each.wire_name}


def _by_letters(connection: Connection, lost: Sequence[PolledFolder], free: Mapping[str, Status]) -> dict[int, str]:
    """By UIDVALIDITY and letters, where one name alone fits one folder alone."""
    pairs = [
        (folder, name)
        for folder in lost
        for name, status in free.items()
        if folder.uidvalidity is not None and folder.uidvalidity == status.uidvalidity
        if not (folder.object_id and status.object_id) and (status.uidnext or folder.read_to + 1) > folder.read_to
    ]
    found = [(folder.pk, name) for folder, name in pairs[:MOST] if _has_letters_of(connection, name, folder)]
    folders, names = [pk for pk, _name in found], [name for _pk, name in found]
    return {pk: name for pk, name in found if folders.count(pk) == names.count(name) == 1}


def _has_letters_of(connection: Connection, name: str, folder: PolledFolder) -> bool:
    """Whether letters that were read there lie here under the same numbers. Of an empty folder nobody knows."""
    keys = _keys(folder)
    if not keys:
        return False
    try:
        connection.select(name, readonly=True)
        sizes = {each.uid: each.size for each in connection.envelopes(UidSet(keys)) if each.size <= LARGEST}
        asked = UidSet(sorted(sizes, reverse=True)[:COMPARED])
        handed = [each for piece in connection.letters(asked, max_size=LARGEST) for each in piece] if asked else []
    except ServerSaysNo:
        return False
    letters = [each for each in handed if isinstance(each, Fetched)]
    return bool(letters) and all(key_of(each.raw) == keys.get(each.uid) for each in letters)


def _keys(folder: PolledFolder) -> dict[int, str]:
    """What tells some of its letters, by number: of the last ones that are known by more than their place."""
    lines = PolledLetter.objects.filter(folder=folder, uid__gt=0, trouble="").order_by("-uid")[:LOOKED_AT]
    place = {each.uid: key_of_place(folder.pk, folder.uidvalidity or 0, each.uid) for each in lines}
    return {each.uid: each.key for each in lines if each.key != place[each.uid]}
