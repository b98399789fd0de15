"""How long letters stay, as arithmetic: the plan's days, an account's own shorter ones, and the moments that follow.

A letter leaves when `now >= received_at + days × 24 h` (R19). Own times are never longer than the plan's; a mailbox may
have them, and its Sent and Drafts apart from the rest. A letter in several folders stays as long as the longest of
them says (docs/decisions/0008-own-times.md). Nothing here asks the database.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

DAY = timedelta(hours=24)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Period:
    """How many times 24 hours letters stay from their receipt; None: without end. An hour is 3,600 s, DST or not.

    From `turns_at` on it is `then` days: an own time that was chosen and waits for its day.
    """

    days: int | None
    then: int | None = None
    turns_at: datetime | None = None

    def days_at(self, now: datetime) -> int | None:
        """The days that hold at `now`."""
        return self.days if self.turns_at is None or now < self.turns_at else self.then

    def leaves_at(self, received_at: datetime) -> datetime | None:
        """The first moment at which a letter is no longer shown; None: never."""
        first = None if self.days is None else received_at + DAY * self.days  # R19
        if self.turns_at is None or (first is not None and first < self.turns_at):
            return first
        return None if self.then is None else max(received_at + DAY * self.then, self.turns_at)

    def is_over(self, received_at: datetime, now: datetime) -> bool:
        """Whether the period has ended at `now`."""
        cutoff = self.cutoff(now)
        return cutoff is not None and received_at <= cutoff

    def cutoff(self, now: datetime) -> datetime | None:
        """What was received at or before this is over; None: nothing is."""
        days = self.days_at(now)
        return None if days is None else now - DAY * days

    def gone_by(self, at: datetime) -> datetime | None:
        """What was received at or before this has left by `at`: `leaves_at` the other way round; None: nothing has."""
        cutoff = self.cutoff(at)
        if self.turns_at is None or self.days is None or at < self.turns_at:
            return cutoff
        before = self.turns_at - MICROSECOND - DAY * self.days
        return before if cutoff is None else max(before, cutoff)

    def in_folder(self, folder_id: int, mailbox_id: int) -> "Period":
        """The period of a folder: the same everywhere."""
        return self

    def in_folders(self, folder_ids: Iterable[int], mailbox_id: int) -> "Period":
        """The period of a letter that lies in these folders."""
        return self


@dataclass(frozen=True, slots=True)
class Part:
    """Letters of a mailbox with one period: those in these folders; None: those in all others."""

    folders: tuple[int, ...] | None
    period: Period


Moments = tuple[tuple[tuple[int, ...] | None, datetime | None], ...]  # (folders, cut-off); None: all others, never


@dataclass(frozen=True, slots=True)
class Cut:
    """Cut-offs that are not the same everywhere: `own` has those of mailboxes with times of their own.

    A mailbox's list holds (folders, cut-off), folders None being all others; those that stay longest come first.
    """

    base: datetime | None
    own: Mapping[int, Moments]
    is_of_one_mailbox: bool = False

    def of_mailbox(self, mailbox_id: int) -> "datetime | Cut | None":
        """As `Cutoff` for this mailbox alone: a moment where it has one time."""
        parts = self.own.get(mailbox_id)
        if parts is None:
            return self.base
        return parts[0][1] if len(parts) == 1 else Cut(parts[0][1], {mailbox_id: parts}, is_of_one_mailbox=True)

    @property
    def every(self) -> list[datetime | None]:
        """All its moments."""
        return [self.base, *(moment for parts in self.own.values() for _folders, moment in parts)]


Cutoff = datetime | Cut | None


def of_mailbox(cutoff: Cutoff, mailbox_id: int) -> Cutoff:
    """The cut-off that holds in this mailbox."""
    return cutoff.of_mailbox(mailbox_id) if isinstance(cutoff, Cut) else cutoff


def latest(cutoff: Cutoff) -> datetime | None:
    """What was received after this is not over, wherever it lies."""
    every = cutoff.every if isinstance(cutoff, Cut) else [cutoff]
    return max((moment for moment in every if moment is not None), default=None)


def earliest(cutoff: Cutoff) -> datetime | None:
    """What was received at or before this is over, wherever it lies; None: nothing is everywhere."""
    every = cutoff.every if isinstance(cutoff, Cut) else [cutoff]
    known = [moment for moment in every if moment is not None]
    return min(known) if len(known) == len(every) else None


@dataclass(frozen=True, slots=True)
class Periods:
    """The periods of an account: `base` is that of its plan and its own choice, `own` those of mailboxes apart."""

    base: Period
    own: Mapping[int, tuple[Part, ...]] = field(default_factory=dict)

    @property
    def days(self) -> int | None:
        """The days of mailboxes without a time of their own."""
        return self.base.days

    def parts(self, mailbox_id: int) -> tuple[Part, ...]:
        """The periods of a mailbox; the part without folders is for all that the others do not name."""
        return self.own.get(mailbox_id) or (Part(None, self.base),)

    def in_folder(self, folder_id: int, mailbox_id: int) -> Period:
        """The period of a folder."""
        parts = self.parts(mailbox_id)
        named = (part.period for part in parts if part.folders is not None and folder_id in part.folders)
        return next(named, None) or next(part.period for part in parts if part.folders is None)

    def in_folders(self, folder_ids: Iterable[int], mailbox_id: int) -> Period:
        """The period of a letter that lies in these folders: the longest of theirs."""
        periods = [self.in_folder(folder, mailbox_id) for folder in folder_ids]
        general = next(part.period for part in self.parts(mailbox_id) if part.folders is None)
        return max(periods, key=_length, default=general)

    def cutoff(self, now: datetime) -> Cutoff:
        """The cut-offs at `now`: one moment where no mailbox has own times."""
        if not self.own:
            return self.base.cutoff(now)
        own = {
            mailbox: tuple((part.folders, part.period.cutoff(now)) for part in longest_first(parts, now))
            for mailbox, parts in self.own.items()
        }
        return Cut(self.base.cutoff(now), own)


def longest(periods: Iterable[Period]) -> Period:
    """The one of these periods that keeps letters longest."""
    return max(periods, key=_length)


def longest_first(parts: Iterable[Part], now: datetime) -> Iterator[Part]:
    """The parts of a mailbox in the order of their days at `now`; without end comes first."""
    return iter(sorted(parts, key=lambda part: _length(part.period, now), reverse=True))


def _length(period: Period, now: datetime | None = None) -> float:
    days = period.days if now is None else period.days_at(now)
    return float("inf") if days is None else days


Kept = Period | Periods


@dataclass(frozen=True, slots=True)
class Own:
    """What was chosen for an account or a mailbox, in days; None: nothing was."""

    days: int | None = None
    sent: int | None = None
    drafts: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing: then it matches nothing (F22)."""
        return (self.days, self.sent, self.drafts) == (None, None, None)


def times(plan: int | None, account: Own, mailbox: Own) -> Own:
    """The days of a mailbox: what it says itself, else the account, never longer than the plan. Pure.

    Sent and Drafts: their own, else what the same hand chose for all letters, else the next one up.
    """
    days = _first(mailbox.days, account.days, plan)
    sent = _first(mailbox.sent, mailbox.days, account.sent, days)
    drafts = _first(mailbox.drafts, mailbox.days, account.drafts, days)
    return Own(shorter(plan, days), shorter(plan, sent), shorter(plan, drafts))


def shorter(one: int | None, other: int | None) -> int | None:
    """The smaller of two numbers of days; None is without end."""
    known: Collection[int] = [days for days in (one, other) if days is not None]
    return min(known, default=None)


def _first(*days: int | None) -> int | None:
    return next((each for each in days if each is not None), None)
