"""Takes letters out of files into a mailbox that has no server. Importing the same again adds nothing.

There is no original elsewhere: what is past the plan's period is refused with its count, the rest follows the same
rule from then on (R9), and `warning` tells the importer so before anything is read.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db import transaction

from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.archives import Archived, read_eml, read_maildir, read_mbox
from letterdesk.mail.imap_roles import give_roles
from letterdesk.mail.imap_types import RemoteFolder
from letterdesk.mail.letters import Fetched
from letterdesk.plans.limits import terms

from . import receive
from .models import Folder, Mailbox, Placement
from .move import next_uid
from .retention.letters import kept_since

BATCH = 200
BATCH_BYTES = 8 * 1024 * 1024
VALIDITY = 1  # no server numbers these folders


class HasServer(ValueError):
    """This mailbox is kept in step with a server: letters are imported there, not here."""


@dataclass(slots=True)
class Imported:
    """What became of the letters so far; `seen` is the sum of the others."""

    seen: int = 0
    stored: int = 0
    known: int = 0  # the same bytes lie in the folder already
    too_old: int = 0  # R9: past the plan's period
    unreadable: int = 0  # kept raw in quarantine
    too_large: int = 0
    refused: int = 0  # deleted here before, by a task's bin
    folders: set[str] = field(default_factory=set)


Tell = Callable[[Imported], None]


def warning(mailbox: Mailbox, *, now: datetime) -> str:
    """What the importer must know first, in words for people; empty where everything is kept for good."""
    days = terms(mailbox.account, now=now).days_kept
    if days is None:
        return ""
    return (
        f"Your plan keeps mail for {days} days. Letters received earlier are refused and counted; the others are"
        " deleted when their time has come, and there is no server that still has them."
    )


def import_mbox(mailbox: Mailbox, path: Path, *, now: datetime, folder: str = "", tell: Tell | None = None) -> Imported:
    """Import an MBOX file into `folder` (by default named after the file). Raises HasServer, OSError."""
    name = folder or path.stem or "Imported"
    return _take(mailbox, ((name, letter) for letter in read_mbox(path)), now, tell)


def import_maildir(mailbox: Mailbox, root: Path, *, now: datetime, tell: Tell | None = None) -> Imported:
    """Import a Maildir with its subfolders and flags. Raises HasServer, NotADirectoryError, OSError."""
    return _take(mailbox, read_maildir(root), now, tell)


def import_eml(
    mailbox: Mailbox, files: Iterable[Path], *, now: datetime, folder: str = "Imported", tell: Tell | None = None
) -> Imported:
    """Import files of one letter each. Raises HasServer, OSError."""
    return _take(mailbox, ((folder, read_eml(file)) for file in files), now, tell)


def _take(mailbox: Mailbox, letters: Iterable[tuple[str, Archived]], now: datetime, tell: Tell | None) -> Imported:
    if mailbox.imap_host:
        raise HasServer(f"{mailbox.address} is kept in step with {mailbox.imap_host}. Import into another mailbox.")
    imported = Imported()
    for name, batch in _batches(letters):
        imported.seen += len(batch)
        imported.folders.add(name)
        _store(_folder(mailbox, name), batch, imported, now)
        reach("import.committed")
        if tell is not None:
            tell(imported)
    return imported


def _batches(letters: Iterable[tuple[str, Archived]]) -> Iterator[tuple[str, list[Archived]]]:
    """Letters of one folder, at most 200 or 8 MiB."""
    name, batch, size = "", list[Archived](), 0
    for folder, letter in letters:
        if batch and (folder != name or len(batch) == BATCH or size > BATCH_BYTES):
            yield name, batch
            batch, size = [], 0
        name = folder
        batch.append(letter)
        size += len(letter.raw or b"")
    if batch:
        yield name, batch


def _store(folder: Folder, batch: list[Archived], imported: Imported, now: datetime) -> None:
    readable = {blobs.hash_of(letter.raw): letter for letter in batch if letter.raw is not None}
    imported.too_large += sum(letter.raw is None for letter in batch)
    here = Placement.objects.filter(folder=folder, message__blob__in=readable)
    known = set(here.values_list("message__blob", flat=True)) | _in_quarantine(folder, readable)
    new = [letter for blob, letter in readable.items() if blob not in known]
    imported.known += sum(letter.raw is not None for letter in batch) - len(new)
    first = max(next_uid(folder), _last_quarantined(folder) + 1)
    fetched = [
        Fetched(uid, letter.raw or b"", letter.received_at, letter.flags) for uid, letter in enumerate(new, first)
    ]
    prepared = receive.prepare(folder, fetched, now=now)
    with transaction.atomic():
        oldest = kept_since(folder, now)
        receipt = receive.store(folder, prepared, uidvalidity=VALIDITY, now=now, cutoff=oldest, initial=True)
    imported.stored += len(receipt.placed)
    imported.too_old += len(receipt.too_old)
    imported.unreadable += len(receipt.quarantined)
    imported.refused += len(receipt.refused)


def _in_quarantine(folder: Folder, hashes: Iterable[str]) -> set[str]:
    return set(folder.quarantined.filter(blob__in=list(hashes)).values_list("blob", flat=True))


def _last_quarantined(folder: Folder) -> int:
    last = folder.quarantined.order_by("-uid").first()
    return last.uid if last else 0


def _folder(mailbox: Mailbox, name: str) -> Folder:
    folder = Folder.objects.filter(mailbox=mailbox, wire_name=name, gone_at=None).first()
    if folder is None:
        [guess] = give_roles([RemoteFolder(name, name, "/")], [frozenset()])
        taken = Folder.objects.filter(mailbox=mailbox, role=guess.role, gone_at=None).exists()
        folder = Folder.objects.create(
            account_id=mailbox.account_id,
            mailbox=mailbox,
            name=name,
            wire_name=name,
            delimiter="/",
            role="" if taken else guess.role,
            uidvalidity=VALIDITY,
        )
    return folder
