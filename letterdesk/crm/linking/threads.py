"""Finds the conversation at CRM of letters that lie in mailboxes: by Message-IDs, across mailboxes of the account."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from letterdesk.mailboxes import rows
from letterdesk.mailboxes.models import Message
from letterdesk.mailboxes.threading import key_of

from ..models import Activity, ActivityKey, Thread, Unlinked
from .identity import people_of

KEYS_AT_ONCE = 20_000
_OF_KEYS = """
    SELECT t.conversation_id, t.key, k.thread_id FROM mailboxes_threadkey AS t
    LEFT JOIN crm_activitykey AS k ON k.account_id = %s AND k.key = t.key WHERE t.conversation_id IN %s"""
_OF_COPIES = """
    SELECT DISTINCT m.conversation_id, a.thread_id, a.identity FROM mailboxes_message AS m
    JOIN crm_lettercopy AS c ON c.mailbox_id = m.mailbox_id AND c.blob = m.blob
    JOIN crm_activity AS a ON a.id = c.activity_id WHERE m.account_id = %s AND m.conversation_id IN %s"""

_TALKS = """
    SELECT t.conversation_id FROM mailboxes_threadkey AS t
    JOIN crm_activitykey AS k ON k.account_id = %s AND k.key = t.key WHERE t.conversation_id IN %s
    UNION SELECT m.conversation_id FROM mailboxes_message AS m
    JOIN crm_lettercopy AS c ON c.mailbox_id = m.mailbox_id AND c.blob = m.blob WHERE m.conversation_id IN %s"""


@dataclass(slots=True)
class Threads:
    """Which threads the conversations of some letters lead to, oldest first, and who takes part in each."""

    of_conversation: dict[int, list[int]] = field(default_factory=dict)
    people: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    keys: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))  # by conversation
    here: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))  # by conversation, what CRM has of it
    bare: set[int] = field(default_factory=set)  # without a letter: of them is left what a person took away
    asked: set[int] = field(default_factory=set)  # of whose people the database was asked

    def for_letter(self, conversation: int, outside: Collection[str]) -> int | None:
        """The oldest thread in which one of these people takes part; whoever writes among us alone belongs to any.

        Else one without a letter: nothing stands there, so nobody gets anything by it.
        """
        found = self.of_conversation.get(conversation, [])
        meeting = (each for each in found if not outside or not self.people[each].isdisjoint(outside))
        return next(meeting, None) or next((each for each in found if each in self.bare), None)

    def join(self, conversation: int, thread: int, outside: Iterable[str]) -> None:
        """A letter of this conversation stands in that thread now."""
        found = self.of_conversation.setdefault(conversation, [])
        if thread not in found:
            found.append(thread)
            found.sort(key=age_of)
        self.people[thread].update(outside)
        self.bare.discard(thread)

    def that_meet(self, conversation: int) -> tuple[int, set[int]] | None:
        """The oldest thread of this conversation, and those others that have people in common with it; None: none."""
        first, *others = self.of_conversation.get(conversation) or [0]
        same = {each for each in others if not self.people[each].isdisjoint(self.people[first])}
        return (first, same) if same else None

    def become(self, first: int, same: Collection[int]) -> None:
        """These threads are the first one from now on, whichever conversation leads to them."""
        for conversation, found in self.of_conversation.items():
            if not set(same).isdisjoint(found):
                joined = {first if each in same else each for each in found}
                self.of_conversation[conversation] = sorted(joined, key=age_of)
        for each in same:
            self.people[first] |= self.people.pop(each, set())


def age_of(thread: int) -> tuple[bool, int]:
    """Sorts threads, the oldest first; those that are not stored yet are called minus their number, and come last."""
    return thread < 0, abs(thread)


def threads_of(account_id: int, letters: Sequence[Message], *, ours: Collection[str]) -> Threads:
    """What CRM knows of the conversations of these letters; three queries, however many there are."""
    conversations = sorted({letter.conversation_id for letter in letters})
    found = Threads()
    if not conversations:
        return found
    leading: defaultdict[int, set[int]] = defaultdict(set)
    for conversation, key, thread in rows.run_returning(_OF_KEYS, [account_id, conversations]):
        found.keys[conversation].add(key)
        if thread is not None:
            leading[conversation].add(thread)
    for conversation, thread, identity in rows.run_returning(_OF_COPIES, [account_id, conversations]):
        leading[conversation].add(thread)
        found.here[conversation].add(identity)
    found.of_conversation = {conversation: sorted(threads) for conversation, threads in leading.items()}
    fill_people(found, all_of(found), ours=ours)
    return found


def known_talks(account_id: int, conversations: Collection[int]) -> set[int]:
    """Which of these conversations of a mailbox lead to any thread; as `threads_of`, in one query."""
    wanted = sorted(conversations)
    return {talk for (talk,) in rows.run_returning(_TALKS, [account_id, wanted, wanted])} if wanted else set()


def threads_of_ids(account_id: int, message_ids: Sequence[str], *, ours: Collection[str]) -> Threads:
    """What CRM knows of these Message-IDs, for a letter that lies in no mailbox: its conversation is called 0 (R30)."""
    found = Threads()
    found.keys[0] = {key_of(each) for each in message_ids}
    found.of_conversation[0] = sorted(set(_known(account_id, found.keys[0]).values()))
    fill_people(found, all_of(found), ours=ours)
    return found


def all_of(found: Threads) -> set[int]:
    """The threads to which any of the conversations leads."""
    return {thread for each in found.of_conversation.values() for thread in each}


def fill_people(found: Threads, threads: Collection[int], *, ours: Collection[str]) -> None:
    """Who takes part in these threads, from the database."""
    found.asked |= set(threads)
    found.bare |= set(threads)
    letters = Activity.objects.filter(thread__in=threads).order_by()
    each_once = letters.values_list("thread_id", "from_address", "recipients").distinct()  # a thread may be endless
    for thread, sender, recipients in each_once if threads else ():
        activity: Any = SimpleNamespace(from_address=sender, recipients=recipients)
        found.people[thread].update(people_of(activity).outside(ours))
        found.bare.discard(thread)


def _known(account_id: int, keys: Collection[int]) -> dict[int, int]:
    known: dict[int, int] = {}
    wanted = sorted(keys)
    for start in range(0, len(wanted), KEYS_AT_ONCE):
        part = ActivityKey.objects.filter(account=account_id, key__in=wanted[start : start + KEYS_AT_ONCE])
        known.update(part.values_list("key", "thread_id"))
    return known


def remember_keys(account_id: int, threads: dict[int, int], keys: dict[int, set[int]]) -> None:
    """Lead the Message-IDs of these conversations to their threads; what leads elsewhere stays. By conversation."""
    rows.insert(
        [
            rows.make(ActivityKey, account_id=account_id, thread_id=thread, key=key)
            for conversation, thread in sorted(threads.items())
            for key in sorted(keys.get(conversation, ()))
        ],
        conflict="ON CONFLICT (account_id, key) DO NOTHING",
    )


def merge(into: int, others: Collection[int]) -> None:
    """Threads turn out to be one."""
    for other in sorted(others):
        Activity.objects.filter(thread=other).update(thread=into)
        ActivityKey.objects.filter(thread=other).update(thread=into)
        told = Unlinked.objects.filter(thread=into).values("record")
        Unlinked.objects.filter(thread=other).exclude(record__in=told).update(thread=into)
        Thread.objects.filter(pk=other).delete()
