"""How bytes come and go without ever being removed under someone's hands (A14, P1).

Storage cannot join a database transaction, so the database announces what storage is about to do:

1. A writer announces the hashes it is about to write as LooseBlob rows, commits, and only then writes the files.
2. The transaction that stores the letters strikes these rows out and writes BlobReference rows instead. Where its
   row is gone and nobody else refers to the bytes, a collector was quicker (the writer slept that long): StaleBatch.
3. Who lets the last reference go writes the LooseBlob row anew, in the same transaction.
4. The collector marks rows that are loose for half an hour and unreferenced – one statement, the row is the lock –,
   commits, removes the files, and only then the rows. A writer that meets a marked row waits until it is gone.

So a crash at any point leaves at worst a loose row, and the collector finds it. No listing of storage is needed.
"""

import time
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import connection, transaction

from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach

from . import rows
from .models import BlobReference, LooseBlob, Mailbox

LOOSE_FOR = timedelta(minutes=30)  # with the sweep and the collector every ten minutes: gone within an hour (R20)
GIVEN_UP_AFTER = timedelta(minutes=10)  # a mark this old belongs to a collector that died
PATIENCE = 10.0  # seconds that a writer waits for a collector
_STRIKE = """
    DELETE FROM mailboxes_looseblob WHERE id IN (
        SELECT id FROM mailboxes_looseblob WHERE account_id = %s AND removing_at IS NULL AND blob IN %s
        ORDER BY blob {})
    RETURNING blob"""
_IN_ORDER = {"postgresql": "FOR UPDATE", "sqlite": ""}  # several mailboxes strike out the same bytes at once


class StaleBatch(Exception):
    """These letters were prepared too long ago, their bytes may be collected: prepare them again."""


class BlobsBeingRemoved(Exception):
    """A collector holds these bytes; try again a little later."""


NOT_STORED = (OSError, StaleBatch, BlobsBeingRemoved)  # nothing was written; trying again may help


def holder_of(mailbox_id: int) -> str:
    """The holder's name of a mailbox: of its letters and of its quarantine."""
    return f"mailbox:{mailbox_id}"


def announce(account_id: int, hashes: Collection[str], *, now: datetime) -> None:
    """Say that these bytes are about to be written. Raises BlobsBeingRemoved after ten seconds of waiting for it."""
    deadline = time.monotonic() + (0 if connection.in_atomic_block else PATIENCE)
    while _announce_once(account_id, hashes, now):
        if time.monotonic() >= deadline:
            raise BlobsBeingRemoved(f"a collector holds some of {len(hashes)} blobs of account {account_id}")
        time.sleep(0.05)
    reach("collect.announced")


@transaction.atomic
def _announce_once(account_id: int, hashes: Collection[str], now: datetime) -> bool:
    """Write the rows; returns whether a collector holds any of them."""
    _write_loose(account_id, hashes, now)
    being_removed = LooseBlob.objects.filter(account=account_id, blob__in=hashes, removing_at__isnull=False)
    return bool(hashes) and being_removed.exists()


def hold(account_id: int, hashes: Collection[str], *, holder: str, now: datetime) -> None:
    """Refer to bytes that were announced and written. Inside the caller's transaction. Raises StaleBatch."""
    hold_each(account_id, [(blob, holder) for blob in hashes], now=now)


def hold_each(account_id: int, wanted: Collection[tuple[str, str]], *, now: datetime) -> None:
    """The same for pairs of hash and holder."""
    if not wanted:
        return
    hashes = sorted({blob for blob, _holder in wanted})
    struck = rows.run_returning(_STRIKE.format(_IN_ORDER[connection.vendor]), [account_id, hashes])
    unsure = set(hashes) - {blob for (blob,) in struck}
    if unsure:
        held = BlobReference.objects.filter(account=account_id, blob__in=unsure).values_list("blob", flat=True)
        if unsure - set(held):
            raise StaleBatch(f"{len(unsure)} blobs of account {account_id} are no longer announced")
    references = [
        rows.make(BlobReference, account_id=account_id, blob=blob, holder=holder, created_at=now)
        for blob, holder in sorted(set(wanted))
    ]
    rows.insert(references, conflict="ON CONFLICT (account_id, blob, holder) DO NOTHING")


def let_go(mailbox: Mailbox, hashes: Collection[str], *, now: datetime) -> None:
    """The mailbox no longer refers to bytes of letters it removed, except what others of its rows still need."""
    if not hashes:
        return
    wanted = sorted(set(hashes))
    freed = rows.run_returning(
        """
        DELETE FROM mailboxes_blobreference AS reference
        WHERE account_id = %s AND holder = %s AND blob IN %s
        AND NOT EXISTS (SELECT 1 FROM mailboxes_message AS m WHERE m.mailbox_id = %s AND m.blob = reference.blob)
        AND NOT EXISTS (
            SELECT 1 FROM mailboxes_quarantined AS q JOIN mailboxes_folder AS f ON f.id = q.folder_id
            WHERE f.mailbox_id = %s AND q.blob = reference.blob)
        RETURNING blob
        """,
        [mailbox.account_id, holder_of(mailbox.pk), wanted, mailbox.pk, mailbox.pk],
    )
    _write_loose(mailbox.account_id, [blob for (blob,) in freed], now)


def let_go_of_all(account_id: int, holder: str, *, now: datetime, hashes: Collection[str] | None = None) -> None:
    """A holder other than a mailbox gives back its bytes: these, or all. Inside the caller's transaction."""
    references = BlobReference.objects.filter(account=account_id, holder=holder)
    if hashes is not None:
        references = references.filter(blob__in=list(hashes))
    freed = list(references.values_list("blob", flat=True))
    references.delete()
    _write_loose(account_id, freed, now)


def share(account_id: int, wanted: Collection[tuple[str, str]], *, now: datetime) -> None:
    """More holders for bytes that somebody holds already: pairs of hash and holder. In the caller's transaction.

    The caller has locked a mailbox that holds them, so that they stay. Raises StaleBatch where nobody does.
    """
    hashes = {blob for blob, _ in wanted}
    held = BlobReference.objects.filter(account=account_id, blob__in=hashes).values_list("blob", flat=True)
    if missing := hashes - set(held):
        raise StaleBatch(f"{len(missing)} blobs of account {account_id} are held by nobody")
    references = [
        rows.make(BlobReference, account_id=account_id, blob=blob, holder=holder, created_at=now)
        for blob, holder in sorted(set(wanted))
    ]
    rows.insert(references, conflict="ON CONFLICT (account_id, blob, holder) DO NOTHING")


def let_go_of_holders(account_id: int, holders: Collection[str], *, now: datetime) -> None:
    """Holders other than mailboxes give back all their bytes. Inside the caller's transaction."""
    references = BlobReference.objects.filter(account=account_id, holder__in=list(holders))
    freed = list(references.values_list("blob", flat=True))
    references.delete()
    _write_loose(account_id, freed, now)


def collect(*, now: datetime, limit: int = 500) -> int:
    """Remove bytes that nobody has referred to for half an hour; returns how many. Call until it returns 0."""
    blobs.remove_leftovers(LOOSE_FOR.total_seconds())
    marked = _mark(now, limit)
    reach("collect.marked")
    for account_id, blob in marked:
        blobs.remove(account_id, blob)
        reach("collect.removed")
    for account_id, blob in marked:
        LooseBlob.objects.filter(account=account_id, blob=blob, removing_at=now).delete()
    reach("collect.done")
    return len(marked)


@transaction.atomic
def _mark(now: datetime, limit: int) -> list[tuple[int, str]]:
    """Strike out rows that are referred to after all; take the others. The condition is part of the statement."""
    since = rows.db_value(LooseBlob, "since", now - LOOSE_FOR)
    given_up = rows.db_value(LooseBlob, "since", now - GIVEN_UP_AFTER)
    rows.run(
        """
        DELETE FROM mailboxes_looseblob AS loose WHERE since <= %s AND removing_at IS NULL AND EXISTS (
            SELECT 1 FROM mailboxes_blobreference AS r WHERE r.account_id = loose.account_id AND r.blob = loose.blob)
        """,
        [since],
    )
    taken = rows.run_returning(
        """
        UPDATE mailboxes_looseblob AS loose SET removing_at = %s
        WHERE since <= %s AND (removing_at IS NULL OR removing_at <= %s)
        AND id IN (SELECT id FROM mailboxes_looseblob WHERE since <= %s ORDER BY since LIMIT %s)
        AND NOT EXISTS (
            SELECT 1 FROM mailboxes_blobreference AS r WHERE r.account_id = loose.account_id AND r.blob = loose.blob)
        RETURNING account_id, blob
        """,
        [rows.db_value(LooseBlob, "since", now), since, given_up, since, limit],
    )
    return [(account_id, blob) for account_id, blob in taken]


@transaction.atomic
def adopt_strays(account_id: int, *, now: datetime) -> int:
    """Find stored bytes that no row knows (after a restored database) and write them in as loose; returns how many."""
    known = set(BlobReference.objects.filter(account=account_id).values_list("blob", flat=True))
    known |= set(LooseBlob.objects.filter(account=account_id).values_list("blob", flat=True))
    unknown = [blob for blob in blobs.stored(account_id) if blob not in known]
    _write_loose(account_id, unknown, now)
    return len(unknown)


def _write_loose(account_id: int, hashes: Collection[str], now: datetime) -> None:
    rows.insert(
        [rows.make(LooseBlob, account_id=account_id, blob=blob, since=now) for blob in sorted(set(hashes))],
        conflict=(
            "ON CONFLICT (account_id, blob) DO UPDATE SET since = excluded.since"
            " WHERE mailboxes_looseblob.removing_at IS NULL"
        ),
    )
