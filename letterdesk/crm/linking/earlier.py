"""Connecting a letter takes the earlier letters of its conversation along (R6)."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Mailbox, Message, Placement

from ..models import Activity, Reason, Unlinked
from .decide import ASIDE, Bind, belongs, direction
from .identity import identity_of, people_of
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

    By itself only what people of the conversation wrote (D11); by a person's hand all. What a person took out of CRM,
    drafts, spam and what lies in a trash stay where they are. Inside the caller's transaction.
    """
    linked = _by_conversation(kept)
    if not linked:
        return 0
    before = Message.objects.filter(mailbox=mailbox, conversation__in=list(linked), binned_at=None)
    if by is None:
        before = before.filter(in_crm=False)
    others = before.exclude(pk__in=[each.letter.pk for each in kept])
    letters = list(others.order_by("received_at", "pk")[:MOST])
    if not letters:
        return 0
    roles = _roles(letters)
    gone = _taken_out(mailbox.account_id, letters)
    taken = []
    for letter in letters:
        following = _following(letter, linked[letter.conversation_id])
        lies = roles.get(letter.pk, set())
        if following is None or identity_of(letter) in gone or not lies - set(ASIDE):
            continue
        people = people_of(letter)
        if by is None and not belongs(people, frozenset(people_of(following.letter).outside(ours)), ours):
            continue
        binds = tuple(Bind(bind.record, Reason.HISTORY) for bind in following.bindings)
        taken.append(ToKeep(letter, following.thread, direction(people, lies, ours), binds))
    keep(mailbox.account_id, taken, through=mailbox.address, now=now, by=by)
    return len(taken)


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


def _taken_out(account_id: int, letters: Sequence[Message]) -> set[str]:
    identities = [identity_of(letter) for letter in letters]
    found = Unlinked.objects.filter(account=account_id, identity__in=identities, record=None, thread=None)
    binned = Activity.objects.filter(
        account=account_id, identity__in=identities, deleted_at__isnull=False, went_along=False
    )
    return {*found.values_list("identity", flat=True), *binned.values_list("identity", flat=True)}
