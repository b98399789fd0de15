"""Keeps the counters of conversations and their lines in the lists of folders equal to the placements.

Everything is recounted for the conversations that were touched, in a handful of statements whatever their number;
so refreshing twice changes nothing, and a forgotten case shows up in `check`.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection

from . import attached, rows
from .models import Conversation, Listing, Mailbox, Message, Placement

AT_ONCE = 5000
SHOWN_SENDERS = 8
WRITE_LISTINGS = """
    INSERT INTO mailboxes_listing
        (account_id, folder_id, conversation_id, newest_at, unread_count, is_flagged, is_held, has_attachments)
    SELECT p.account_id, p.folder_id, p.conversation_id, MAX(p.received_at),
        COUNT(DISTINCT CASE WHEN p.is_seen THEN NULL ELSE p.message_id END),
        MAX(CASE WHEN p.is_flagged THEN 1 ELSE 0 END) = 1,
        MAX(CASE WHEN m.is_held THEN 1 ELSE 0 END) = 1,
        MAX(CASE WHEN m.has_attachments THEN 1 ELSE 0 END) = 1
    FROM mailboxes_placement AS p JOIN mailboxes_message AS m ON m.id = p.message_id
    WHERE p.conversation_id IN %s AND p.hidden_at IS NULL AND NOT p.is_deleted AND p.binned_at IS NULL
    GROUP BY p.account_id, p.folder_id, p.conversation_id
    ON CONFLICT (folder_id, conversation_id) DO UPDATE SET
        newest_at = excluded.newest_at, unread_count = excluded.unread_count,
        is_flagged = excluded.is_flagged, is_held = excluded.is_held, has_attachments = excluded.has_attachments
    WHERE mailboxes_listing.newest_at <> excluded.newest_at
        OR mailboxes_listing.unread_count <> excluded.unread_count
        OR mailboxes_listing.is_flagged <> excluded.is_flagged
        OR mailboxes_listing.is_held <> excluded.is_held
        OR mailboxes_listing.has_attachments <> excluded.has_attachments
    """
REMOVE_LISTINGS = """
    DELETE FROM mailboxes_listing WHERE conversation_id IN %s AND NOT EXISTS (
        SELECT 1 FROM mailboxes_placement AS p
        WHERE p.conversation_id = mailboxes_listing.conversation_id AND p.folder_id = mailboxes_listing.folder_id
        AND p.hidden_at IS NULL AND NOT p.is_deleted AND p.binned_at IS NULL)
    """
# Each column from the letters that have a shown place; a letter in two folders counts once.
COUNT_CONVERSATIONS = """
    UPDATE mailboxes_conversation SET
        message_count = (SELECT COUNT(*) FROM {letters}),
        newest_at = (SELECT MAX(m.received_at) FROM {letters}),
        has_attachments = EXISTS (SELECT 1 FROM {letters} AND m.has_attachments),
        snippet = COALESCE((SELECT m.snippet FROM {letters} ORDER BY m.received_at DESC, m.id DESC LIMIT 1), ''),
        senders = COALESCE((SELECT {as_list}(s.name) FROM (
            SELECT COALESCE(NULLIF(m.from_name, ''), m.from_address) AS name
            FROM {letters} GROUP BY 1 ORDER BY MIN(m.received_at), MIN(m.id) LIMIT 8) AS s), {as_list}_none)
    WHERE id IN %s AND merged_into_id IS NULL
    """
# In statements, for reading the rows took half of a sweep. A row that is missed here fails the transaction: the
# database knows what points where, and so does the test.
REMOVE_EMPTY = (
    "UPDATE mailboxes_conversation SET split_from_id = NULL WHERE split_from_id IN %s",
    "UPDATE mailboxes_legalhold SET conversation_id = NULL WHERE conversation_id IN %s",
    "DELETE FROM mailboxes_threadkey WHERE conversation_id IN %s",
    "DELETE FROM mailboxes_listing WHERE conversation_id IN %s",
    "DELETE FROM mailboxes_labelled WHERE conversation_id IN %s",
    "DELETE FROM mailboxes_mark WHERE conversation_id IN %s",
    "DELETE FROM mailboxes_look WHERE conversation_id IN %s",
    "DELETE FROM mailboxes_conversation WHERE id IN %s",
)
# A look into the index for each letter, whatever the planner knows of the tables: EXISTS became a join with all
# placements, again for each conversation, where PostgreSQL had no statistics yet (a first sync that nobody analyzed).
LETTERS = """
    mailboxes_message AS m WHERE m.conversation_id = mailboxes_conversation.id AND (
        SELECT 1 FROM mailboxes_placement AS p
        WHERE p.message_id = m.id AND p.hidden_at IS NULL AND NOT p.is_deleted AND p.binned_at IS NULL LIMIT 1) = 1
    """


def refresh(conversation_ids: Collection[int]) -> None:
    """Recount these conversations and their listings. Inside the caller's transaction."""
    wanted = sorted(set(conversation_ids))
    for start in range(0, len(wanted), AT_ONCE):
        ids = wanted[start : start + AT_ONCE]
        rows.run(WRITE_LISTINGS, [ids])
        rows.run(REMOVE_LISTINGS, [ids])
        rows.run(_count_conversations(connection.vendor), [ids])
        _remove_empty(ids)


@cache
def _count_conversations(vendor: str) -> str:
    as_list, none = ("jsonb_agg", "'[]'::jsonb") if vendor == "postgresql" else ("json_group_array", "'[]'")
    sql = COUNT_CONVERSATIONS.replace("{letters}", LETTERS).replace("{as_list}_none", none)
    return sql.replace("{as_list}", as_list)


def _remove_empty(ids: list[int]) -> None:
    """A conversation whose last letter was removed goes, with what was known about who belongs to it."""
    empty = Conversation.objects.filter(pk__in=ids, merged_into=None, messages=None)
    gone = list(empty.values_list("pk", flat=True))
    if not gone:
        return
    signposted = Conversation.objects.filter(merged_into__in=gone)  # few: their own signposts go, too
    Conversation.objects.filter(pk__in=list(signposted.values_list("merged_into", flat=True))).delete()
    attached.remove(gone)
    for statement in REMOVE_EMPTY:
        rows.run(statement, [gone])


# The proof


def check(mailbox: Mailbox) -> list[str]:
    """Recount the mailbox from scratch, letter by letter, and name every difference; empty: all is exact."""
    return [*_wrong_listings(mailbox), *_wrong_conversations(mailbox)]


def _wrong_listings(mailbox: Mailbox) -> Iterator[str]:
    counted: dict[tuple[int, int], list[Any]] = {}
    unread: dict[tuple[int, int], set[int]] = {}
    for place in Placement.objects.filter(folder__mailbox=mailbox).shown().select_related("message"):
        key = (place.folder_id, place.conversation_id)
        newest, flagged, held, files = counted.get(key, [place.received_at, False, False, False])
        counted[key] = [
            max(newest, place.received_at),
            flagged or place.is_flagged,
            held or place.message.is_held,
            files or place.message.has_attachments,
        ]
        unread.setdefault(key, set()).update([] if place.is_seen else [place.message_id])
        if place.conversation_id != place.message.conversation_id:
            yield f"placement {place.pk} is in another conversation than its message"
        if place.received_at != place.message.received_at:
            yield f"placement {place.pk} has another date of receipt than its message"
    lines = {(line.folder_id, line.conversation_id): line for line in Listing.objects.filter(folder__mailbox=mailbox)}
    for key in counted.keys() | lines.keys():
        line = lines.get(key)
        is_so = _as_counted(line) if line else None
        should_be = [*counted[key], len(unread[key])] if key in counted else None
        if is_so != should_be:
            yield f"listing of conversation {key[1]} in folder {key[0]}: {is_so} instead of {should_be}"


def _as_counted(line: Listing) -> list[Any]:
    return [line.newest_at, line.is_flagged, line.is_held, line.has_attachments, line.unread_count]


def _names(letters: list[Message]) -> list[str]:
    """The senders' names, who wrote first comes first."""
    first: dict[str, tuple[datetime, int]] = {}
    for letter in letters:
        name = letter.from_name or letter.from_address
        at, pk = first.get(name, (letter.received_at, letter.pk))
        first[name] = (min(at, letter.received_at), min(pk, letter.pk))
    return sorted(first, key=first.__getitem__)


def _wrong_conversations(mailbox: Mailbox) -> Iterator[str]:
    placed = set(Placement.objects.filter(folder__mailbox=mailbox).shown().values_list("message_id", flat=True))
    for conversation in Conversation.objects.filter(mailbox=mailbox, merged_into=None).prefetch_related("messages"):
        everything = sorted(conversation.messages.all(), key=lambda message: (message.received_at, message.pk))
        letters = [message for message in everything if message.pk in placed]
        names = _names(letters)
        should_be = (
            len(letters),
            letters[-1].received_at if letters else None,
            any(message.has_attachments for message in letters),
            letters[-1].snippet if letters else "",
            names[:SHOWN_SENDERS],
        )
        is_so = (
            conversation.message_count,
            conversation.newest_at,
            conversation.has_attachments,
            conversation.snippet,
            conversation.senders,
        )
        if is_so != should_be:
            yield f"conversation {conversation.pk}: {is_so} instead of {should_be}"
        if not everything:
            yield f"conversation {conversation.pk} is empty"
