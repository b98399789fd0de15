"""Takes letters out of the store for good: rows, files, words, bytes. What is held stays (R4).

`remove_messages` is the one door for that, whoever asks: letters that vanished from the server, retention, a task's
bin. The condition stands in the deleting statement itself, so that a hold that was just taken wins (P10, F07), and one
that is still being placed as well (`legal.may_go`).
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from letterdesk.lib.crashpoint import reach

from . import collect, listing, rows
from .models import Mailbox, Message, Quarantined
from .retention import legal
from .search import letters as search

AT_ONCE = 1000
# With {and_more} narrower: what is no longer so in this very statement stays. The plus keeps SQLite from going through
# all letters of the mailbox for each piece, where it knows nothing of the tables: the keys are found one by one.
_TAKE = """
    DELETE FROM mailboxes_message AS m WHERE +m.mailbox_id = %s AND m.id IN %s AND NOT m.is_held
    AND NOT EXISTS (SELECT 1 FROM mailboxes_hold AS h WHERE h.message_id = m.id)
    AND NOT EXISTS (SELECT 1 FROM mailboxes_legalhold AS l WHERE l.account_id = m.account_id AND l.covered_at IS NULL
                    AND (l.mailbox_id IS NULL OR l.mailbox_id = m.mailbox_id)) {and_more}
    RETURNING id, conversation_id, blob
    """
BELONGING = (  # a row that is missed here fails the transaction: the database knows what points where
    "DELETE FROM mailboxes_pendingchange WHERE placement_id IN"
    " (SELECT id FROM mailboxes_placement WHERE message_id IN %s)",
    "DELETE FROM mailboxes_placement WHERE message_id IN %s",
    "DELETE FROM mailboxes_attachment WHERE message_id IN %s",
    "DELETE FROM mailboxes_hiddenletter WHERE message_id IN %s",
)
TAKE = _TAKE.format(and_more="")
TAKE_OVER = _TAKE.format(and_more="AND m.received_at <= %s")
TAKE_BINNED = _TAKE.format(and_more="AND m.binned_at IS NOT NULL")
TAKE_UNPLACED = _TAKE.format(
    and_more="AND NOT EXISTS (SELECT 1 FROM mailboxes_placement AS p WHERE p.message_id = m.id)"
)


@transaction.atomic
def remove_messages(mailbox: Mailbox, message_ids: Collection[int], *, now: datetime) -> list[str]:
    """Remove letters of this mailbox with everything that belongs to them, placed or not; held ones stay.

    Ids of other mailboxes are left alone (F10). Returns the hashes that went. Nothing is changed on the server.
    """
    return _remove(mailbox, message_ids, TAKE, now)


@transaction.atomic
def remove_quarantined(mailbox: Mailbox, letters: QuerySet[Quarantined], *, now: datetime) -> list[str]:
    """Remove some of these unreadable letters of the mailbox, none under a hold (F05); returns the hashes that went."""
    some = dict(legal.unread_free(letters).filter(folder__mailbox=mailbox).values_list("pk", "blob")[:AT_ONCE])
    Quarantined.objects.filter(pk__in=list(some)).delete()
    blobs = sorted(set(some.values()))
    collect.let_go(mailbox, blobs, now=now)
    return blobs


@transaction.atomic
def remove_over(mailbox: Mailbox, message_ids: Collection[int], *, cutoff: datetime, now: datetime) -> list[str]:
    """As `remove_messages`, but only what was received at or before the cut-off (R9). Returns the hashes that went."""
    return _remove(mailbox, message_ids, TAKE_OVER, now, rows.db_value(Message, "received_at", cutoff))


@transaction.atomic
def remove_binned(mailbox: Mailbox, message_ids: Collection[int], *, now: datetime) -> list[str]:
    """As `remove_messages`, but only what lies in the bin (R29). Returns the hashes that went."""
    return _remove(mailbox, message_ids, TAKE_BINNED, now)


@transaction.atomic
def remove_unplaced(mailbox: Mailbox, *, before: datetime, now: datetime, limit: int = AT_ONCE) -> int:
    """Remove letters that lost their last place before that time: gone from the server, not moved (A19).

    The sync calls this after a pass over all folders, with the time at which the pass began: a letter that another
    program moved has shown up in its new folder by then. Call until it returns 0.
    """
    unplaced = Message.objects.filter(mailbox=mailbox, unplaced_at__lt=before, is_held=False)
    return len(_remove(mailbox, list(unplaced.values_list("pk", flat=True)[:limit]), TAKE_UNPLACED, now))


def _remove(
    mailbox: Mailbox, message_ids: Collection[int], statement: str, now: datetime, *condition: object
) -> list[str]:
    Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)
    wanted = sorted(set(message_ids))
    removed: list[str] = []
    for start in range(0, len(wanted), AT_ONCE):
        piece = wanted[start : start + AT_ONCE]
        gone = rows.run_returning(statement, [mailbox.pk, piece, *condition])
        _remove_what_belongs([pk for pk, _, _ in gone])
        collect.let_go(mailbox, [blob for _, _, blob in gone], now=now)
        listing.refresh([conversation for _, conversation, _ in gone])
        removed += [blob for _, _, blob in gone]
    reach("remove.before_commit")
    return removed


def _remove_what_belongs(ids: list[int]) -> None:
    """Words, intentions, places, files of letters: in statements, for reading the rows took half of a sweep."""
    if ids:
        search.remove(ids)
        for statement in BELONGING:
            rows.run(statement, [ids])
