"""What becomes of a letter, and when: one arithmetic for the list, the storage line, the sync and the sweep.

Hidden is judged by the clock at every reading (R20); deletion is only the cleaning-up. A letter leaves when
`now >= received_at + days × 24 h` (R19), to the second, unless it is held (R4). Nothing here writes to a mail server.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, Min, Model, OuterRef, Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.accounts.models import Account

from ..models import Attachment, Folder, Hold, Listing, Mailbox, MailboxState, Message, Placement, Quarantined
from .holds import tell_legal
from .own_times import periods_of
from .periods import MICROSECOND, Cut, Cutoff, Moments, Period, Periods, earliest, latest, longest_first, shorter

SOON = timedelta(days=14)  # from here on the list shows the days that remain (ux.md 1.1)

Row = TypeVar("Row", bound=Model)


class Outcome(Enum):
    """What the end of the period does to a letter (R9)."""

    STAYS = "stays"  # not over yet, or held by a task or a person
    CRM_ONLY = "crm only"  # leaves Webmail; the activity keeps its copy (R7, R8)
    DELETED = "deleted"  # row, body and attachments


def outcome(*, received_at: datetime, is_held: bool, in_crm: bool, days: int | None, now: datetime) -> Outcome:
    """The table of R9 at `now`; `days` is the plan's period, None without end."""
    if is_held or not Period(days).is_over(received_at, now):
        return Outcome.STAYS
    return Outcome.CRM_ONLY if in_crm else Outcome.DELETED


def is_fetched(received_at: datetime, *, chosen_days: int | None, now: datetime) -> bool:
    """Whether the depth chosen at connecting reaches back to a letter, to the second (R21); None: everything."""
    return chosen_days is None or now < received_at + timedelta(hours=24 * chosen_days)


def kept_since(folder: Folder, now: datetime) -> datetime | None:
    """What was received after this is kept in a folder, by the plan and own times; None: everything is (R10)."""
    return periods_of(folder.account, now).in_folder(folder.pk, folder.mailbox_id).cutoff(now)


def fetched_after(mailbox: Mailbox, now: datetime) -> datetime | None:
    """Letters received after this moment are fetched: the chosen depth and what is kept both hold (R10, R21).

    None: everything is. Where folders keep letters for different times, the longest.
    """
    parts = periods_of(mailbox.account, now).parts(mailbox.pk)
    kept = next(longest_first(parts, now)).period.days_at(now)
    return Period(shorter(mailbox.fetch_days, kept)).cutoff(now)


_BIN: dict[type[Model], Q] = {Message: Q(binned_at=None), Attachment: Q(message__binned_at=None)}  # R29


@dataclass(frozen=True, slots=True)
class _Way:
    """How a row finds what it is judged by: its date, its hold, its mailbox and folder, its letter."""

    received: str
    held: str
    mailbox: str = ""  # empty: by its folder
    letter: str = ""


_WAYS: dict[type[Model], _Way] = {
    Message: _Way("received_at", "is_held", mailbox="mailbox", letter="pk"),
    Placement: _Way("received_at", "message__is_held"),
    Listing: _Way("newest_at", "is_held"),
    Attachment: _Way("message__received_at", "message__is_held", mailbox="message__mailbox", letter="message"),
    Quarantined: _Way("internal_date", ""),
}


def shown(rows: QuerySet[Row], cutoff: Cutoff) -> QuerySet[Row]:
    """Messages, placements, attachments or listings that the clock shows: received after the cut-off, or held (R20).

    Without what lies in a bin (R29): placements and listings leave that out by themselves.
    """
    found = rows.filter(_BIN[rows.model]) if rows.model in _BIN else rows
    return found if cutoff is None else found.filter(is_shown(rows.model, cutoff))


def is_shown(model: type[Model], cutoff: Cutoff) -> Q:
    """The condition of `shown`, for a query of one's own."""
    young = is_young(model, cutoff)
    return young | Q(**{_WAYS[model].held: True}) if young else young


def is_young(model: type[Model], cutoff: Cutoff) -> Q:
    """Whether a row was received after the cut-off of where it lies: one range where there is one cut-off."""
    received = _WAYS[model].received
    moment = earliest(cutoff)
    young = Q() if moment is None else Q(**{f"{received}__gt": moment})
    if not isinstance(cutoff, Cut):
        return young
    for where, end in _wheres(model, cutoff):
        if end is not None and end != moment:
            young &= ~(where & Q(**{f"{received}__lte": end}))
    return young


def is_over(model: type[Model], cutoff: Cutoff) -> Q:
    """Whether a row was received at or before the cut-off of where it lies; the other side of `is_young`."""
    moment = latest(cutoff)
    if moment is None:
        return Q(pk__in=[])
    old = Q(**{f"{_WAYS[model].received}__lte": moment})
    return old & ~is_young(model, cutoff) if isinstance(cutoff, Cut) else old


def _wheres(model: type[Model], cut: Cut) -> Iterator[tuple[Q, datetime | None]]:
    """The rows of each cut-off: mailboxes with one, parts of mailboxes with several, and all others."""
    if not cut.is_of_one_mailbox:
        yield ~_in_mailboxes(model, list(cut.own)), cut.base
    together: dict[datetime | None, list[int]] = {}
    for mailbox, parts in cut.own.items():
        if len(parts) == 1:
            together.setdefault(parts[0][1], []).append(mailbox)
        else:
            yield from _parts(model, mailbox, parts)
    for moment, mailboxes in together.items():
        yield _in_mailboxes(model, mailboxes), moment


def _parts(model: type[Model], mailbox: int, parts: Moments) -> Iterator[tuple[Q, datetime | None]]:
    named = [folder for folders, _moment in parts for folder in folders or ()]
    here, letter, longer = _in_mailboxes(model, [mailbox]), _WAYS[model].letter, Q()
    for folders, moment in parts:
        if not letter:
            yield (Q(folder__in=folders) if folders is not None else here & ~Q(folder__in=named)), moment
            continue
        lies = _lies(letter, folders, named)
        yield here & lies & longer, moment  # where it lies in several, the longest holds
        longer &= ~lies


def _lies(letter: str, folders: tuple[int, ...] | None, named: list[int]) -> Q:
    """Whether a letter lies in these folders; None: in one that is not named, or in none any more."""
    places = Placement.objects.shown().filter(message=OuterRef(letter))
    if folders is not None:
        return Q(Exists(places.filter(folder__in=folders)))
    return Q(Exists(places.exclude(folder__in=named))) | ~Q(Exists(places))


def letters_by_period(periods: Periods, mailbox_id: int, now: datetime) -> list[tuple[Period, Q]]:
    """The periods that letters of a mailbox have, with the condition for each; a condition without end is empty."""
    parts = list(longest_first(periods.parts(mailbox_id), now))
    if len(parts) == 1:
        return [(parts[0].period, Q())]
    moments: Moments = tuple((part.folders, None) for part in parts)
    wheres = _parts(Message, mailbox_id, moments)
    return [(part.period, where) for part, (where, _moment) in zip(parts, wheres, strict=True)]


def _in_mailboxes(model: type[Model], mailboxes: list[int]) -> Q:
    way = _WAYS[model].mailbox
    if way:
        return Q(**{f"{way}__in": mailboxes})
    return Q(folder__in=Folder.objects.filter(mailbox__in=mailboxes).values("pk"))


def visible(rows: QuerySet[Any], account: Account, *, now: datetime) -> QuerySet[Any]:
    """`shown` at `now` by the account's plan and own times; asks the database for both."""
    return shown(rows, periods_of(account, now).cutoff(now))


@dataclass(frozen=True, slots=True)
class Leaving:
    """The next letters that leave a mailbox: when the first does, and how many leave on that day of the account."""

    at: datetime
    count: int


def next_leaving(
    account: Account, mailboxes: Sequence[int], *, now: datetime, periods: Periods | None = None
) -> dict[int, Leaving]:
    """What the period ends next in each of these mailboxes (R9, R18), by key; absent: nothing leaves.

    Two queries for up to 400 mailboxes, and two for each that keeps sent letters or drafts apart; what is held never
    counts (R4).
    """
    periods, zone = periods or periods_of(account, now), ZoneInfo(account.time_zone)
    letters = shown(Message.objects.filter(is_held=False), periods.cutoff(now))
    found: dict[int, Leaving] = {}
    plain = {mailbox: periods.parts(mailbox)[0].period for mailbox in mailboxes if len(periods.parts(mailbox)) == 1}
    _next(found, letters, plain, zone)
    for mailbox in (each for each in mailboxes if each not in plain):
        for period, where in letters_by_period(periods, mailbox, now):
            _next(found, letters.filter(where), {mailbox: period}, zone)
    return found


def _next(found: dict[int, Leaving], letters: QuerySet[Message], periods: Mapping[int, Period], zone: ZoneInfo) -> None:
    """Lay in what leaves next of these letters; what leaves on the same day adds up."""
    ends = [mailbox for mailbox, period in periods.items() if period != Period(None)]
    oldest = letters.filter(mailbox__in=ends).values_list("mailbox").annotate(oldest=Min("received_at")).order_by()
    first = {mailbox: periods[mailbox].leaves_at(received) for mailbox, received in oldest} if ends else {}
    for some in _in_parts([mailbox for mailbox, at in first.items() if at is not None], 400):
        days = {mailbox: _midnight_after(at, zone) for mailbox in some if (at := first[mailbox]) is not None}
        that_day = Q()
        for mailbox, ends_at in days.items():
            that_day |= Q(mailbox=mailbox, received_at__lte=periods[mailbox].cutoff(ends_at - MICROSECOND))
        counts = letters.filter(that_day).values_list("mailbox").annotate(number=Count("pk")).order_by()
        for mailbox, count in counts:
            at = first[mailbox]
            if at is not None:
                found[mailbox] = _sooner(found.get(mailbox), Leaving(at, count), zone)


def _sooner(one: Leaving | None, other: Leaving, zone: ZoneInfo) -> Leaving:
    if one is None:
        return other
    if one.at.astimezone(zone).date() == other.at.astimezone(zone).date():
        return Leaving(min(one.at, other.at), one.count + other.count)
    return min(one, other, key=lambda each: each.at)


def _midnight_after(moment: datetime, zone: ZoneInfo) -> datetime:
    """The account's next midnight, whatever the hours of that day; in UTC, so that hours stay hours (R19)."""
    midnight = moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return midnight.astimezone(UTC)


def _in_parts(keys: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


def days_left(received_at: datetime, period: Period, *, now: datetime) -> int | None:
    """Whole days until a letter leaves, where that is soon enough to be told in a list; else None."""
    leaves_at = period.leaves_at(received_at)
    return None if leaves_at is None or leaves_at - now > SOON else max((leaves_at - now) // timedelta(days=1), 0)


def storage_line(
    message: Message, now: datetime, *, period: Period | None = None, holds: Sequence[Hold] | None = None
) -> str:
    """What becomes of the letter and when, in words, in the account's time zone.

    Pass `period` and `holds` where many letters are shown; they are asked from the database otherwise.
    """
    if message.is_held:
        return _kept(message, tell_legal(message.holds.all() if holds is None else holds))
    period = period or period_of_letter(message, now)
    leaves_at = period.leaves_at(message.received_at)
    if leaves_at is None:
        return _without_end(message.mailbox)
    zone = ZoneInfo(message.account.time_zone)
    parts = [_leaves(leaves_at.astimezone(zone), now.astimezone(zone))]
    parts += [_("a copy stays in CRM")] if message.in_crm else []  # R8
    return " · ".join([*parts, _original(message.mailbox)])


def period_of_letter(message: Message, now: datetime, *, periods: Periods | None = None) -> Period:
    """The period of one letter: where it lies in several folders, the longest of theirs."""
    periods = periods or periods_of(message.account, now)
    parts = periods.parts(message.mailbox_id)
    if len(parts) == 1:
        return parts[0].period
    folders = Placement.objects.filter(message=message).shown().values_list("folder", flat=True)
    return periods.in_folders(folders, message.mailbox_id)


def _kept(message: Message, holds: Sequence[Hold]) -> str:
    legal = sorted((hold.told[1], hold.told[0]) for hold in holds if hold.told)
    if legal:  # ux.md 1.11
        since, name = legal[0]
        facts = {"name": name, "day": date_format(since.astimezone(ZoneInfo(message.account.time_zone)), _("j M Y"))}
        text = _("Held by %(name)s since %(day)s") if name else _("On hold since %(day)s")
        first = _("%(held)s — cannot be deleted") % {"held": text % facts}
        others = sorted({_reason(hold) for hold in holds if not hold.told})
        return " · ".join([first, *others])
    reasons = sorted({_reason(hold) for hold in holds})
    return _("Kept: %(reasons)s") % {"reasons": ", ".join(reasons)} if reasons else _("Kept")


def _reason(hold: Hold) -> str:
    if hold.reason == "task":
        return _("linked to task #%(task)s") % {"task": hold.reference.removeprefix("task:")}
    return _("on hold, cannot be deleted") if hold.reason == "legal" else hold.reference


def _without_end(mailbox: Mailbox) -> str:
    if not mailbox.imap_host:
        return _("Kept here until somebody deletes it · imported, no copy on a mail server")
    if mailbox.state == MailboxState.DISCONNECTED:
        return _("Kept here · no longer kept in step with %(host)s") % {"host": mailbox.imap_host}
    return _("Kept here as long as it is on %(host)s") % {"host": mailbox.imap_host}


def _original(mailbox: Mailbox) -> str:
    host = mailbox.imap_host
    return _("stays on %(host)s") % {"host": host} if host else _("imported, no copy on a mail server")


def _leaves(leaves_at: datetime, now: datetime) -> str:
    left = leaves_at - now
    day = date_format(leaves_at, _("j M") if leaves_at.year == now.year else _("j M Y"))
    if left <= timedelta(0):
        return _("Left Webmail on %(day)s") % {"day": day}
    if left > SOON:
        return _("Leaves Webmail on %(day)s") % {"day": day}
    return _soon(left) % {"count": _units(left), "day": f"{day}, {leaves_at:%H:%M}"}


def _units(left: timedelta) -> int:
    unit = next((unit for unit in (timedelta(days=1), timedelta(hours=1)) if left >= unit), timedelta(minutes=1))
    return left // unit


def _soon(left: timedelta) -> str:
    count = _units(left)
    if left >= timedelta(days=1):
        return ngettext(
            "Leaves Webmail in %(count)d day (%(day)s)", "Leaves Webmail in %(count)d days (%(day)s)", count
        )
    if left >= timedelta(hours=1):
        return ngettext(
            "Leaves Webmail in %(count)d hour (%(day)s)", "Leaves Webmail in %(count)d hours (%(day)s)", count
        )
    if left >= timedelta(minutes=1):
        return ngettext(
            "Leaves Webmail in %(count)d minute (%(day)s)", "Leaves Webmail in %(count)d minutes (%(day)s)", count
        )
    return _("Leaves Webmail within a minute")
