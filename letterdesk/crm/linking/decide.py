"""What becomes of a letter at CRM, as a pure function: where it stands and why, what is made of it, or why nothing.

Data comes in frozen, a verdict goes out; the shell (`link.py`) gathers the one and carries out the other. The same
question is asked live for any letter that people look at (`why.py`), so what the page says is what was done.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ..models.activities import Direction, Reason
from ..models.records import Kind
from ..models.settings import Returning, Unknown
from .identity import People, is_address

ROBOTS = frozenset({"mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply", "bounce"})
ASIDE = ("spam", "trash", "drafts")  # folders whose letters CRM does not save by itself


class WhyNot(StrEnum):
    """Why a letter is not saved by itself; `words.py` says it to people."""

    BINNED = "binned"
    GONE = "gone"
    NO_WEBMAIL = "no_webmail"
    SPAM = "spam"
    TRASH = "trash"
    DRAFTS = "drafts"
    UNLINKED = "unlinked"
    NOBODY = "nobody"
    INTERNAL = "internal"
    EXCLUDED = "excluded"
    BULK = "bulk"
    AUTOMATIC = "automatic"
    KNOWN_OFF = "known_off"
    UNKNOWN_OFF = "unknown_off"
    HISTORY = "history"
    BEFORE_UPGRADE = "before_upgrade"
    IN_CRM_BIN = "in_crm_bin"


@dataclass(frozen=True, slots=True)
class Seen:
    """The facts of a letter. `roles`: of the folders in which it is shown; `is_held` ones are read in a task.

    `is_written`: a person wrote it in CRM, at the record `written_at`; None: which is gone for good.
    """

    people: People
    roles: frozenset[str]
    received_at: datetime
    is_bulk: bool = False
    is_automatic: bool = False
    is_history: bool = False
    is_binned: bool = False
    is_written: bool = False
    written_at: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A record that an address or a conversation leads to. `is_open`: a lead or deal without an outcome."""

    pk: int
    kind: str
    company: int | None = None
    contact: int | None = None
    is_open: bool = True
    is_binned: bool = False
    active_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """What stands in CRM of the letter's conversation: who wrote in it, and at which records it stands."""

    people: frozenset[str]
    records: tuple[Known, ...]


@dataclass(frozen=True, slots=True)
class Saving:
    """What is saved of the mailbox."""

    known: bool = True
    incoming: str = Unknown.NOTHING
    outgoing: str = Unknown.NOTHING
    returning: str = Returning.NOTHING


@dataclass(frozen=True, slots=True)
class Said:
    """What people said about letters of an address: records where they belong, and where they do not."""

    here: tuple[Known, ...] = ()
    away: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Ground:
    """What is around a letter. `unlinked`: records from which a person took it or its conversation away.

    `webmail_since`: since when the account has had Webmail without a break, None: always.
    """

    ours: Collection[str]
    excluded: Collection[str] = frozenset()
    records: Mapping[str, tuple[Known, ...]] = field(default_factory=dict)
    deals: tuple[Known, ...] = ()
    conversation: Conversation | None = None
    said: Mapping[str, Said] = field(default_factory=dict)
    saving: Saving = Saving()
    unlinked: frozenset[int] = frozenset()
    is_unlinked: bool = False
    has_webmail: bool = True
    webmail_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bind:
    """The letter stands at this record, and why."""

    record: int
    reason: str
    matched: str = ""


@dataclass(frozen=True, slots=True)
class New:
    """What is made of a letter (a word of `Unknown`), for which address; of a returning client: for whom."""

    becomes: str
    address: str
    contact: int | None = None
    company: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a letter: it stands somewhere, something new is made of it, or `why_not` says why nothing."""

    bindings: tuple[Bind, ...] = ()
    new: New | None = None
    why_not: WhyNot | None = None


def decide(letter: Seen, ground: Ground) -> Verdict:
    """What becomes of the letter by itself."""
    if never := _never(letter, ground):
        return Verdict(why_not=never)
    if letter.is_written and (bindings := written_at(letter.people, ground, letter.written_at)):
        return Verdict(bindings)
    return _by_its_people(letter, ground)


def _by_its_people(letter: Seen, ground: Ground) -> Verdict:
    answered = _answered(letter, ground)
    if not answered and (rather_not := _rather_not(letter, ground)):
        return Verdict(why_not=rather_not)
    known = _known(letter.people, ground)
    if not known and not answered:
        return _unknown(letter, ground)
    if not ground.saving.known:
        return Verdict(why_not=WhyNot.KNOWN_OFF)
    bindings = _once([*known, *_following(answered, known), *_deal(letter, ground, known, answered)], ground)
    if not bindings:
        return Verdict(why_not=WhyNot.UNLINKED)
    return Verdict(bindings, None if answered else _returning(letter, ground, bindings))


def written_at(people: People, ground: Ground, record: int | None) -> tuple[Bind, ...]:
    """Where a letter stands that a person wrote at a record: there, and at those to whom it went (R5)."""
    there = [Bind(record, Reason.WRITTEN)] if record is not None else []
    return _once([*there, *_known(people, ground)], ground)


def direction(people: People, roles: Collection[str], ours: Collection[str]) -> Direction:
    """Whether we wrote it: from one of our addresses, or out of a folder of sent letters."""
    return Direction.OUTGOING if people.sender in ours or "sent" in roles else Direction.INCOMING


def belongs(people: People, conversation: frozenset[str], ours: Collection[str]) -> bool:
    """Whether a letter that names a conversation takes part in it: a stranger who guessed an identifier does not (D11).

    One of its people outside of ours is in the conversation, or it is among us alone.
    """
    outside = people.outside(ours)
    return not outside or not conversation.isdisjoint(outside)


def _never(letter: Seen, ground: Ground) -> WhyNot | None:
    lying = letter.roles - {"all"}
    aside = [WhyNot(role) for role in ASIDE if role in lying] if lying and lying <= set(ASIDE) else []
    checks = (
        (WhyNot.BINNED, letter.is_binned),
        (WhyNot.NO_WEBMAIL, not ground.has_webmail),  # R28
        (WhyNot.GONE, not letter.roles),
        *((why, True) for why in aside),
        (WhyNot.UNLINKED, ground.is_unlinked),
        (WhyNot.NOBODY, not letter.people.all),
        (WhyNot.INTERNAL, not letter.people.outside(ground.ours)),
    )
    return next((why for why, holds in checks if holds), None)


def _rather_not(letter: Seen, ground: Ground) -> WhyNot | None:
    """What a conversation that stands here overrules: replies in it are kept."""
    outside = letter.people.outside(ground.ours)
    from_outside = letter.people.sender in outside
    counterparts = {letter.people.sender} if from_outside else set(outside)
    if counterparts <= set(ground.excluded):
        return WhyNot.EXCLUDED
    if letter.is_bulk:
        return WhyNot.BULK
    return WhyNot.AUTOMATIC if letter.is_automatic else None


def _answered(letter: Seen, ground: Ground) -> tuple[Known, ...]:
    """The records of the conversation that the letter takes part in."""
    talk = ground.conversation
    if talk is None or not belongs(letter.people, talk.people, ground.ours):
        return ()
    return tuple(record for record in talk.records if not record.is_binned and record.pk not in ground.unlinked)


def _known(people: People, ground: Ground) -> list[Bind]:
    """Records with an address of the letter, the companies of its contacts, and where people said that it belongs."""
    found = []
    for address in people.outside(ground.ours):
        if address in ground.excluded:
            continue
        said = ground.said.get(address, Said())
        records = [record for record in ground.records.get(address, ()) if not record.is_binned]
        settled = [record for record in records if record.kind != Kind.LEAD or record.is_open]
        for record in settled or records:  # a lead that has ended only where nothing else is known
            found.append(Bind(record.pk, Reason.ADDRESS, address))
            if record.kind == Kind.CONTACT and record.company is not None:
                found.append(Bind(record.company, Reason.ADDRESS, address))
        found = [bind for bind in found if bind.matched != address or bind.record not in said.away]
        found += [Bind(record.pk, Reason.SAID, address) for record in said.here if _still_wanted(record)]
    return found


def _still_wanted(record: Known) -> bool:
    """What a person said of an address holds as long as the record is there, and a lead or deal without an outcome."""
    return not record.is_binned and (record.is_open or record.kind not in {Kind.LEAD, Kind.DEAL})


def _following(answered: tuple[Known, ...], known: list[Bind]) -> list[Bind]:
    """A reply goes where its conversation stands: to deals and open leads; to the people where nobody is known."""
    work = [record for record in answered if record.kind == Kind.DEAL or (record.kind == Kind.LEAD and record.is_open)]
    people = [] if known else [record for record in answered if record not in work]
    return [Bind(record.pk, Reason.REPLY) for record in (*work, *people)]


def _deal(letter: Seen, ground: Ground, known: list[Bind], answered: tuple[Known, ...]) -> list[Bind]:
    """What is no reply goes to the client's open deal that was active last; not what lay there before we looked."""
    if letter.is_history or any(record.kind == Kind.DEAL for record in answered):
        return []
    if any(deal.pk in ground.unlinked for deal in ground.deals):  # a person said that it is not about a deal
        return []
    if any(bind.record in _said_deals(ground) for bind in known):  # a person said about which one it is
        return []
    clients = {bind.record: bind.matched for bind in reversed(known)}
    away = {pk for address in letter.people.outside(ground.ours) for pk in ground.said.get(address, Said()).away}
    mine = [deal for deal in ground.deals if deal.is_open and deal.pk not in away]
    theirs = [deal for deal in mine if not {deal.contact, deal.company}.isdisjoint(clients)]
    if not theirs:
        return []
    latest = max(theirs, key=lambda deal: (deal.active_at or letter.received_at, deal.pk))
    matched = clients.get(latest.contact or 0) or clients.get(latest.company or 0, "")
    return [Bind(latest.pk, Reason.DEAL, matched)]


def _said_deals(ground: Ground) -> set[int]:
    return {record.pk for said in ground.said.values() for record in said.here if record.kind == Kind.DEAL}


def _returning(letter: Seen, ground: Ground, bindings: tuple[Bind, ...]) -> New | None:
    """A known client writes anew who has nothing open: what the mailbox makes of that; None: nothing."""
    sender, wanted = letter.people.sender, ground.saving.returning
    theirs = [record for record in ground.records.get(sender, ()) if not record.is_binned]
    said = [record for each in ground.said.values() for record in each.here]
    work = {each.pk for each in (*theirs, *ground.deals, *said) if each.kind in {Kind.LEAD, Kind.DEAL} and each.is_open}
    nothing = (
        wanted == Returning.NOTHING,
        not theirs or sender in ground.excluded or bool(ground.unlinked),
        direction(letter.people, letter.roles, ground.ours) == Direction.OUTGOING,
        _acts_on_nothing(letter, ground) is not None,
        _is_robot(sender) or not is_address(sender),
        any(bind.record in work for bind in bindings),
    )
    if any(nothing):
        return None
    contact = min((record.pk for record in theirs if record.kind == Kind.CONTACT), default=None)
    of_contacts = (record.company for record in theirs if record.pk == contact)
    company = next(of_contacts, None) or min((each.pk for each in theirs if each.kind == Kind.COMPANY), default=None)
    becomes = wanted if contact or company else Returning.LEAD  # a deal is somebody's
    return New(becomes, sender, contact, company)


def _acts_on_nothing(letter: Seen, ground: Ground) -> WhyNot | None:
    """Why nothing is ever made of such a letter (R13, R28); None: it may be."""
    if letter.is_history:
        return WhyNot.HISTORY
    since = ground.webmail_since
    return WhyNot.BEFORE_UPGRADE if since is not None and letter.received_at < since else None


def _is_robot(address: str) -> bool:
    return address.partition("@")[0] in ROBOTS


def _once(bindings: list[Bind], ground: Ground) -> tuple[Bind, ...]:
    found: dict[int, Bind] = {}
    for bind in bindings:
        if bind.record not in ground.unlinked:
            found.setdefault(bind.record, bind)
    return tuple(found.values())


def _unknown(letter: Seen, ground: Ground) -> Verdict:
    """Nobody knows its people: what the mailbox makes of the sender, or of the first to whom we wrote."""
    outgoing = direction(letter.people, letter.roles, ground.ours) == Direction.OUTGOING
    address = _counterpart(letter, ground, outgoing=outgoing)
    wanted = ground.saving.outgoing if outgoing else ground.saving.incoming
    known = ground.records.get(address, ())
    if any(not record.is_binned for record in known):  # people said that it belongs to none of them
        return Verdict(why_not=WhyNot.UNLINKED)
    if not address or wanted == Unknown.NOTHING:  # most letters: nothing else is asked of them
        return Verdict(why_not=WhyNot.UNKNOWN_OFF)
    never = _acts_on_nothing(letter, ground)
    checks = (
        (WhyNot.NOBODY, not is_address(address)),
        (never, never is not None),
        (WhyNot.AUTOMATIC, _is_robot(address)),
        (WhyNot.IN_CRM_BIN, bool(known)),  # all lie in the bin: somebody did not want them
    )
    why_not = next((why for why, holds in checks if holds), None)
    return Verdict(why_not=why_not) if why_not else Verdict(new=New(wanted, address))


def _counterpart(letter: Seen, ground: Ground, *, outgoing: bool) -> str:
    """Ours that lies in no folder of sent letters may be forged: nobody is made a lead for that."""
    if not outgoing:
        return letter.people.sender
    if "sent" not in letter.roles:
        return ""
    outside = (address for address in letter.people.to if address not in ground.ours)
    return next((address for address in outside if address not in ground.excluded), "")
