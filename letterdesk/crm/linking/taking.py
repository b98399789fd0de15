"""Takes one letter that lies in no mailbox of Webmail into CRM: the same decision, an activity, what is made (R30).

It came to a secret address (`sendsave/take.py`) or out of a mailbox polled for CRM alone (`polled/take.py`).
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record as tell
from letterdesk.intake.models import Arrived
from letterdesk.mail.addresses import address_key
from letterdesk.mailboxes.columns import clean
from letterdesk.mailboxes.models import Mailbox

from ..models import Activity, Direction, InText, Kind, PolledMailbox, Returning, SendSaveAddress, Thread, Unknown
from ..sendsave.meant import Meant, Way, Written
from . import in_text
from .cards import note, source_of
from .decide import Bind, Ground, New, Saving, Seen, WhyNot, decide, direction
from .ground import Grounds, grounds_beside
from .identity import identity_of, people_of
from .keep import ToKeep, keep_beside
from .make import Maker
from .threads import remember_keys, threads_of_ids
from .turns import Queue, queue_beside

SHOWN = 500  # characters of a letter that asks
MOST_NAMED = 5
UNKNOWN, UNPROVED = "unknown", "unproved"
ALONE: Any = SimpleNamespace(pk=0, conversation_id=0)  # the one letter of `grounds_beside`


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said about a letter that asked: who wrote it, or that it is as it stands; a lead is made of it."""

    by: Employee
    name: str = ""
    address: str = ""


@dataclass(slots=True)
class Taking:
    """One letter that came, and what comes of it. `at`: the secret address or polled mailbox, whose settings hold.

    `role`: of the folder of a polled mailbox in which it lay. Such a mailbox is trusted as one of Webmail is: unknown
    people become what is set, proved or not; only what it does not want is left out, not asked about.
    """

    row: Arrived
    at: SendSaveAddress | PolledMailbox
    now: datetime
    ours: frozenset[str]
    is_proved: bool
    forwarder: Employee | None
    said: Answer | None
    text: str  # of the letter, as far as a person needs it who is asked
    role: str = ""
    is_older: bool = False  # it lay in a polled mailbox before that was connected
    left: int = 0  # letters in it that were not kept
    activities: list[Activity] = field(default_factory=list)
    made: Counter[str] = field(default_factory=Counter)
    why: str = ""
    asks: bool = False

    def take(self, meant: Meant) -> None:
        """Keep one letter, or note why not."""
        people = people_of(meant.letter)
        threads = threads_of_ids(self.row.account_id, meant.letter.ids, ours=self.ours)
        role = self.role or ("sent" if meant.way == Way.COPY else "inbox")
        grounds = grounds_beside(
            self.row.account_id,
            people,
            role=role,
            identity=identity_of(meant.letter),
            threads=threads,
            saving=self._saving(),
        )
        if meant.within:
            known = in_text.there(self.row.account_id, meant.letter, threads=threads.of_conversation[0])
            if known is not None:
                self.activities.append(known)
                return
        told = self._told(meant, meant.letter)
        for identity, records in in_text.taken_from(told).items():
            grounds.unlinked[identity] |= records
        if any(row.activity.deleted_at for row in told.values()):
            self._keep(meant, (), grounds)  # joins it, and a person's deletion stands
            return
        verdict = decide(self._seen(meant, grounds), self._around(meant, grounds))
        bindings = verdict.bindings
        if verdict.new and not told:
            bindings += self._make(meant, verdict.new, grounds)
        if bindings:
            self._keep(meant, bindings, grounds)
        else:
            self._note(verdict.why_not or WhyNot.UNKNOWN_OFF)

    def _told(self, meant: Meant, letter: Written) -> dict[str, InText]:
        """The text of a forward that has told of this letter before, and made what is to be made."""
        is_sure = self.is_proved or bool(self.role)
        letters = {} if meant.within else {identity_of(letter): letter}
        return in_text.told_of(self.row.account_id, letters, is_sure=is_sure)

    def _saving(self) -> Saving:
        """What is made of unknown people: what is set, nothing of one who is not proved, a lead if one said so."""
        if not self.is_proved and not self.role:
            return Saving()
        lead = Unknown.LEAD.value
        incoming, outgoing = self.at.unknown_incoming, self.at.unknown_outgoing
        if self.said is not None:
            incoming = lead if incoming == Unknown.NOTHING else incoming
            outgoing = lead if outgoing == Unknown.NOTHING else outgoing
        returning = self.at.returning if isinstance(self.at, PolledMailbox) else Returning.NOTHING.value
        return Saving(incoming=incoming, outgoing=outgoing, returning=returning)

    def _seen(self, meant: Meant, grounds: Grounds) -> Seen:
        wanted = meant.way == Way.FORWARD or self.said is not None  # a person passed it on: no rule keeps it out
        return Seen(
            people=grounds.people[0],
            roles=grounds.roles[0],
            received_at=meant.letter.received_at,
            is_bulk=meant.letter.is_bulk and not wanted,
            is_automatic=meant.letter.is_automatic and not wanted,
            is_history=self.is_older and not wanted,
        )

    def _around(self, meant: Meant, grounds: Grounds) -> Ground:
        ground = grounds.around(ALONE)
        is_wanted = meant.way == Way.FORWARD or self.said is not None
        return replace(ground, excluded=frozenset()) if is_wanted else ground

    def _make(self, meant: Meant, new: New, grounds: Grounds) -> tuple[Bind, ...]:
        """What is set of unknown people: a lead, a contact, a deal, of whoever is responsible at this address."""
        queue = self._queue()
        if queue is None:
            return ()
        maker = Maker(grounds, queue, source_of(self.at), self.now, self.at.pipeline_id)
        letter: Any = meant.letter
        bindings = maker.make(letter, new)
        queue.remember()
        self.made += maker.made
        return bindings

    def _queue(self) -> Queue | None:
        """Who is responsible for what is made; None: there is nobody."""
        return queue_beside(self.at, self.now, by=self.said.by if self.said else None, forwarder=self.forwarder)

    def _through(self) -> str:
        """The address of the mailbox it came through; empty: a secret address, which is named nowhere."""
        return self.at.address if isinstance(self.at, PolledMailbox) else ""

    def _keep(self, meant: Meant, bindings: tuple[Bind, ...], grounds: Grounds) -> None:
        account_id = self.row.account_id
        thread = grounds.threads.for_letter(0, grounds.people[0].outside(grounds.ours))
        if thread is None:
            thread = Thread.objects.create(account_id=account_id, subject=meant.letter.subject).pk
        remember_keys(account_id, {0: thread}, grounds.threads.keys)
        way = direction(grounds.people[0], grounds.roles[0], grounds.ours)
        letter, there = self._apart(meant.letter, grounds.identities[0])
        wanted = [ToKeep(letter, thread, way, bindings)]
        by = self.said.by if self.said else None
        [activity] = keep_beside(
            account_id, wanted, through=self._through(), now=self.now, by=by, told=self._told(meant, letter)
        )
        if meant.within and not there:
            in_text.note(activity, letter)
        if self.is_proved and there:
            Activity.objects.filter(pk=activity.pk, is_unverified=True).update(is_unverified=False)
        elif not there:
            forwarder = self.forwarder if meant.way == Way.FORWARD else None
            marks = {"is_unverified": not self.is_proved, "forwarded_by": forwarder}
            Activity.objects.filter(pk=activity.pk).update(**marks)
        if way == Direction.INCOMING and self._reads_cards(letter):
            note(activity, self.at)
        self.activities.append(activity)

    def _reads_cards(self, letter: Written) -> bool:
        """Whether contacts are made of the visiting cards in it: as records are, not of who is not proved, nor of what
        is older."""
        makes = (self.is_proved or bool(self.role)) and (not self.is_older or self.said is not None)
        return letter.has_cards and self.at.reads_cards and makes

    def _apart(self, letter: Written, identity: str) -> tuple[Written, bool]:
        """The letter as it is kept, and whether it is there. What is proved never joins what anybody may have sent.

        An unproved letter of other bytes that names itself the same keeps its mark, and both are kept.
        """
        there = Activity.objects.filter(account=self.row.account_id, identity=identity).first()
        if there is None or not self.is_proved or not there.is_unverified or there.blob == letter.blob:
            return letter, there is not None
        return replace(letter, message_id=""), False  # its identity is its bytes then

    def _note(self, why_not: WhyNot) -> None:
        """Why it is not kept; what is only unknown asks a person."""
        self.left += 1
        if why_not == WhyNot.UNKNOWN_OFF and not self.role:
            self.asks, self.why = True, UNKNOWN if self.is_proved else UNPROVED
        elif not self.asks:
            self.why = why_not.value


def tell_saved(taking: Taking) -> None:
    """Somebody may look at CRM: there is something new."""
    if not taking.activities:
        return
    tell(
        "activity.saved",
        account=taking.at.account,
        count=len(taking.activities),
        earlier=0,
        leads=taking.made[Kind.LEAD],
        contacts=taking.made[Kind.CONTACT],
        deals=taking.made[Kind.DEAL],
        conversations=[],
    )


def colleague_with(account_id: int, address: str) -> Employee | None:
    """Whose address this is: a person's, or that of a mailbox of theirs."""
    key = address_key(address)
    person: Employee | None = Employee.objects.filter(account=account_id, email=key).working().first()
    if person is not None:
        return person
    mailboxes = Mailbox.objects.filter(account=account_id, address=key, owner__is_active=True)
    mailbox = mailboxes.select_related("owner__account").first()
    return mailbox.owner if mailbox else None


def facts_of(outer: Written, inner: Written | None, text: str) -> dict[str, str]:
    """What the list of letters that ask shows: as much as tells a person whose the letter is."""
    shown = inner or outer
    return {
        "subject": outer.subject[:300],
        "from_name": outer.from_name[:200],
        "from_address": outer.from_address[:320],
        "inner_name": shown.from_name[:200] if inner else "",
        "inner_address": shown.from_address[:320] if inner else "",
        "text": clean(text, SHOWN),
    }


def written_to(letter: Written, ours: Collection[str]) -> str:
    """To whom a letter was written who is none of us, as the list of letters that ask names them: five at most."""
    pairs = [pair for kind in ("to", "cc", "bcc") for pair in letter.recipients.get(kind, ())]
    outside = {address_key(address): (name, address) for name, address in pairs if address_key(address) not in ours}
    named = (f"{name} <{address}>" if name else address for name, address in list(outside.values())[:MOST_NAMED])
    return clean(", ".join(named), SHOWN)
