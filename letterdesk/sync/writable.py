"""Opens a folder for changes that people made, and for nothing else (P4)."""

from collections.abc import Iterable

from letterdesk.mail.errors import ServerSaysNo
from letterdesk.mail.imap import Selected
from letterdesk.mail.uidset import UidSet
from letterdesk.mailboxes.models import Folder, PendingChange

from .passing import Pass


def open_folder(work: Pass, folder: Folder, run: Iterable[PendingChange]) -> Selected:
    """Select for writing. ServerSaysNo when it is read-only, or when its UIDs are not the ones that are meant."""
    selected = work.connection.select(folder.wire_name)
    if selected.readonly:
        raise ServerSaysNo("The folder can only be read.", response_code="READ-ONLY")
    if any(change.uidvalidity != selected.uidvalidity for change in run):
        raise ServerSaysNo("The folder has a new identity.", response_code="EXPUNGEISSUED")  # the pull maps it anew
    return selected


def uids_of(run: Iterable[PendingChange]) -> UidSet:
    """The UIDs that a run of changes is about."""
    return UidSet(change.uid for change in run if change.uid is not None)
