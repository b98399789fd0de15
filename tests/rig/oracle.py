"""After quiet: is our copy of a mailbox what lies on its server? Asks the server by another client (P2, P3).

truth = truth_of(dovecot, user)                 # or truth_of(liar)
assert differences(mailbox, truth) == []        # says what differs, in words
assert fingerprint(mailbox) == before           # nothing at all has changed since (P2)
"""

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from letterdesk.lib import blobs
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes.collect import holder_of
from letterdesk.mailboxes.models import BlobReference, Folder, Listing, Mailbox, Message, Placement, Quarantined
from letterdesk.sync.models import FolderCursor

from .dovecot import User
from .independent import Held
from .liar import Liar

SYSTEM = {"is_seen": "\\Seen", "is_flagged": "\\Flagged", "is_answered": "\\Answered", "is_draft": "\\Draft"}
DESTRUCTIVE = ("EXPUNGE", "UID EXPUNGE", "STORE", "STORE +\\Deleted", "MOVE", "UID MOVE", "DELETE", "CLOSE", "RENAME")
Truth = dict[str, tuple[int, list[Held]]]


def truth_of(server: Any, user: User | None = None) -> Truth:
    """What lies on a server: folder → (UIDVALIDITY, letters)."""
    if isinstance(server, Liar):
        return {
            box.name: (
                box.uidvalidity,
                [Held(each.uid, frozenset(each.flags), sha256(each.raw).hexdigest()) for each in box.letters],
            )
            for box in server.boxes.by_name.values()
        }
    with server.client(user) as client:
        names = [name for name, attributes in client.folders().items() if "\\Noselect" not in attributes]
        return {name: client.contents(name) for name in names}


def differences(mailbox: Mailbox, truth: Truth) -> list[str]:
    """Everything in which our copy differs from the truth, or from itself; empty when all is well."""
    folders = {each.wire_name: each for each in mailbox.folders.filter(gone_at=None, is_selectable=True)}
    found = [f"folder {name} is on the server only" for name in truth.keys() - folders.keys()]
    found += [f"folder {name} is here only" for name in folders.keys() - truth.keys()]
    for name in truth.keys() & folders.keys():
        uidvalidity, held = truth[name]
        found += [f"{name}: {each}" for each in _of_folder(folders[name], uidvalidity, held)]
    return found + list(_of_bytes(mailbox)) + list(_of_itself(mailbox))


def destroyed(commands: Counter[str]) -> dict[str, int]:
    """The commands that can delete something, as far as they were sent (P4)."""
    return {name: commands[name] for name in DESTRUCTIVE if commands[name]}


def _of_folder(folder: Folder, uidvalidity: int, held: Iterable[Held]) -> Iterable[str]:
    on_server = {each.uid: each for each in held}
    here = {each.uid: each for each in _visible(folder).filter(uidvalidity=uidvalidity)}
    stale = _visible(folder).exclude(uidvalidity=uidvalidity).count()
    if stale:
        yield f"{stale} placements of another UIDVALIDITY"
    quarantined = set(Quarantined.objects.filter(folder=folder, uidvalidity=uidvalidity).values_list("uid", flat=True))
    left_out = _left_out(folder)
    if missing := on_server.keys() - here.keys() - quarantined - left_out:
        yield f"missing UIDs {UidSet(missing)}"
    if invented := here.keys() - on_server.keys():
        yield f"invented UIDs {UidSet(invented)}"
    if twice := (here.keys() & quarantined) | (here.keys() & left_out) | (quarantined & left_out):
        yield f"UIDs counted twice {UidSet(twice)}"
    for uid in here.keys() & on_server.keys():
        if flags_of(here[uid]) != on_server[uid].flags:
            yield f"UID {uid} has flags {sorted(flags_of(here[uid]))}, not {sorted(on_server[uid].flags)}"
        if here[uid].message.blob != on_server[uid].digest:
            yield f"UID {uid} is another letter"


def _visible(folder: Folder):
    return Placement.objects.filter(folder=folder, hidden_at=None).select_related("message")


def _left_out(folder: Folder) -> set[int]:
    cursor = FolderCursor.objects.filter(folder=folder).first()
    sets = (cursor.left_out if cursor else {}).values()
    return {uid for text in sets for uid in UidSet.parse(text)}


def flags_of(placement: Placement) -> frozenset[str]:
    """The flags of a placement as the server spells them."""
    system = {word for field, word in SYSTEM.items() if getattr(placement, field)}
    deleted = {"\\Deleted"} if placement.is_deleted else set()
    return frozenset(system | deleted | set(placement.keywords))


def _of_bytes(mailbox: Mailbox) -> Iterable[str]:
    for message in Message.objects.filter(mailbox=mailbox):
        raw = blobs.get(mailbox.account_id, message.blob)
        if sha256(raw).hexdigest() != message.blob:
            yield f"the bytes of {message.subject!r} are not what they were"
        if not BlobReference.objects.filter(blob=message.blob, holder=holder_of(mailbox.pk)).exists():
            yield f"nobody holds the bytes of {message.subject!r}"


def _of_itself(mailbox: Mailbox) -> Iterable[str]:
    for message in Message.objects.filter(mailbox=mailbox, placements=None, is_held=False, unplaced_at=None):
        yield f"{message.subject!r} lies nowhere"
    yield from _of_listings(mailbox)
    for folder in mailbox.folders.filter(gone_at=None, is_selectable=True, is_on=True):
        yield from _of_ledger(folder)


def _of_listings(mailbox: Mailbox) -> Iterable[str]:
    counted: dict[tuple[int, int], list] = {}
    for each in Placement.objects.filter(folder__mailbox=mailbox).shown():
        line = counted.setdefault((each.folder_id, each.conversation_id), [each.received_at, set(), False])
        line[0] = max(line[0], each.received_at)
        if not each.is_seen:
            line[1].add(each.message_id)
        line[2] |= each.is_flagged
    listed = {
        (each.folder_id, each.conversation_id): (each.newest_at, each.unread_count, each.is_flagged)
        for each in Listing.objects.filter(folder__mailbox=mailbox)
    }
    recounted = {key: (newest, len(unread), flagged) for key, (newest, unread, flagged) in counted.items()}
    for key in listed.keys() | recounted.keys():
        if listed.get(key) != recounted.get(key):
            yield f"listing {key} says {listed.get(key)}, a recount {recounted.get(key)}"


def _of_ledger(folder: Folder) -> Iterable[str]:
    cursor = FolderCursor.objects.filter(folder=folder).first()
    if cursor is None:
        yield f"{folder.wire_name} has no cursor"
        return
    placed = Placement.objects.filter(folder=folder, uidvalidity=cursor.uidvalidity, hidden_at=None).count()
    aside = Quarantined.objects.filter(folder=folder, uidvalidity=cursor.uidvalidity).count() + len(_left_out(folder))
    if cursor.expected != placed + aside:
        yield f"{folder.wire_name}: ledger expects {cursor.expected}, held {placed} + aside {aside}"


def fingerprint(mailbox: Mailbox) -> str:
    """One hash over all rows of a mailbox that say what it holds: equal before and after a sync without news (P2).

    Letters that lie nowhere any more are not in it: they wait for one more pass, in case they were only moved.
    """
    placements = Placement.objects.filter(folder__mailbox=mailbox).order_by("pk")
    rows = [
        *placements.values_list("pk", "folder", "uidvalidity", "uid", "message", "conversation", "hidden_at"),
        *[sorted(flags_of(each)) for each in placements],
        *Message.objects.filter(mailbox=mailbox, unplaced_at=None)
        .order_by("pk")
        .values_list("pk", "blob", "received_at"),
        *Quarantined.objects.filter(folder__mailbox=mailbox).order_by("pk").values_list("pk", "uid", "uidvalidity"),
        *mailbox.folders.order_by("pk").values_list("pk", "name", "wire_name", "uidvalidity", "gone_at"),
        *mailbox.conversations.filter(messages__unplaced_at=None)
        .distinct()
        .order_by("pk")
        .values_list("pk", "message_count", "newest_at"),
    ]
    return sha256(repr(rows).encode()).hexdigest()
