"""Finds the conversation of each letter, in whatever order letters arrive (the first sync brings the newest first).

Message-IDs, own and referenced, are keys; a letter joins everything that shares a key with it, so conversations are
the connected pieces of one graph, and the order of arrival does not matter. Loops in References are harmless: a
graph without direction has none. Only then, for a reply that names no letter, subject and people decide.
Nothing ever joins across mailboxes (D11): every look-up is by mailbox.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Min

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record
from letterdesk.mail.letters import Letter
from letterdesk.mail.subjects import is_reply_subject, normal_subject

from . import attached, listing, rows
from .models import Conversation, Listing, Mailbox, Message, Placement, ThreadKey
from .reminders import follow_split
from .retention import legal
from .subjects import Candidate, join_by_subject

FIRST_REFERENCES = 2  # of a long References header the roots …
LAST_REFERENCES = 30  # … and the nearest are looked at (B14)
KEYS_AT_ONCE = 20_000
# What the joining one was for the team, the other becomes: where it was nothing yet, or done with.
TAKE_STATUS = """
    UPDATE mailboxes_conversation SET status = s.status, waiting_since = s.waiting_since,
        assignee_id = CASE WHEN mailboxes_conversation.assignee_id IS NULL
            AND mailboxes_conversation.department_id IS NULL THEN s.assignee_id
            ELSE mailboxes_conversation.assignee_id END,
        department_id = CASE WHEN mailboxes_conversation.assignee_id IS NULL
            AND mailboxes_conversation.department_id IS NULL THEN s.department_id
            ELSE mailboxes_conversation.department_id END
    FROM mailboxes_conversation AS s WHERE mailboxes_conversation.id = %s AND s.id = %s AND s.status <> ''
        AND (mailboxes_conversation.status = '' OR (s.status = 'open' AND mailboxes_conversation.status <> 'open'))
    """
MERGE = (
    TAKE_STATUS,
    "UPDATE mailboxes_message SET conversation_id = %s WHERE conversation_id = %s",
    "UPDATE mailboxes_placement SET conversation_id = %s WHERE conversation_id = %s",
    "UPDATE mailboxes_threadkey SET conversation_id = %s WHERE conversation_id = %s",
    "UPDATE mailboxes_conversation SET merged_into_id = %s WHERE merged_into_id = %s",  # signposts follow
    "UPDATE mailboxes_conversation SET split_from_id = %s WHERE split_from_id = %s",  # and so do sides of a split
    "UPDATE mailboxes_legalhold SET conversation_id = %s WHERE conversation_id = %s",
    "UPDATE mailboxes_conversation SET merged_into_id = %s WHERE id = %s",
)


@dataclass(frozen=True, slots=True)
class Thread:
    """What of a letter decides about its conversation. `keys`: its own first, then the nearest reference first."""

    keys: tuple[int, ...]
    subject: str
    subject_key: str
    joins_by_subject: bool
    is_root: bool
    people: frozenset[str]
    received_at: datetime


@dataclass(slots=True)
class Threads:
    """Where the letters of a batch belong, in order, and which conversations changed by that."""

    conversations: list[Conversation]
    touched: set[int] = field(default_factory=set)


def key_of(message_id: str) -> int:
    """A Message-ID as a signed number of 64 bits."""
    return int.from_bytes(hashlib.sha256(message_id.encode("utf-8", "replace")).digest()[:8], "big", signed=True)


def subject_key_of(subject: str) -> str:
    """Subjects with the same key are the same; empty ones have none and never join anything."""
    return hashlib.sha256(subject.casefold().encode("utf-8", "replace")).hexdigest()[:32] if subject else ""


def thread_of(letter: Letter, *, received_at: datetime, own_address: str) -> Thread:
    """Read from a letter what decides about its conversation. `own_address` is the mailbox's: everyone shares it."""
    nearest = [*letter.in_reply_to[:3], *reversed(letter.references[-LAST_REFERENCES:])]
    named = [*nearest, *letter.references[:FIRST_REFERENCES]]
    ids = [text for text in dict.fromkeys([letter.message_id, *named]) if text]
    subject = normal_subject(letter.subject)
    is_reply = is_reply_subject(letter.subject)
    people = {address.address.lower() for address in (*letter.to, *letter.cc, *letter.reply_to)}
    people |= {letter.sender.address.lower()} if letter.sender else set()
    return Thread(
        keys=tuple(key_of(text) for text in ids),
        subject=subject,
        subject_key=subject_key_of(subject),
        joins_by_subject=bool(subject) and is_reply and not any(named),
        is_root=bool(subject) and not is_reply and not any(named),
        people=frozenset(people - {own_address.lower()} or people),
        received_at=received_at,
    )


def assign(mailbox: Mailbox, threads: Sequence[Thread]) -> Threads:
    """Find or make the conversations of these letters. Inside the caller's transaction, the mailbox locked.

    Conversations that turn out to be one are merged. A constant number of queries for a batch.
    """
    known = _known(mailbox, {key for thread in threads for key in thread.keys})
    graph = _Graph(threads, known, apart=_apart(set(known.values())))
    graph.join_by_keys()
    join_by_subject(mailbox, graph.unplaced(), graph.join_letters, graph.join_conversation)
    merges = graph.merges()
    touched = _merge_all(mailbox, merges)
    conversations = _make(mailbox, threads, graph)
    _remember_keys(mailbox, threads, conversations, known)
    _take_older_subjects(threads, conversations)
    return Threads(conversations, touched | {conversation.pk for conversation in conversations})


def _known(mailbox: Mailbox, keys: Collection[int]) -> dict[int, int]:
    known: dict[int, int] = {}
    wanted = sorted(keys)
    for start in range(0, len(wanted), KEYS_AT_ONCE):
        found = ThreadKey.objects.filter(mailbox=mailbox, key__in=wanted[start : start + KEYS_AT_ONCE])
        known.update(found.values_list("key", "conversation_id"))
    return known


def _apart(conversation_ids: Collection[int]) -> set[int]:
    """Conversations that a person split off: no letter merges them with others again."""
    split = Conversation.objects.filter(pk__in=conversation_ids, split_from__isnull=False)
    return set(split.values_list("pk", flat=True)) if conversation_ids else set()


class _Graph:
    """Union-find over the letters of a batch (by position), their keys, and conversations that exist."""

    def __init__(self, threads: Sequence[Thread], known: dict[int, int], *, apart: set[int]) -> None:
        self.threads = threads
        self.known = known
        self.apart = apart
        self.parent: dict[tuple[str, int], tuple[str, int]] = {}
        self.existing: dict[tuple[str, int], set[int]] = {}

    def find(self, node: tuple[str, int]) -> tuple[str, int]:
        parent = self.parent.setdefault(node, node)
        while parent != self.parent[parent]:
            self.parent[parent] = parent = self.parent[self.parent[parent]]
        self.parent[node] = parent
        return parent

    def join(self, one: tuple[str, int], other: tuple[str, int]) -> None:
        root, joining = self.find(one), self.find(other)
        if root != joining:
            self.parent[joining] = root
            self.existing.setdefault(root, set()).update(self.existing.pop(joining, set()))

    def join_by_keys(self) -> None:
        for position, thread in enumerate(self.threads):
            for key in self._joining_keys(thread):
                self.join(("letter", position), ("key", key))
                if key in self.known:
                    self.join_conversation(position, self.known[key])

    def _joining_keys(self, thread: Thread) -> Sequence[int]:
        """All keys; but where a person split, only those on the side of the nearest letter that we know."""
        homes = [self.known[key] for key in thread.keys if key in self.known]
        if not homes or self.apart.isdisjoint(homes):
            return thread.keys
        side = {homes[0]} if homes[0] in self.apart else set(homes) - self.apart
        return [key for key in thread.keys if self.known.get(key) in side or key == thread.keys[0]]

    def join_letters(self, one: int, other: int) -> None:
        self.join(("letter", one), ("letter", other))

    def join_conversation(self, position: int, conversation_id: int) -> None:
        self.join(("letter", position), ("conversation", conversation_id))
        self.existing.setdefault(self.find(("letter", position)), set()).add(conversation_id)

    def unplaced(self) -> dict[int, Candidate]:
        """All letters for the subject's turn, with whether they have found a conversation or each other."""
        sizes: dict[tuple[str, int], int] = defaultdict(int)
        for position in range(len(self.threads)):
            sizes[self.find(("letter", position))] += 1
        candidates = {}
        for position, thread in enumerate(self.threads):
            root = self.find(("letter", position))
            candidates[position] = Candidate(
                subject_key=thread.subject_key,
                people=thread.people,
                received_at=thread.received_at,
                joins_by_subject=thread.joins_by_subject,
                is_root=thread.is_root,
                is_alone=sizes[root] == 1 and not self.existing.get(root),
            )
        return candidates

    def merges(self) -> dict[int, int]:
        """Which conversations become part of which: the oldest row stays, those that a person split off stay apart."""
        merges: dict[int, int] = {}
        for ids in self.existing.values():
            joining = sorted(ids - self.apart)
            merges.update(dict.fromkeys(joining[1:], joining[0]) if joining else {})
        return merges

    def home(self, position: int) -> int | None:
        """The conversation that exists for this letter, before merges; None: a new one."""
        ids = self.existing.get(self.find(("letter", position)), set())
        if len(ids) > 1 and not self.apart.isdisjoint(ids):
            own = [self.known[key] for key in self.threads[position].keys if key in self.known]
            return own[0] if own else min(ids - self.apart or ids)
        return min(ids, default=None)


def _merge_all(mailbox: Mailbox, merges: dict[int, int]) -> set[int]:
    """Move everything of the joining conversations; they stay as signposts without content."""
    if not merges:
        return set()
    for statement in MERGE:
        rows.run_many(statement, [(target, source) for source, target in merges.items()])
    attached.follow(merges)
    Listing.objects.filter(conversation__in=merges).delete()
    Conversation.objects.filter(pk__in=merges, mailbox=mailbox).update(
        split_from=None,
        subject="",
        subject_key="",
        snippet="",
        senders=[],
        message_count=0,
        newest_at=None,
        status="",
        assignee=None,
        department=None,
        waiting_since=None,
    )
    legal.cover_joined(mailbox, set(merges.values()))
    return set(merges.values())


def _make(mailbox: Mailbox, threads: Sequence[Thread], graph: _Graph) -> list[Conversation]:
    """The conversation of each letter, in order; new ones get rows."""
    merges = graph.merges()
    homes = [graph.home(position) for position in range(len(threads))]
    wanted = {merges.get(home, home) for home in homes if home is not None}
    existing = Conversation.objects.in_bulk(wanted)
    new: dict[tuple[str, int], Conversation] = {}
    found = []
    for position, (thread, home) in enumerate(zip(threads, homes, strict=True)):
        if home is not None:
            found.append(existing[merges.get(home, home)])
            continue
        root = graph.find(("letter", position))
        if root not in new:
            new[root] = rows.make(Conversation, account_id=mailbox.account_id, mailbox_id=mailbox.pk)
        found.append(_named_after(new[root], thread))
    rows.insert_with_keys(list(new.values()), known_by="public_id")
    return found


def _named_after(conversation: Conversation, thread: Thread) -> Conversation:
    """A new conversation is named after its oldest letter; `newest_at` holds that date until `listing.refresh`."""
    if conversation.newest_at is None or thread.received_at < conversation.newest_at:
        conversation.subject, conversation.subject_key = thread.subject, thread.subject_key
        conversation.newest_at = thread.received_at
    return conversation


def _remember_keys(
    mailbox: Mailbox, threads: Sequence[Thread], conversations: Sequence[Conversation], known: dict[int, int]
) -> None:
    new = {
        key: conversation.pk
        for thread, conversation in zip(threads, conversations, strict=True)
        for key in reversed(thread.keys)
        if key not in known
    }
    keys = [
        rows.make(
            ThreadKey, account_id=mailbox.account_id, mailbox_id=mailbox.pk, key=key, conversation_id=conversation_id
        )
        for key, conversation_id in new.items()
    ]
    rows.insert(keys, conflict="ON CONFLICT (mailbox_id, key) DO NOTHING")


def _take_older_subjects(threads: Sequence[Thread], conversations: Sequence[Conversation]) -> None:
    """A conversation is called after its first letter, and that may arrive last."""
    oldest: dict[int, Thread] = {}
    for thread, conversation in zip(threads, conversations, strict=True):
        if thread.subject_key != conversation.subject_key:
            earlier = oldest.get(conversation.pk, thread)
            oldest[conversation.pk] = min(thread, earlier, key=lambda one: one.received_at)
    if not oldest:
        return
    dates = Message.objects.filter(conversation__in=oldest).values("conversation_id").annotate(first=Min("received_at"))
    first = {row["conversation_id"]: row["first"] for row in dates}
    rows.run_many(
        "UPDATE mailboxes_conversation SET subject = %s, subject_key = %s WHERE id = %s",
        [
            (thread.subject, thread.subject_key, pk)
            for pk, thread in oldest.items()
            if pk in first and thread.received_at < first[pk]
        ],
    )


# By hand


class DifferentMailboxes(ValueError):
    """Conversations of two mailboxes never become one."""


class OnlyLetter(ValueError):
    """The only letter of a conversation cannot be split off."""


@transaction.atomic
def merge(a: Conversation, b: Conversation, *, by: Employee | None) -> Conversation:
    """Make one conversation of two; letters to come follow. Returns `a`. Raises DifferentMailboxes."""
    if a.mailbox_id != b.mailbox_id:
        raise DifferentMailboxes("these conversations are in different mailboxes")
    if a.pk == b.pk:
        return a
    mailbox = Mailbox.objects.select_for_update(no_key=True).get(pk=a.mailbox_id)
    Conversation.objects.filter(pk=a.pk, split_from=b.pk).update(split_from=None)
    _merge_all(mailbox, {b.pk: a.pk})
    listing.refresh([a.pk])
    _tell("conversation.merged", mailbox, by, a, other=b.public_id)
    a.refresh_from_db()
    return a


@transaction.atomic
def split(message: Message, *, by: Employee | None) -> Conversation:
    """Take a letter out of its conversation, with what will answer it. Returns the new one. Raises OnlyLetter.

    Remembered: a letter that names both sides goes to the side of the nearest one it names, and merges nothing.
    """
    mailbox = Mailbox.objects.select_for_update(no_key=True).get(pk=message.mailbox_id)
    message.refresh_from_db()
    old = message.conversation
    if not Message.objects.filter(conversation=old).exclude(pk=message.pk).exists():
        raise OnlyLetter("this is the only letter of its conversation")
    subject = normal_subject(message.subject)
    new = Conversation.objects.create(
        account_id=mailbox.account_id,
        mailbox=mailbox,
        subject=subject,
        subject_key=subject_key_of(subject),
        split_from=old,
        status=old.status,
        assignee_id=old.assignee_id,
        department_id=old.department_id,
        waiting_since=old.waiting_since,
    )
    Message.objects.filter(pk=message.pk).update(conversation=new)
    Placement.objects.filter(message=message.pk).update(conversation=new)
    if message.message_id:
        ThreadKey.objects.filter(mailbox=mailbox, key=key_of(message.message_id)).update(conversation=new)
    follow_split(old, new)
    listing.refresh([old.pk, new.pk])
    _tell("conversation.split", mailbox, by, new, other=old.public_id)
    new.refresh_from_db()
    return new


def _tell(kind: str, mailbox: Mailbox, by: Employee | None, conversation: Conversation, *, other: str) -> None:
    record(
        kind,
        account=mailbox.account,
        by=by,
        topic=mailbox.topic,
        subject=f"conversation:{conversation.public_id}",
        conversations=[conversation.public_id, other],
    )
