"""Connecting a letter takes the earlier letters of its conversation along (R6)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet, Window
from django.db.models.functions import RowNumber

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Mailbox, Message

from ..models import Activity, InText, Reason, SetAside, Unlinked
from .decide import ASIDE, Bind, belongs, direction
from .ground import Grounds, Linked, roles_of, written_among
from .identity import People, identity_of, people_of
from .in_text import taken_from, told_of
from .keep import ToKeep, keep
from .untried import leave_untried

MOST = 500  # letters that go along with one
MOST_AT_ONCE = 2_000  # that are looked through for a piece: a conversation may be without an end


@dataclass(slots=True)
class Earlier:
    """Letters of some conversations of a mailbox that go along with the next letter that is linked.

    `taken`: by identity, the records from which a person took them; None: out of CRM.
    """

    letters: dict[int, list[Message]]  # by conversation, in the order of receipt
    ours: Collection[str]
    roles: dict[int, Collection[str]]
    identities: dict[int, str]
    there: dict[str, Activity]  # by identity: those that CRM has already, by another way
    told: dict[str, InText]
    taken: dict[str, Collection[int | None]]
    by_hand: bool = False
    people: dict[int, People] = field(default_factory=dict)  # by letter; each is asked about again and again

    def add(self, letter: Message, *, roles: Collection[str], identity: str, taken: Collection[int | None]) -> None:
        """This one was looked at and not linked: it may go along, too."""
        self.roles[letter.pk], self.identities[letter.pk], self.taken[identity] = roles, identity, taken
        found = self.letters.setdefault(letter.conversation_id, [])
        found.append(letter)
        found.sort(key=_place)

    def forget(self, letter: Message) -> None:
        """It was linked."""
        found = self.letters.get(letter.conversation_id, ())
        self.letters[letter.conversation_id] = [each for each in found if each.pk != letter.pk]

    def along_with(self, following: ToKeep, *, away: Collection[int] = ()) -> list[ToKeep]:
        """Those that go along with this letter, in the order of receipt; `away`: from where its conversation was taken.

        By itself only what people of the conversation wrote (D11); by a person's hand all.
        """
        letter = following.letter
        outside = frozenset(people_of(letter).outside(self.ours))
        before = [
            each
            for each in self.letters.get(letter.conversation_id, ())[:MOST]
            if _place(each) < _place(letter) and self._may_go(each, outside)
        ]
        found = [self._going(each, following, away) for each in before]
        return [each for each in found if each.bindings]

    def _may_go(self, letter: Message, outside: frozenset[str]) -> bool:
        """Drafts, spam and what lies in a trash stay where they are, and so does what a person took out of CRM."""
        shown = set(self.roles.get(letter.pk, ())) - set(ASIDE)
        if not shown or None in self.taken.get(self.identities[letter.pk], ()):
            return False
        return self.by_hand or belongs(self._people_of(letter), outside, self.ours)

    def _people_of(self, letter: Message) -> People:
        if letter.pk not in self.people:
            self.people[letter.pk] = people_of(letter)
        return self.people[letter.pk]

    def _going(self, letter: Message, following: ToKeep, away: Collection[int]) -> ToKeep:
        """What a person took away from a record does not come back there."""
        identity = self.identities[letter.pk]
        taken = {*self.taken.get(identity, ()), *away}
        binds = tuple(Bind(each.record, Reason.HISTORY) for each in following.bindings if each.record not in taken)
        way = direction(people_of(letter), self.roles.get(letter.pk, ()), self.ours)
        return ToKeep(letter, following.thread, way, binds, identity)


def earlier_of(
    mailbox: Mailbox,
    conversations: Iterable[int],
    *,
    ours: Collection[str],
    without: Collection[int] = (),
    up_to: int | None = None,
    told: Mapping[str, InText] | None = None,
    by_hand: bool = False,
) -> Earlier:
    """The letters of these conversations that may go along, but for those `without`, by key.

    `up_to`: the key of the last that was looked at; those that are still to be looked at speak for themselves.
    `told`: of which letters the text of a forward has told already (`in_text.told_of`). By hand also what stands in
    CRM goes along, to one more record.
    """
    found = _letters(mailbox, conversations, without)
    if up_to is not None:
        found = found.filter(pk__lte=up_to)
    found = found if by_hand else found.filter(in_crm=False)
    letters = list(found[:MOST_AT_ONCE])
    if len(letters) == MOST_AT_ONCE:
        letters = _some_of_each(found)
    if not letters:
        return Earlier({}, ours, {}, {}, {}, {}, {}, by_hand)
    roles = roles_of(letters)
    identities = {each.pk: identity_of(each) for each in letters} | written_among(mailbox, letters, roles)[1]
    known = dict(told or {})
    rows = {row.activity_id for row in known.values()}
    new = {identities[each.pk]: each for each in letters if identities[each.pk] not in known}
    more = {key: row for key, row in told_of(mailbox.account_id, new).items() if row.activity_id not in rows}
    by_conversation: defaultdict[int, list[Message]] = defaultdict(list)
    for each in letters:
        by_conversation[each.conversation_id].append(each)
    there = _there(mailbox.account_id, identities.values())
    taken = _taken(mailbox.account_id, identities.values(), there, more)
    return Earlier(by_conversation, ours, {**roles}, identities, there, more, {**taken}, by_hand)


def take_earlier(
    mailbox: Mailbox, kept: Sequence[ToKeep], *, ours: Collection[str], now: datetime, by: Employee
) -> int:
    """A person linked these letters: bind what came before them in their conversations where the next of them stands.

    Returns how many. Inside the caller's transaction.
    """
    earlier = earlier_of(mailbox, talks_of(kept), ours=ours, without=[each.letter.pk for each in kept], by_hand=True)
    away = Unlinked.objects.filter(account=mailbox.account_id, thread__in={each.thread for each in kept})
    gone: defaultdict[int | None, set[int | None]] = defaultdict(set)
    for thread, record in away.values_list("thread_id", "record_id"):
        gone[thread].add(record)
    taken = []
    for following in sorted(kept, key=lambda each: _place(each.letter)):
        records = {record for record in gone[following.thread] if record is not None}
        for each in earlier.along_with(following, away=records):
            taken.append(each)
            earlier.forget(each.letter)
    keep(mailbox.account_id, taken, through=mailbox.address, now=now, by=by, told=earlier.told)
    return len(taken)


def late(letter: Message, grounds: Grounds) -> tuple[Linked, tuple[Bind, ...]] | None:
    """Along with what a letter goes that came after the next one of its conversation was linked (a first sync brings
    the newest first), and where it stands then; None: with none."""
    people, identity = grounds.people[letter.pk], grounds.identities[letter.pk]
    here = [(grounds.linked[key].at, key) for key in grounds.threads.here.get(letter.conversation_id, ())
            if key in grounds.linked and grounds.linked[key].at > letter.received_at]  # fmt: skip
    if not here:
        return None
    following = grounds.linked[min(here)[1]]
    taken = {*grounds.unlinked.get(identity, ()), *grounds.unlinked_threads.get(following.thread, ())}
    if None in taken or not belongs(people, following.outside, grounds.ours):
        return None
    binds = tuple(Bind(record, Reason.HISTORY) for record in sorted(following.records) if record not in taken)
    return (following, binds) if binds else None


def leave_earlier(mailbox: Mailbox, kept: Sequence[ToKeep], *, up_to: int, now: datetime) -> None:
    """One of the letters that would go along with these fails: each is looked at by itself, when it is due next."""
    before = _letters(mailbox, talks_of(kept), [each.letter.pk for each in kept])
    letters = before.filter(in_crm=False, pk__lte=up_to)[:MOST]
    leave_untried(mailbox, letters.values_list("pk", flat=True), now=now, is_history=True)


def talks_of(kept: Sequence[ToKeep]) -> set[int]:
    """The conversations of those that were linked, and did not go along with another one."""
    linked = [each for each in kept if any(bind.reason != Reason.HISTORY for bind in each.bindings)]
    return {each.letter.conversation_id for each in linked}


def _letters(mailbox: Mailbox, conversations: Iterable[int], without: Collection[int]) -> QuerySet[Message]:
    """Letters of these conversations in the order of receipt; what was set aside is looked at by itself."""
    aside = SetAside.objects.filter(mailbox=mailbox).values("letter")
    letters = Message.objects.filter(mailbox=mailbox, conversation__in=sorted(conversations), binned_at=None)
    found: QuerySet[Message] = letters.exclude(pk__in=list(without)).exclude(pk__in=aside)
    return found.order_by("received_at", "pk")


def _some_of_each(found: QuerySet[Message]) -> list[Message]:
    """As many of these as are looked through, from each conversation its first: a long one leaves room for others."""
    turn = Window(RowNumber(), partition_by="conversation", order_by=("received_at", "pk"))
    keys = found.annotate(turn=turn).order_by("turn", "pk").values_list("pk", flat=True)[:MOST_AT_ONCE]
    return sorted(Message.objects.filter(pk__in=list(keys)), key=_place)


def _place(letter: Message) -> tuple[datetime, int]:
    return letter.received_at, letter.pk


def _there(account_id: int, identities: Iterable[str]) -> dict[str, Activity]:
    found = Activity.objects.filter(account=account_id, identity__in=set(identities))
    columns = ("identity", "thread", "received_at", "deleted_at", "went_along")
    return {each.identity: each for each in found.only(*columns)}


def _taken(
    account_id: int, identities: Iterable[str], there: Mapping[str, Activity], told: Mapping[str, InText]
) -> defaultdict[str, set[int | None]]:
    """By identity, the records from which a person took these letters; None: out of CRM."""
    found: defaultdict[str, set[int | None]] = defaultdict(set)
    taken = Unlinked.objects.filter(account=account_id, identity__in=set(identities), thread=None)
    for identity, record in taken.values_list("identity", "record_id"):
        found[identity].add(record)
    for identity, activity in there.items():
        if activity.deleted_at is not None and not activity.went_along:
            found[identity].add(None)
    for identity, records in taken_from(told).items():
        found[identity] |= records
    return found
