"""Some letters of one mailbox, looked at together: decided about one after the other, then written down at once.

Inside the caller's transaction, which holds the plan, the account and the mailbox, in this order (`hold`): nothing that
is decided upon changes before the commit, one address makes one lead however many letters and mailboxes there are, and
no letter goes while its bytes are taken over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from letterdesk.events.record import record as tell
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes import rows
from letterdesk.mailboxes.models import Conversation, Mailbox, Message
from letterdesk.mailboxes.retention.receipts import lock
from letterdesk.plans import limits

from ..models import Activity, InText, Kind, MailboxSaving, Thread
from .cards import note_cards
from .decide import Bind, decide, direction
from .earlier import leave_earlier, take_earlier
from .ground import Grounds, enter, grounds_of
from .in_text import taken_from, told_of
from .keep import ToKeep, keep
from .make import Maker, maker_of
from .threads import merge, remember_keys

MOST_TOLD = 50


def hold(mailbox: Mailbox) -> None:
    """Until the commit no plan begins or ends (R28), nobody else links in the account, no letter of it goes."""
    limits.hold_still(mailbox.account)
    lock(mailbox.account_id)
    Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)


@dataclass(slots=True)
class _Piece:
    """Some letters of one mailbox, and what comes of them."""

    mailbox: Mailbox
    grounds: Grounds
    maker: Maker
    now: datetime
    told: dict[str, InText]  # letters of which the text of a forward has told, by identity
    kept: list[ToKeep] = field(default_factory=list)
    talks: list[int] = field(default_factory=list)  # conversations of new threads: these are called minus their number

    def look_at(self, letter: Message, *, in_bin: bool | None) -> None:
        """Decide about one letter. `in_bin`: whether its activity lies there; None: it has none yet."""
        if in_bin:
            self._keep(letter, ())  # joins it, and a person's deletion stands
            return
        verdict = decide(self.grounds.seen(letter), self.grounds.around(letter))
        bindings = verdict.bindings
        is_told = self.grounds.identities[letter.pk] in self.told  # a forward has made what is to be made
        if verdict.new and in_bin is None and not is_told:
            bindings += self.maker.make(letter, verdict.new)
        if bindings or in_bin is not None:
            self._keep(letter, bindings)

    def _keep(self, letter: Message, bindings: tuple[Bind, ...]) -> None:
        grounds = self.grounds
        people = grounds.people[letter.pk]
        thread = grounds.thread(letter) or self._new_thread(letter)
        grounds.threads.join(letter.conversation_id, thread, people.outside(grounds.ours))
        roles = grounds.roles.get(letter.pk, frozenset())
        way, known_as = direction(people, roles, grounds.ours), grounds.identities[letter.pk]
        self.kept.append(ToKeep(letter, thread, way, bindings, known_as))
        standing = {bind.record for bind in bindings}
        known = [each for found in grounds.records.values() for each in found if each.pk in standing]
        enter(grounds, thread, [*known, *(deal for deal in grounds.deals if deal.pk in standing)])

    def _new_thread(self, letter: Message) -> int:
        self.talks.append(letter.conversation_id)
        return -len(self.talks)

    def with_threads(self) -> list[ToKeep]:
        """What is kept, its new threads stored."""
        subjects = dict(Conversation.objects.filter(pk__in=set(self.talks)).values_list("pk", "subject"))
        account_id = self.mailbox.account_id
        threads = [rows.make(Thread, account_id=account_id, subject=subjects[talk]) for talk in self.talks]
        rows.insert_with_keys(threads, known_by="public_id")
        keys = {-number: thread.pk for number, thread in enumerate(threads, 1)}
        return [replace(each, thread=keys.get(each.thread, each.thread)) for each in self.kept]


def look(saving: MailboxSaving, letters: Sequence[Message], *, now: datetime, with_earlier: bool = True) -> int:
    """Decide about letters of the mailbox with these settings; returns how many were saved.

    `with_earlier`: those that came before in their conversations go along; else they are looked at by themselves.
    """
    mailbox = saving.mailbox
    grounds = grounds_of(mailbox, letters, saving=saving, now=now)
    _join_threads(grounds)
    there = Activity.objects.filter(account=mailbox.account_id, identity__in=set(grounds.identities.values()))
    in_bin = {each.identity: each.deleted_at is not None for each in there.only("identity", "deleted_at")}
    new = {grounds.identities[each.pk]: each for each in letters if grounds.identities[each.pk] not in in_bin}
    told = told_of(mailbox.account_id, new)
    for identity, records in taken_from(told).items():
        grounds.unlinked[identity] |= records
        if None in records:
            in_bin[identity] = True
    piece = _Piece(mailbox, grounds, maker_of(saving, grounds, now=now), now, told)
    for letter in letters:
        piece.look_at(letter, in_bin=in_bin.get(grounds.identities[letter.pk]))
    _write(piece, with_earlier=with_earlier)
    return len(piece.kept)


def _write(piece: _Piece, *, with_earlier: bool) -> None:
    mailbox = piece.mailbox
    piece.maker.queue.remember()
    kept = piece.with_threads()
    activities = keep(mailbox.account_id, kept, through=mailbox.address, now=piece.now, told=piece.told)
    note_cards(mailbox, kept, activities, since=piece.grounds.webmail_since)
    threads = {each.letter.conversation_id: each.thread for each in kept}
    remember_keys(mailbox.account_id, threads, piece.grounds.threads.keys)
    earlier = 0
    if with_earlier:
        earlier = take_earlier(mailbox, kept, ours=piece.grounds.ours, now=piece.now)
    else:
        leave_earlier(mailbox, kept, now=piece.now)
    if activities or earlier:
        saved = list(threads)[:MOST_TOLD]
        told = Conversation.objects.filter(pk__in=saved).values_list("public_id", flat=True)
        tell(
            "activity.saved",
            account=mailbox.account,
            topic=mailbox.topic,
            count=len(activities),
            earlier=earlier,
            leads=piece.maker.made[Kind.LEAD],
            contacts=piece.maker.made[Kind.CONTACT],
            deals=piece.maker.made[Kind.DEAL],
            conversations=list(told),
        )
    reach("crm_link.written")


def _join_threads(grounds: Grounds) -> None:
    """A conversation that leads to several threads with people in common makes one of them, until there is none."""
    while (found := grounds.threads.that_meet()) is not None:
        merge(*found)
        grounds.join(*found)
