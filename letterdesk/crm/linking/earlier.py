"""Connecting a letter takes the earlier letters of its conversation along (R6)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Mailbox, Message, Placement

from ..models import Activity, InText, Reason, SetAside, Unlinked
from .decide import ASIDE, Bind, belongs, direction
from .identity import identity_of, people_of
from .in_text import taken_from, told_of
from .keep import ToKeep, keep

MOST = 500


def take_earlier(
    mailbox: Mailbox,
    kept: Sequence[ToKeep],
    *,
    ours: Collection[str],
    now: datetime,
    by: Employee | None = None,
) -> int:
    """Bind what came before these letters in their conversations where the next of them stands; returns how many.

    By itself only what people of the conversation wrote (D11); by a person's hand all. What a person took away from a
    record does not come back there; what they took out of CRM, drafts, spam and what lies in a trash stay where they
    are. Inside the caller's transaction.
    """
    linked = _by_conversation(kept)
    if not linked:
        return 0
    before = _before(mailbox, kept)
    if by is None:
        before = before.filter(in_crm=False)
    letters = list(before[:MOST])
    if not letters:
        return 0
    roles = _roles(letters)
    told = told_of(mailbox.account_id, {identity_of(letter): letter for letter in letters})
    gone = _taken(mailbox.account_id, letters, {each.thread for found in linked.values() for each in found}, told)
    taken = []
    for letter in letters:
        following = _following(letter, linked[letter.conversation_id])
        lies = roles.get(letter.pk, set())
        away = gone[identity_of(letter)] | (gone[following.thread] if following else set())
        if following is None or None in away or not lies - set(ASIDE):
            continue
        people = people_of(letter)
        if by is None and not belongs(people, frozenset(people_of(following.letter).outside(ours)), ours):
            continue
        if binds := tuple(Bind(each.record, Reason.HISTORY) for each in following.bindings if each.record not in away):
            taken.append(ToKeep(letter, following.thread, direction(people, lies, ours), binds))
    keep(mailbox.account_id, taken, through=mailbox.address, now=now, by=by, told=told)
    return len(taken)


def leave_earlier(mailbox: Mailbox, kept: Sequence[ToKeep], *, now: datetime) -> None:
    """One of the letters that `take_earlier` would take fails: each is looked at by itself, when it is due next."""
    letters = _before(mailbox, kept).filter(in_crm=False)[:MOST]
    due = {"account_id": mailbox.account_id, "mailbox": mailbox, "is_history": True, "tries": 0}
    SetAside.objects.bulk_create(
        [SetAside(letter=key, at=now, due_at=now, **due) for key in letters.values_list("pk", flat=True)],
        ignore_conflicts=True,
    )


def _before(mailbox: Mailbox, kept: Sequence[ToKeep]) -> QuerySet[Message]:
    """The other letters in the conversations of those that were linked; what was set aside goes by itself."""
    aside = SetAside.objects.filter(mailbox=mailbox).values("letter")
    letters = Message.objects.filter(mailbox=mailbox, conversation__in=list(_by_conversation(kept)), binned_at=None)
    others = letters.exclude(pk__in=[each.letter.pk for each in kept]).exclude(pk__in=aside)
    found: QuerySet[Message] = others.order_by("received_at", "pk")
    return found


def _by_conversation(kept: Sequence[ToKeep]) -> dict[int, list[ToKeep]]:
    """The letters that were linked, by conversation; what went along with another one takes nothing along."""
    linked: defaultdict[int, list[ToKeep]] = defaultdict(list)
    for each in kept:
        if any(bind.reason != Reason.HISTORY for bind in each.bindings):
            linked[each.letter.conversation_id].append(each)
    return linked


def _following(letter: Message, linked: Sequence[ToKeep]) -> ToKeep | None:
    """The next after this letter of those that are linked in its conversation."""
    this = (letter.received_at, letter.pk)
    later = [each for each in linked if (each.letter.received_at, each.letter.pk) > this]
    return min(later, key=lambda each: (each.letter.received_at, each.letter.pk), default=None)


def _roles(letters: Sequence[Message]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    places = Placement.objects.filter(message__in=[letter.pk for letter in letters], hidden_at=None, is_deleted=False)
    for message, role in places.values_list("message_id", "folder__role"):
        found.setdefault(message, set()).add(role or "folder")
    return found


def _taken(
    account_id: int, letters: Sequence[Message], threads: Collection[int], told: Mapping[str, InText]
) -> defaultdict[str | int, set[int | None]]:
    """By identity of these letters, and by thread: the records from which a person took them; None: out of CRM."""
    identities = [identity_of(letter) for letter in letters]
    taken = Unlinked.objects.filter(Q(identity__in=identities, thread=None) | Q(thread__in=threads), account=account_id)
    found: defaultdict[str | int, set[int | None]] = defaultdict(set)
    for identity, thread, record in taken.values_list("identity", "thread_id", "record_id"):
        found[thread or identity].add(record)
    binned = Activity.objects.filter(
        account=account_id, identity__in=identities, deleted_at__isnull=False, went_along=False
    )
    for identity in binned.values_list("identity", flat=True):
        found[identity].add(None)
    for identity, records in taken_from(told).items():
        found[identity] |= records
    return found
