"""Takes what came to a secret address into CRM: activities, and leads where that is set (R30).

No plan, no trial, no period keeps anything out: exempt from R1, R2, R11, R12, R18 to R21 and R28. A sender who is not
proved makes nothing and is marked, until a person confirms it (D09). What nobody can tell, or nobody knows, asks a
person and is never lost.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from django.db import transaction

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record as tell
from letterdesk.intake.doors import Arrival, Door
from letterdesk.intake.models import Arrived, State
from letterdesk.intake.states import leave, mine
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.mail.addresses import address_key
from letterdesk.mail.authentic import Proof
from letterdesk.mail.charsets import decode
from letterdesk.mail.dates import zone_of
from letterdesk.mail.forwards import forwarded_in
from letterdesk.mail.headers import read_head
from letterdesk.mail.letters import Letter
from letterdesk.mail.parse import parse_many, read_body, read_part
from letterdesk.mailboxes import collect
from letterdesk.mailboxes.columns import clean
from letterdesk.mailboxes.models import Mailbox
from letterdesk.mailboxes.receipts import lock

from .decide import Bind, Ground, New, Saving, Seen, WhyNot, decide, direction
from .ground import Grounds, grounds_beside, ours_of
from .identity import identity_of, people_of
from .keep import ToKeep, keep_beside
from .make import Maker
from .meant import Meant, Unclear, Way, Written, from_whom, is_unread, meant_by, same_letter, written
from .models import Activity, Kind, SendSaveAddress, Thread, Unknown
from .secret import is_secret
from .sendsave import DOOR, find
from .threads import remember_keys, threads_of_ids
from .turns import Queue

SOURCE = "Send & Save"  # the name of the feature, the same in all languages
SHOWN = 500  # characters of a letter that asks
MOST_ATTACHED = 20  # letters attached to one
UNKNOWN, UNPROVED, REPORT, NO_ADDRESS, IN_PART = "unknown", "unproved", "report", "no_address", "in_part"
ALONE: Any = SimpleNamespace(pk=0, conversation_id=0)  # the one letter of `grounds_beside`
LETTERS = frozenset({"message/rfc822", "message/global"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said about a letter that asked: who wrote it, or that it is as it stands; a lead is made of it."""

    by: Employee
    name: str = ""
    address: str = ""


@dataclass(slots=True)
class _Taking:
    """One letter that came, and what comes of it."""

    row: Arrived
    address: SendSaveAddress
    now: datetime
    ours: frozenset[str]
    is_proved: bool
    forwarder: Employee | None
    said: Answer | None
    text: str  # of the letter, as far as a person needs it who is asked
    left: int = 0  # letters in it that were not kept
    activities: list[Activity] = field(default_factory=list)
    made: Counter[str] = field(default_factory=Counter)
    why: str = ""
    asks: bool = False

    def take(self, meant: Meant) -> None:
        """Keep one letter, or note why not."""
        people = people_of(meant.letter)
        threads = threads_of_ids(self.row.account_id, meant.letter.ids, ours=self.ours)
        role = "sent" if meant.way == Way.COPY else "inbox"
        grounds = grounds_beside(
            self.row.account_id,
            people,
            role=role,
            identity=identity_of(meant.letter),
            threads=threads,
            saving=self._saving(),
        )
        if meant.within and (there := _there(self.row.account_id, meant, threads.of_conversation[0])):
            self.activities.append(there)
            return
        verdict = decide(self._seen(meant, grounds), self._around(meant, grounds))
        bindings = verdict.bindings
        if verdict.new:
            bindings += self._make(meant, verdict.new, grounds)
        if bindings:
            self._keep(meant, bindings, grounds)
        else:
            self._note(verdict.why_not or WhyNot.UNKNOWN_OFF)

    def _saving(self) -> Saving:
        """What is made of unknown people: what is set, nothing of one who is not proved, a lead if one said so."""
        if not self.is_proved:
            return Saving()
        address, lead = self.address, Unknown.LEAD.value
        incoming, outgoing = address.unknown_incoming, address.unknown_outgoing
        if self.said is not None:
            incoming = lead if incoming == Unknown.NOTHING else incoming
            outgoing = lead if outgoing == Unknown.NOTHING else outgoing
        return Saving(incoming=incoming, outgoing=outgoing)

    def _seen(self, meant: Meant, grounds: Grounds) -> Seen:
        wanted = meant.way == Way.FORWARD or self.said is not None  # a person passed it on: no rule keeps it out
        return Seen(
            people=grounds.people[0],
            roles=grounds.roles[0],
            received_at=meant.letter.received_at,
            is_bulk=meant.letter.is_bulk and not wanted,
            is_automatic=meant.letter.is_automatic and not wanted,
        )

    def _around(self, meant: Meant, grounds: Grounds) -> Ground:
        ground = grounds.around(ALONE)
        is_wanted = meant.way == Way.FORWARD or self.said is not None
        return replace(ground, excluded=frozenset()) if is_wanted else ground

    def _make(self, meant: Meant, new: New, grounds: Grounds) -> tuple[Bind, ...]:
        """What is set of unknown people: a lead, a contact, a deal, of whoever is responsible at this address."""
        address = self.address
        people = (address.responsible, self.forwarder, address.employee, address.made_by)
        owner = next((each for each in people if each is not None and each.is_active), None)
        if owner is None:
            return ()
        maker = Maker(grounds, Queue(owner), address.came_from or SOURCE, self.now)
        letter: Any = meant.letter
        bindings = maker.make(letter, new)
        self.made += maker.made
        return bindings

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
        [activity] = keep_beside(account_id, wanted, through="", now=self.now, by=by)
        if self.is_proved and there:
            Activity.objects.filter(pk=activity.pk, is_unverified=True).update(is_unverified=False)
        elif not there:
            forwarder = self.forwarder if meant.way == Way.FORWARD else None
            marks = {"is_unverified": not self.is_proved, "forwarded_by": forwarder}
            Activity.objects.filter(pk=activity.pk).update(**marks)
        self.activities.append(activity)

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
        if why_not == WhyNot.UNKNOWN_OFF:
            self.asks, self.why = True, UNKNOWN if self.is_proved else UNPROVED
        elif not self.asks:
            self.why = why_not.value


def take(arrival: Arrival, now: datetime) -> None:
    """Decide about a letter that came (`intake.doors.Door.take`)."""
    _take(arrival.row, arrival.raw, arrival.letter, now=now, is_proved=arrival.evidence.proof == Proof.GIVEN)


def take_as_said(row: Arrived, said: Answer, *, now: datetime) -> list[Activity]:
    """Take a letter that asked, as a person says; returns its activities, none: somebody else was quicker."""
    raw = blobs.get(row.account_id, row.blob)
    [letter] = parse_many([raw])
    if not isinstance(letter, Letter):
        return []
    return _take(row, raw, letter, now=now, is_proved=True, said=said)


def _take(
    row: Arrived, raw: bytes, letter: Letter, *, now: datetime, is_proved: bool, said: Answer | None = None
) -> list[Activity]:
    outer = written(letter, blob=row.blob, size=row.size, received_at=row.arrived_at)
    attached, missed = _attached(row, raw, letter)
    bytes_of = {blob: content for _letter, blob, content in attached}
    if bytes_of:
        collect.announce(row.account_id, bytes_of, now=now)
        blobs.put(row.account_id, bytes_of)
    forwarded = forwarded_in(read_body(raw), zone_of(decode(read_head(raw).first("date"))))
    with transaction.atomic():
        lock(row.account_id)
        held = mine(row, *([State.ASKED, State.LEFT_OUT] if said else [State.WAITING]))
        address = SendSaveAddress.objects.filter(public_id=row.address).select_related("employee", "made_by").first()
        if held is None:
            return []
        if address is None:
            leave(row, State.LEFT_OUT, why=NO_ADDRESS, now=now)
            return []
        collect.hold(row.account_id, list(bytes_of), holder=row.holder, now=now)
        ours = ours_of(row.account_id)
        inner = [each for each, _blob, _content in attached]
        meant = meant_by(outer, ours=ours, is_secret=is_secret, attached=inner, forwarded=forwarded)
        if said is not None and said.address:
            meant = [from_whom(outer, said.name, said.address)]
        forwarder = said.by if said else (_colleague(row.account_id, outer.from_address) if is_proved else None)
        is_proved = is_proved and (forwarder is not None or address_key(outer.from_address) not in ours)  # who left
        taking = _Taking(row, address, now, ours, is_proved, forwarder, said, letter.text[:SHOWN])
        _carry_out(taking, outer, meant, missed + is_unread(forwarded, inner))
        reach("sendsave.before_commit")
        return taking.activities


def _carry_out(taking: _Taking, outer: Written, meant: Sequence[Meant] | Unclear, missed: int) -> None:
    row, now = taking.row, taking.now
    if not row.sender and taking.said is None:  # RFC 5321 4.5.5: a report, or a program's answer
        leave(row, State.LEFT_OUT, why=REPORT, now=now, facts=_facts(outer, None, taking.text))
        return
    if isinstance(meant, Unclear):
        leave(row, State.ASKED, why=meant.value, now=now, facts=_facts(outer, None, taking.text))
        return
    for each in meant:
        taking.take(each)
    _settle(taking, outer, meant, missed)
    if taking.activities:
        tell(
            "activity.saved",
            account=taking.address.account,
            count=len(taking.activities),
            earlier=0,
            leads=taking.made[Kind.LEAD],
            contacts=taking.made[Kind.CONTACT],
            deals=taking.made[Kind.DEAL],
            conversations=[],
        )


def _settle(taking: _Taking, outer: Written, meant: Sequence[Meant], missed: int) -> None:
    """What becomes of the letter that came: its bytes are let go where an activity has them, or all that it held."""
    row, now = taking.row, taking.now
    is_held = any(each.blob == row.blob for each in taking.activities)
    left = taking.left + (missed if meant[0].way == Way.FORWARD else 0)
    facts = _facts(outer, meant[0].letter, taking.text)
    if taking.asks and not is_held:
        leave(row, State.ASKED, why=taking.why, now=now, facts=facts)
    elif is_held or not left:
        leave(row, State.DONE, now=now)
    elif taking.activities or missed:
        leave(row, State.ASKED, why=IN_PART, now=now, facts=_facts(outer, None, taking.text) | {"left": left})
    else:
        leave(row, State.LEFT_OUT, why=taking.why, now=now, facts=facts)


def _attached(row: Arrived, raw: bytes, letter: Letter) -> tuple[list[tuple[Written, str, bytes]], int]:
    """The letters attached to this one that can be read, with their bytes, and how many there are besides."""
    parts = [part for part in letter.parts if part.content_type in LETTERS or part.filename.lower().endswith(".eml")]
    raws = [read_part(raw, part.index) for part in parts[:MOST_ATTACHED]]
    found = []
    for content, inner in zip(raws, parse_many(raws), strict=True):
        if isinstance(inner, Letter) and inner.sender and "@" in inner.sender.address:
            blob = blobs.hash_of(content)
            at = min(inner.sent_at or row.arrived_at, row.arrived_at)
            found.append((written(inner, blob=blob, size=len(content), received_at=at), blob, content))
    return found, len(parts) - len(found)


def _there(account_id: int, meant: Meant, threads: Sequence[int]) -> Activity | None:
    """The activity of the letter that a forward holds, where its program says which one that was."""
    if not threads:
        return None
    found = {each.public_id: each for each in Activity.objects.filter(account=account_id, thread__in=threads)}
    known = [(each.message_id, key, people_of(each)) for key, each in found.items() if each.deleted_at is None]
    return found.get(same_letter(meant, known))


def _colleague(account_id: int, address: str) -> Employee | None:
    """Whose address this is: a person's, or that of a mailbox of theirs."""
    key = address_key(address)
    person: Employee | None = Employee.objects.filter(account=account_id, email=key).working().first()
    if person is not None:
        return person
    mailboxes = Mailbox.objects.filter(account=account_id, address=key, owner__is_active=True)
    mailbox = mailboxes.select_related("owner__account").first()
    return mailbox.owner if mailbox else None


def _facts(outer: Written, inner: Written | None, text: str) -> dict[str, str]:
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


SENDSAVE: Door = Door(DOOR, find, take)
