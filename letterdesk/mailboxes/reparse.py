"""Rebuilds from the raw bytes what stands in columns: after a better parser, or when a column was damaged.

Dates of receipt, flags, places, conversations and holds are not touched: they are not in the bytes. Batches are
committed one by one; after an interruption, go on with `after`. Doing it twice changes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.letters import Fetched, Letter
from letterdesk.mail.parse import parse_many

from . import listing, receive, rows
from .columns import attachments_of, message_columns
from .models import Attachment, Mailbox, Message, Quarantined
from .search import letters as search
from .search.text import prepare

BATCH = 200


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a reparse has come: pass `last_id` as `after` to go on from here."""

    last_id: int
    done: int
    changed: int
    damaged: int  # letters whose bytes are missing, damaged or no longer readable: their columns stay as they are


def reparse(mailbox: Mailbox, *, after: int = 0) -> Iterator[Progress]:
    """Read the letters of a mailbox again; yields after each committed batch."""
    done = changed = damaged = 0
    while batch := list(Message.objects.filter(mailbox=mailbox, pk__gt=after).order_by("pk")[:BATCH]):
        after = batch[-1].pk
        read = _read(batch)
        changed += _rewrite(mailbox, read)
        reach("reparse.committed")
        done += len(batch)
        damaged += len(batch) - len(read)
        yield Progress(after, done, changed, damaged)


def _read(batch: Sequence[Message]) -> list[tuple[Message, Letter]]:
    """Outside any transaction."""
    raws = []
    for message in batch:
        try:
            raws.append((message, blobs.get(message.account_id, message.blob)))
        except (blobs.BlobMissing, blobs.BlobDamaged):
            continue
    parsed = parse_many([raw for _, raw in raws])
    pairs = zip((message for message, _ in raws), parsed, strict=True)
    return [(message, letter) for message, letter in pairs if isinstance(letter, Letter)]


@transaction.atomic
def _rewrite(mailbox: Mailbox, read: Sequence[tuple[Message, Letter]]) -> int:
    """Write columns that differ, the files, and the words; returns how many letters had other columns."""
    Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)
    there = Message.objects.in_bulk([message.pk for message, _ in read])
    current = [(there[message.pk], letter) for message, letter in read if message.pk in there]
    different = []
    for message, letter in current:
        columns = message_columns(letter)
        if any(getattr(message, name) != value for name, value in columns.items()):
            different.append(message)
            for name, value in columns.items():
                setattr(message, name, value)
    if different:
        Message.objects.bulk_update(different, list(columns), batch_size=50)
    _rewrite_files(current)
    search.index(
        search.Indexed.of(message, body=prepare(letter.text), files=[part.filename for part in letter.parts])
        for message, letter in current
    )
    listing.refresh({message.conversation_id for message in different})
    return len(different)


def _rewrite_files(read: Sequence[tuple[Message, Letter]]) -> None:
    """Files that are the same keep their rows, so that their addresses stay; others are made anew."""
    have: dict[int, dict[int, Attachment]] = {}
    for file in Attachment.objects.filter(message__in=[message.pk for message, _ in read]):
        have.setdefault(file.message_id, {})[file.index] = file
    new = []
    for message, letter in read:
        old = have.get(message.pk, {})
        for file in attachments_of(message, letter):
            same = old.get(file.index)
            if same is not None and _alike(same, file):
                del old[file.index]
            else:
                new.append(file)
    Attachment.objects.filter(pk__in=[file.pk for files in have.values() for file in files.values()]).delete()
    rows.insert(new)


def _alike(one: Attachment, other: Attachment) -> bool:
    names = ("filename", "content_type", "size", "content_id", "is_inline")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def retry_quarantined(mailbox: Mailbox, *, now: datetime, cutoff: datetime | None = None) -> tuple[int, int]:
    """Read again what is kept raw in quarantine; returns (letters that are readable now, letters that stay).

    Their flags are unknown: they come with the next flags of the folder.
    """
    readable = 0
    on_server = Quarantined.objects.filter(folder__mailbox=mailbox, uid__gt=0)
    kept = list(on_server.exclude(blob="").select_related("folder"))
    for item in kept:
        raw = blobs.get(item.account_id, item.blob)
        letter = Fetched(item.uid, raw, item.internal_date or item.first_seen_at)
        prepared = receive.prepare(item.folder, [letter], now=now)
        with transaction.atomic():
            receipt = receive.store(item.folder, prepared, uidvalidity=item.uidvalidity, now=now, cutoff=cutoff)
        readable += len(receipt.placed)
    return readable, len(kept) - readable
