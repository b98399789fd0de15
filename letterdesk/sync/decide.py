"""What is to be done in a folder, from what we know and what the server says. Pure: no database, no network.

    ask(local, remote, rules)     what must still be learned from the server, or NOTHING
    decide(local, remote, now=…)  the steps, in the order in which they are to be carried out

New mail is found by UIDs, never by MODSEQ (A22), and comes before expunges, so that a letter that another program
moved is here already when it leaves its old folder. Nothing is concluded to be gone from an answer that contradicts
another (hard rule 4), and when very much seems gone, the brake holds (P5).
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from letterdesk.mail.imap import Flags
from letterdesk.mail.uidset import UidSet

MASS_COUNT = 50  # P5: more than so many letters, and
MASS_SHARE = 0.20  # more than this share of the folder
VALIDITY_CHANGES_AT_MOST = 5  # in a row, A04
WINDOW = 500  # letters whose flags are looked at in each pass where the server has no CONDSTORE (A23)
SMALL = 1000  # a folder of so many letters has all its flags looked at
SCAN_WITHOUT_MODSEQ = timedelta(hours=1)
SCAN_WITH_MODSEQ = timedelta(hours=24)
COMPARE = timedelta(hours=24)  # some old letters with what we hold (A05)


@dataclass(frozen=True, slots=True)
class Local:
    """What we hold of a folder, all under its current UIDVALIDITY."""

    uidvalidity: int | None = None  # None: never looked at
    uidnext: int = 1
    modseq: int = 0
    history_end: int = 0  # UIDs below lay there at the first look; 0: there was none yet
    known: UidSet = field(default_factory=UidSet)  # on the server, as last learned
    placed: UidSet = field(default_factory=UidSet)  # letters here, shown or hidden
    hidden: UidSet = field(default_factory=UidSet)  # of these: softly removed by the brake
    expired: UidSet = field(default_factory=UidSet)  # of these: hidden for so long that they are let go
    quarantined: UidSet = field(default_factory=UidSet)
    retry: UidSet = field(default_factory=UidSet)  # of these: to be tried again now
    left_out: UidSet = field(default_factory=UidSet)
    flags_checked_at: datetime | None = None
    compared_at: datetime | None = None
    vanish_suspected_at: datetime | None = None
    validity_changes: int = 0


@dataclass(frozen=True, slots=True)
class Remote:
    """What SELECT said, and the answers to what was asked after it (None: not asked)."""

    uidvalidity: int
    exists: int
    uidnext: int | None = None
    modseq: int | None = None
    resynced: bool = False  # `vanished` and `changed` are complete since local.modseq (RFC 7162 3.2.5)
    vanished: UidSet = field(default_factory=UidSet)
    changed: tuple[Flags, ...] = ()
    uids: UidSet | None = None  # UID SEARCH ALL
    arrived: UidSet | None = None  # UIDs from local.uidnext on
    too_old: UidSet | None = None  # of the pending ones, by INTERNALDATE


@dataclass(frozen=True, slots=True)
class Rules:
    """What is to be fetched: letters received after `cutoff` (R10, R21); None: all."""

    cutoff: datetime | None = None


class Ask(Enum):
    """What is still to be learned."""

    NOTHING = auto()
    ARRIVED = auto()
    ALL = auto()
    DATES = auto()


@dataclass(frozen=True, slots=True)
class Rebuild:
    """The folder has another UIDVALIDITY (or its first): match everything anew."""

    uidvalidity: int


@dataclass(frozen=True, slots=True)
class Stall:
    """Leave the folder alone, and say why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Learn:
    """Write down which UIDs the server has, and which of them are too old. `modseq` only at the first look.

    There, too: are the flags of all that is here known up to `modseq`? Not where letters lie here from before.
    """

    uids: UidSet
    uidnext: int
    too_old: UidSet
    modseq: int = 0
    history_end: int | None = None
    flags_known: bool = True


@dataclass(frozen=True, slots=True)
class Unhide:
    """What the brake had hidden is there again."""

    uids: UidSet


@dataclass(frozen=True, slots=True)
class FetchNew:
    """Letters that came after the folder was first looked at."""

    uids: UidSet


@dataclass(frozen=True, slots=True)
class FetchOld:
    """Letters that were there at the first look: fetched newest first, and nothing acts on them."""

    uids: UidSet


@dataclass(frozen=True, slots=True)
class FlagsTold:
    """SELECT told the changes itself (QRESYNC)."""

    flags: tuple[Flags, ...]


@dataclass(frozen=True, slots=True)
class FlagsChangedSince:
    """Ask for flags that changed after our mark (CONDSTORE)."""

    modseq: int
    uids: UidSet


@dataclass(frozen=True, slots=True)
class FlagsOf:
    """Ask for the flags of these letters; `everything`: that is the whole folder."""

    uids: UidSet
    everything: bool


@dataclass(frozen=True, slots=True)
class Compare:
    """Look at a few of these, chosen by chance: does the server still mean the same letters by these UIDs (A05)?"""

    uids: UidSet


@dataclass(frozen=True, slots=True)
class Expunged:
    """These UIDs are no longer on the server."""

    uids: UidSet


@dataclass(frozen=True, slots=True)
class Brake:
    """Very much seems gone: ask a fresh connection; the first time say so, a cycle later hide softly (P5)."""

    uids: UidSet
    hide: bool


@dataclass(frozen=True, slots=True)
class Calm:
    """The suspicion was unfounded, or is over."""


@dataclass(frozen=True, slots=True)
class LookAgain:
    """The server contradicts itself: conclude nothing, come back."""


Step = (
    Rebuild | Stall | Learn | Unhide | FetchNew | FetchOld | FlagsTold | FlagsChangedSince | FlagsOf
    | Compare | Expunged | Brake | Calm | LookAgain
)  # fmt: skip


def ask(local: Local, remote: Remote, rules: Rules) -> Ask:
    """What must still be asked before `decide` can say what to do."""
    if local.uidvalidity != remote.uidvalidity:
        return Ask.NOTHING
    if remote.uids is None:
        if not local.known and remote.exists:
            return Ask.ALL
        if remote.arrived is None and remote.uidnext != local.uidnext:
            return Ask.ARRIVED  # also where UIDNEXT is missing or goes down (A06)
        if len(on_server(local, remote)) != remote.exists:
            return Ask.ALL if remote.arrived is not None else Ask.ARRIVED
    if rules.cutoff is not None and remote.too_old is None and pending(local, remote):
        return Ask.DATES
    return Ask.NOTHING


def decide(local: Local, remote: Remote, *, now: datetime) -> list[Step]:
    """The steps that bring our copy in step with the server, in order. Empty: nothing is to be done."""
    if local.uidvalidity != remote.uidvalidity:
        return _other_validity(local, remote)
    return [
        *_learn(local, remote),
        *_unhide(local, remote),
        *_fetch(local, remote),
        *_flags(local, remote, now),
        *_gone(local, remote, now),
    ]


def on_server(local: Local, remote: Remote) -> UidSet:
    """All UIDs on the server, as far as was told."""
    if remote.uids is not None:
        return remote.uids
    return (local.known - remote.vanished) | (remote.arrived or UidSet())


def pending(local: Local, remote: Remote) -> UidSet:
    """What is on the server and neither here, nor in quarantine, nor left out."""
    settled = local.placed | (local.quarantined - local.retry) | local.left_out
    return on_server(local, remote) - settled


def is_mass(gone: int, of: int) -> bool:
    """Whether so many letters gone of so many make the brake hold (P5)."""
    return gone > MASS_COUNT and gone > MASS_SHARE * of


def _other_validity(local: Local, remote: Remote) -> list[Step]:
    if local.validity_changes >= VALIDITY_CHANGES_AT_MOST:  # A04
        return [Stall(f"The server gave this folder a new identity {local.validity_changes} times in a row.")]
    return [Rebuild(remote.uidvalidity)]


def _learn(local: Local, remote: Remote) -> list[Step]:
    server = on_server(local, remote)
    too_old = remote.too_old or UidSet()
    after = server.max() + 1 if server else 1
    uidnext = max(local.uidnext, after, remote.uidnext or 1)
    if _is_first_look(local):
        known = not local.placed & server  # hard rule 5: else the mark moves when their flags were taken
        modseq = remote.modseq or 0 if known else 0
        return [Learn(server, uidnext, too_old, modseq=modseq, history_end=after, flags_known=known)]
    if server == local.known and uidnext == local.uidnext and not too_old:
        return []
    return [Learn(server, uidnext, too_old)]


def _is_first_look(local: Local) -> bool:
    return local.history_end == 0


def _unhide(local: Local, remote: Remote) -> list[Step]:
    back = local.hidden & on_server(local, remote)
    return [Unhide(back)] if back else []


def _fetch(local: Local, remote: Remote) -> list[Step]:
    wanted = pending(local, remote) - (remote.too_old or UidSet())
    new = UidSet() if _is_first_look(local) else wanted - _below(local.history_end)
    old = wanted - new
    return [*([FetchNew(new)] if new else []), *([FetchOld(old)] if old else [])]


def _below(uid: int) -> UidSet:
    return UidSet.of_ranges([(1, uid - 1)]) if uid > 1 else UidSet()


def _flags(local: Local, remote: Remote, now: datetime) -> list[Step]:
    here = local.placed & on_server(local, remote)
    if not here:
        return []
    return [*_compare(local, here, now), *_flags_of(local, remote, here, now)]


def _compare(local: Local, here: UidSet, now: datetime) -> list[Step]:
    is_due = local.compared_at is not None and now - local.compared_at >= COMPARE
    return [Compare(here)] if is_due else []


def _flags_of(local: Local, remote: Remote, here: UidSet, now: datetime) -> list[Step]:
    if remote.modseq is None or not local.modseq:
        return [_flags_without_modseq(local, here, now)]
    if remote.modseq < local.modseq or _is_due(local, now, SCAN_WITH_MODSEQ):  # A21: it goes down; A23
        return [FlagsOf(here, everything=True)]
    if remote.resynced:
        told = tuple(flags for flags in remote.changed if flags.uid in here)
        return [FlagsTold(told)] if told else []
    if remote.modseq != local.modseq:
        return [FlagsChangedSince(local.modseq, here)]
    return []


def _flags_without_modseq(local: Local, here: UidSet, now: datetime) -> FlagsOf:
    if len(here) <= SMALL or _is_due(local, now, SCAN_WITHOUT_MODSEQ):
        return FlagsOf(here, everything=True)
    return FlagsOf(next(here.newest_first(WINDOW)), everything=False)


def _is_due(local: Local, now: datetime, every: timedelta) -> bool:
    return local.flags_checked_at is None or now - local.flags_checked_at >= every


def _gone(local: Local, remote: Remote, now: datetime) -> list[Step]:
    server = on_server(local, remote)
    shown = local.placed - local.hidden
    gone = shown - server
    rest = (local.quarantined | local.expired) - server
    if (gone or rest) and not _agrees(remote):
        return [LookAgain()]
    if is_mass(len(gone), len(shown)):
        before = local.vanish_suspected_at
        return [Brake(gone, hide=before is not None and before < now)]
    steps: list[Step] = [Expunged(gone | rest)] if gone or rest else []
    return [*steps, Calm()] if local.vanish_suspected_at and not local.hidden - server else steps


def _agrees(remote: Remote) -> bool:
    """Whether UID SEARCH and the EXISTS of SELECT say the same. Where no search was needed, `ask` has compared."""
    if remote.uids is None:
        return True
    if remote.uidnext is None:
        return len(remote.uids) == remote.exists
    return len(remote.uids & _below(remote.uidnext)) == remote.exists


def with_answers(
    remote: Remote, *, uids: UidSet | None = None, arrived: UidSet | None = None, too_old: UidSet | None = None
) -> Remote:
    """The same, with what the server answered meanwhile."""
    return replace(
        remote,
        uids=remote.uids if uids is None else uids,
        arrived=remote.arrived if arrived is None else arrived,
        too_old=remote.too_old if too_old is None else too_old,
    )
