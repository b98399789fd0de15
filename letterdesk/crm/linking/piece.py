"""Some letters of one mailbox, looked at together: decided about one after the other, then written down at once.

Inside the caller's transaction, which holds the plan, the account and the mailbox, in this order (`hold`): nothing that
is decided upon changes before the commit, one address makes one lead however many letters and mailboxes there are, and
no letter goes while its bytes are taken over. What comes of a letter is entered, so that the next one finds all as if
that had been written down: a piece of any size ends as one letter after the other would.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from letterdesk.events.record import record as tell
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes import rows
from letterdesk.mailboxes.models import Conversation, Mailbox, Message
from letterdesk.mailboxes.retention.receipts import lock
from letterdesk.plans import limits

from ..models import Activity, InText, Kind, MailboxSaving, Reason, Thread
from .cards import note_cards
from .decide import Bind, WhyNot, decide, direction
from .earlier import Earlier, earlier_of, late, leave_earlier
from .ground import Grounds, grounds_of, know_threads, linked_as
from .identity import people_of
from .in_text import taken_from, told_of
from .keep import ToKeep, keep
from .make import Maker, maker_of
from .threads import age_of, merge, remember_keys

MOST_TOLD = 50
GO_ALONG = {WhyNot.INTERNAL, WhyNot.NOBODY}  # nothing else is kept of them


def hold(mailbox: Mailbox) -> None:
    """Until the commit no plan begins or ends (R28), nobody else links in the account, no letter of it goes."""
    limits.hold_still(mailbox.account)
    lock(mailbox.account_id)
    Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)


def look(saving: MailboxSaving, letters: Sequence[Message], *, now: datetime, with_earlier: bool = True) -> int:
    """Decide about letters of the mailbox with these settings; returns how many were saved.

    `with_earlier`: those that came before in their conversations go along; else they are looked at by themselves.
    """
    mailbox = saving.mailbox
    grounds = grounds_of(mailbox, letters, saving=saving, now=now)
    there = _there(mailbox.account_id, grounds.identities.values())
    new = {grounds.identities[each.pk]: each for each in letters if grounds.identities[each.pk] not in there}
    told = told_of(mailbox.account_id, new)
    for identity, records in taken_from(told).items():
        grounds.unlinked[identity] |= records
    maker = maker_of(saving, grounds, now=now)
    piece = _Piece(mailbox, letters, grounds, maker, told, there, saving.considered, with_earlier)
    piece.know_threads([*there.values(), *(_of(row.activity) for row in told.values())])
    for letter in letters:
        piece.look_at(letter)
    _write(piece, now)
    return piece.saved


@dataclass(frozen=True, slots=True)
class _There:
    """An activity: in which thread, and of when, as it will be written down."""

    thread: int
    received_at: datetime
    in_bin: bool
    went_along: bool = False  # into the bin with its last record


@dataclass(slots=True)
class _Piece:
    """Some letters of one mailbox, and what comes of them."""

    mailbox: Mailbox
    letters: Sequence[Message]
    grounds: Grounds
    maker: Maker
    told: dict[str, InText]  # letters of which the text of a forward has told, by identity
    there: dict[str, _There]  # what is an activity already, by identity
    considered: int  # the key of the last letter that was looked at before
    with_earlier: bool
    passed: list[Message] = field(default_factory=list)  # looked at, and not kept
    earlier: Earlier | None = None
    saved: int = 0
    kept: list[ToKeep] = field(default_factory=list)
    talks: list[int] = field(default_factory=list)  # conversations of new threads: these are called minus their number
    became: dict[int, int] = field(default_factory=dict)  # threads that turned out to be older ones

    def know_threads(self, activities: Iterable[_There]) -> None:
        """Ask for what stands in the threads of these."""
        stored = {each.thread for each in activities if each.thread > 0}
        know_threads(self.grounds, self.mailbox.account_id, stored)

    def look_at(self, letter: Message) -> None:
        """Decide about one letter."""
        while (found := self.grounds.threads.that_meet(letter.conversation_id)) is not None:
            self._merge(*found)
        identity = self.grounds.identities[letter.pk]
        there, text = self.there.get(identity), self.told.get(identity)
        if there.in_bin if there else text is not None and text.activity.deleted_at is not None:
            self._keep(letter, ())  # joins it, and a person's deletion stands
            return
        verdict = decide(self.grounds.seen(letter), self.grounds.around(letter))
        bindings = verdict.bindings
        if verdict.new and there is None and text is None:  # else what is to be made has been
            bindings += self.maker.make(letter, verdict.new)
        if bindings or there is not None:
            self._keep(letter, bindings)
        elif verdict.why_not not in GO_ALONG or not self._go_along(letter):
            self.passed.append(letter)
            if self.earlier is not None:
                self._may_follow(self.earlier, letter)

    def _go_along(self, letter: Message) -> bool:
        """With the next letter of its conversation, which was linked before this one came."""
        found = late(letter, self.grounds)
        if found is None:
            return False
        following, bindings = found
        grounds, identity = self.grounds, self.grounds.identities[letter.pk]
        way = direction(grounds.people[letter.pk], grounds.roles.get(letter.pk, frozenset()), grounds.ours)
        thread = self._thread(identity, following.thread) or following.thread
        self._enter(ToKeep(letter, thread, way, bindings, identity))
        return True

    def _keep(self, letter: Message, bindings: tuple[Bind, ...]) -> None:
        grounds, identity = self.grounds, self.grounds.identities[letter.pk]
        thread = self._thread(identity, grounds.thread(letter)) or self._new_thread(letter)
        way = direction(grounds.people[letter.pk], grounds.roles.get(letter.pk, frozenset()), grounds.ours)
        kept = ToKeep(letter, thread, way, bindings, identity)
        self.saved += 1
        self._enter(kept)
        if bindings and self.with_earlier:
            for each in self._earlier().along_with(kept, away=grounds.unlinked_threads.get(thread, ())):
                self._enter(replace(each, thread=self._thread(each.identity, each.thread) or each.thread))

    def _enter(self, kept: ToKeep) -> None:
        """It will be written down so; those that are looked at after it find that."""
        letter, there, text = kept.letter, self.there.get(kept.identity), self.told.get(kept.identity)
        at = there.received_at if there else letter.received_at
        is_binned = there.in_bin if there else text is not None and text.activity.deleted_at is not None
        is_binned = is_binned and not kept.bindings
        went_along = bool(there and there.went_along)
        self.there[kept.identity] = _There(kept.thread, min(at, letter.received_at), is_binned, went_along)
        people = self.grounds.people.get(letter.pk) or people_of(letter)
        outside = () if there else people.outside(self.grounds.ours)  # it says what its first copy says
        self.grounds.threads.join(letter.conversation_id, kept.thread, outside)
        self.grounds.stand(kept.thread, [bind.record for bind in kept.bindings], at=at)
        self.grounds.threads.here[letter.conversation_id].add(kept.identity)
        if own := [bind.record for bind in kept.bindings if bind.reason != Reason.HISTORY]:
            linked_as(self.grounds, kept.identity, letter, kept.thread).records.update(own)
        if kept.identity in self.grounds.linked:
            self.grounds.linked[kept.identity].at = self.there[kept.identity].received_at
        self.kept.append(kept)
        if self.earlier is not None:
            self.earlier.forget(letter)

    def _earlier(self) -> Earlier:
        """The letters that may go along with those of the piece, which were not kept yet."""
        if self.earlier is None:
            self.earlier = earlier_of(
                self.mailbox,
                {each.conversation_id for each in self.letters},
                ours=self.grounds.ours,
                without=[each.pk for each in self.letters],
                up_to=self.considered,
                told=self.told,
            )
            for letter in self.passed:
                self._may_follow(self.earlier, letter)
            self.told |= self.earlier.told
            self.there = {key: _of(each) for key, each in self.earlier.there.items()} | self.there
            self.know_threads([*self.there.values(), *(_of(row.activity) for row in self.earlier.told.values())])
        return self.earlier

    def _may_follow(self, earlier: Earlier, letter: Message) -> None:
        if not letter.in_crm and letter.binned_at is None:
            identity, roles = self.grounds.identities[letter.pk], self.grounds.roles.get(letter.pk, frozenset())
            earlier.add(letter, roles=roles, identity=identity, taken=self._taken(identity))

    def _taken(self, identity: str) -> set[int | None]:
        """The records from which a person took it; None: out of CRM."""
        there, taken = self.there.get(identity), self.grounds.unlinked.get(identity, set())
        return {*taken, None} if there and there.in_bin and not there.went_along else taken

    def _thread(self, identity: str, found: int | None) -> int | None:
        """In which thread it stands: that of its activity, else `found`; what told of it stands there, too."""
        if identity in self.there:
            return self._now(self.there[identity].thread)
        if identity not in self.told:
            return found
        told = self._now(self.told[identity].activity.thread_id)
        if found is not None and found != told:
            first, other = sorted((found, told), key=age_of)
            self._merge(first, {other})
            return first
        return told

    def _new_thread(self, letter: Message) -> int:
        self.talks.append(letter.conversation_id)
        return -len(self.talks)

    def _merge(self, first: int, same: set[int]) -> None:
        """Threads turn out to be one."""
        merge(first, [each for each in same if each > 0])
        self.became |= dict.fromkeys(same, first)
        self.grounds.join(first, same)

    def _now(self, thread: int) -> int:
        while thread in self.became:
            thread = self.became[thread]
        return thread

    def with_threads(self) -> list[ToKeep]:
        """What is kept, its new threads stored."""
        new = {-number: talk for number, talk in enumerate(self.talks, 1) if -number not in self.became}
        subjects = dict(Conversation.objects.filter(pk__in=set(new.values())).values_list("pk", "subject"))
        account_id = self.mailbox.account_id
        threads = [rows.make(Thread, account_id=account_id, subject=subjects[talk]) for talk in new.values()]
        rows.insert_with_keys(threads, known_by="public_id")
        keys = {number: thread.pk for number, thread in zip(new, threads, strict=True)}
        now = [self._now(each.thread) for each in self.kept]
        return [replace(each, thread=keys.get(thread, thread)) for each, thread in zip(self.kept, now, strict=True)]


def _there(account_id: int, identities: Iterable[str]) -> dict[str, _There]:
    found = Activity.objects.filter(account=account_id, identity__in=set(identities))
    columns = ("identity", "thread", "received_at", "deleted_at", "went_along")
    return {each.identity: _of(each) for each in found.only(*columns)}


def _of(activity: Activity) -> _There:
    return _There(activity.thread_id, activity.received_at, activity.deleted_at is not None, activity.went_along)


def _write(piece: _Piece, now: datetime) -> None:
    mailbox = piece.mailbox
    piece.maker.queue.remember()
    kept = piece.with_threads()
    activities = keep(mailbox.account_id, kept, through=mailbox.address, now=now, told=piece.told)
    note_cards(mailbox, kept, activities, since=piece.grounds.webmail_since)
    threads: dict[int, int] = {}
    for each in kept:
        threads.setdefault(each.letter.conversation_id, each.thread)
    remember_keys(mailbox.account_id, threads, piece.grounds.threads.keys)
    if not piece.with_earlier:
        leave_earlier(mailbox, kept, up_to=piece.considered, now=now)
    if kept:
        _tell(piece, threads)
    reach("crm_link.written")


def _tell(piece: _Piece, threads: Mapping[int, int]) -> None:
    saved = Conversation.objects.filter(pk__in=list(threads)[:MOST_TOLD]).values_list("public_id", flat=True)
    made = piece.maker.made
    tell(
        "activity.saved",
        account=piece.mailbox.account,
        topic=piece.mailbox.topic,
        count=piece.saved,
        earlier=len(piece.kept) - piece.saved,
        leads=made[Kind.LEAD],
        contacts=made[Kind.CONTACT],
        deals=made[Kind.DEAL],
        conversations=list(saved),
    )
