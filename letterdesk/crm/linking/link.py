"""Letters of a mailbox are looked at, each once, and saved as `decide.py` says (R5, R28).

In pieces of one transaction each, which hold the plan, the account and the mailbox, in this order: nothing that is
decided upon changes before the commit, one address makes one lead however many letters and mailboxes there are, and
no letter goes while its bytes are taken over. The same letter in three mailboxes is one activity. What has an activity
already joins it, whatever else is so (R13). Keys of letters rise in the order of their commits, as `receive.store`
holds the mailbox; so `MailboxSaving.considered` is enough to know what was looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from letterdesk.events.record import record as tell
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes import rows
from letterdesk.mailboxes.models import Conversation, Mailbox, Message
from letterdesk.mailboxes.retention.receipts import lock
from letterdesk.plans import limits

from ..models import Activity, InText, Kind, MailboxSaving, Thread
from ..saving import saving_of
from .cards import note_cards
from .decide import Bind, decide, direction
from .earlier import take_earlier
from .ground import Grounds, enter, grounds_of
from .in_text import taken_from, told_of
from .keep import ToKeep, keep
from .make import Maker, maker_of
from .sift import next_of, sift
from .threads import merge, remember_keys

AT_ONCE = 500  # half of what a piece of 200 cost was its questions, which are as many for any number
MOST_TOLD = 50


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


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of a piece: how many letters were saved; whether more are waiting, as far as is known."""

    saved: int
    is_last: bool


def link_new(mailbox: Mailbox, *, now: datetime) -> int:
    """Look at all letters of the mailbox that were not looked at yet; returns how many were saved."""
    looked = link_piece(mailbox, now=now)
    saved = looked.saved
    while not looked.is_last:
        looked = link_piece(mailbox, now=now)
        saved += looked.saved
    return saved


def link_letters(mailbox: Mailbox, message_ids: Sequence[int], *, now: datetime) -> int:
    """Look at these letters of the mailbox once more, as if they lay there before: they make no lead (R28)."""
    saved = 0
    for start in range(0, len(message_ids), AT_ONCE):
        with transaction.atomic():
            _hold(mailbox)
            # By their keys: asked for the mailbox, too, SQLite would rather walk all of it.
            wanted = Message.objects.filter(pk__in=message_ids[start : start + AT_ONCE])
            letters = [letter for letter in wanted.order_by("pk") if letter.mailbox_id == mailbox.pk]
            for letter in letters:
                letter.is_history = True
            saved += _link(saving_of(mailbox), letters, now)
    return saved


@transaction.atomic
def link_piece(mailbox: Mailbox, *, now: datetime) -> Looked:
    """Look at some letters."""
    _hold(mailbox)
    saving, _ = MailboxSaving.objects.get_or_create(mailbox=mailbox, defaults={"account_id": mailbox.account_id})
    saving.mailbox = mailbox
    keys = next_of(saving, AT_ONCE)
    wanted = sift(saving, keys) if keys else []
    saved = _link(saving, list(Message.objects.filter(pk__in=wanted).order_by("pk")), now) if wanted else 0
    is_last = len(keys) < AT_ONCE
    considered = _up_to_now(saving) if is_last else keys[-1]
    if considered != saving.considered:
        MailboxSaving.objects.filter(pk=saving.pk).update(considered=considered)
    reach("crm_link.before_commit")
    return Looked(saved, is_last)


def _up_to_now(saving: MailboxSaving) -> int:
    """Later letters of this mailbox have greater keys than all that are there now, whosever they are."""
    return max(Message.objects.aggregate(newest=Max("pk"))["newest"] or 0, saving.considered)


def is_behind(mailbox: Mailbox) -> bool:
    """Whether letters of the mailbox wait; asked without holding anything: each batch of a sync wakes its own job."""
    return bool(next_of(saving_of(mailbox), 1))


def mailboxes_to_look_at() -> list[int]:
    """Keys of mailboxes with letters that were not looked at yet."""
    considered = MailboxSaving.objects.filter(mailbox=OuterRef("mailbox")).values("considered")
    letters = Message.objects.filter(mailbox=OuterRef("pk"))
    newer = letters.filter(pk__gt=Coalesce(Subquery(considered), Value(0)))
    waiting = Mailbox.objects.filter(Exists(newer), forgotten_at=None).order_by("pk")
    return list(waiting.values_list("pk", flat=True))


def _hold(mailbox: Mailbox) -> None:
    limits.hold_still(mailbox.account)  # R28: no plan begins or ends meanwhile
    lock(mailbox.account_id)
    Mailbox.objects.select_for_update(no_key=True).get(pk=mailbox.pk)


def _link(saving: MailboxSaving, letters: Sequence[Message], now: datetime) -> int:
    """Decide about letters one after the other, then write all down."""
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
    _write(piece)
    return len(piece.kept)


def _write(piece: _Piece) -> None:
    mailbox = piece.mailbox
    piece.maker.queue.remember()
    kept = piece.with_threads()
    activities = keep(mailbox.account_id, kept, through=mailbox.address, now=piece.now, told=piece.told)
    note_cards(mailbox, kept, activities, since=piece.grounds.webmail_since)
    threads = {each.letter.conversation_id: each.thread for each in kept}
    remember_keys(mailbox.account_id, threads, piece.grounds.threads.keys)
    earlier = take_earlier(mailbox, kept, ours=piece.grounds.ours, now=piece.now)
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
