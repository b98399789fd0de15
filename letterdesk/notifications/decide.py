"""Whether somebody is told of something, and when beside the page. Pure: no clock, no database.

The page is told at once, always. Quiet hours, a pause and being there hold pushes back; nothing is lost by that: what
is not seen by then is told together.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from .models import Digest, Kind, Level

PATIENCE = timedelta(seconds=5)  # what happens together is told together
GAP = timedelta(seconds=15)  # between two pushes to one person: four a minute at the most
LONGEST_WAIT = timedelta(hours=1)  # between two tries where no push service takes anything
PRESENCE = timedelta(seconds=60)  # somebody who looks at a page sees it there
OF_MAIL = frozenset({Kind.LETTERS, Kind.ANSWER, Kind.ASSIGNED, Kind.DEPARTMENT, Kind.MENTION, Kind.COMMENT})
MINE = OF_MAIL - {Kind.LETTERS}
OF_NOBODY = frozenset(
    {Kind.LETTERS, Kind.ANSWER, Kind.DEPARTMENT, Kind.COMMENT}
)  # what calls nobody by name: mute holds


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened, as far as it matters for who is told."""

    kind: str
    is_own: bool = False  # the person did it
    is_muted: bool = False  # the person has muted its conversation
    is_bulk: bool = False  # a newsletter, or written by a machine
    is_history: bool = False  # it lay there before we looked (R13)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What one person wants. Times of `quiet` are of their day; both the same: the whole day."""

    zone: tzinfo
    tells_bulk: bool = False
    quiet: tuple[time, time] | None = None
    paused_until: datetime | None = None
    present_at: datetime | None = None
    pushed_at: datetime | None = None


def is_told(happening: Happening, level: str, *, tells_bulk: bool) -> bool:
    """Whether somebody with this level for the mailbox is told. What is not of mail is always told."""
    if happening.is_own or happening.is_history:
        return False
    if happening.is_muted and happening.kind in OF_NOBODY:
        return False
    if happening.kind not in OF_MAIL:
        return True
    if happening.is_bulk and (happening.kind != Kind.LETTERS or not tells_bulk):
        return False  # a machine's answer is no answer
    return level == Level.ALL or (level == Level.MINE and happening.kind in MINE)


def push_at(earliest: datetime, wishes: Wishes) -> datetime:
    """From when on, not before `earliest`, a push may go to this person."""
    at = earliest
    if wishes.pushed_at is not None:
        at = max(at, wishes.pushed_at + GAP)
    if wishes.present_at is not None:
        at = max(at, wishes.present_at + PRESENCE)
    if wishes.paused_until is not None:
        at = max(at, wishes.paused_until)
    return quiet_ends(at, wishes)


def try_again_at(now: datetime, failures: int) -> datetime:
    """When to try again what no browser took. `failures`: in a row, of the one that failed least."""
    return now + min(GAP * (1 << min(failures, 10)), LONGEST_WAIT)


def quiet_ends(at: datetime, wishes: Wishes) -> datetime:
    """`at`, or the end of the quiet hours in which it lies; by the clock on the person's wall, also when that jumps."""
    if wishes.quiet is None:
        return at
    begin, end = wishes.quiet
    local = at.astimezone(wishes.zone)
    hour, day = local.time(), local.date()
    if begin < end:
        is_quiet, ends_on = begin <= hour < end, day
    else:
        is_quiet = hour >= begin or hour < end
        ends_on = day + timedelta(days=1) if hour >= begin else day
    ends = datetime.combine(ends_on, end, wishes.zone)
    # Where the clock shows that time twice, the later one; where it skips it, as far behind the jump.
    return max(ends.replace(fold=fold).astimezone(at.tzinfo) for fold in (0, 1)) if is_quiet else at


def next_digest(digest: str, hour: int, *, zone: tzinfo, after: datetime) -> datetime | None:
    """When the next digest is due: at the full hour, or at that hour of the person's day. None: never."""
    if digest == Digest.HOURLY:
        return after.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if digest != Digest.DAILY:
        return None
    local = after.astimezone(zone)
    due = datetime.combine(local.date(), time(hour), zone)
    if due <= local:
        due = datetime.combine(local.date() + timedelta(days=1), time(hour), zone)
    return due.astimezone(after.tzinfo)
