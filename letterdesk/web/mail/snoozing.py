"""When a snoozed conversation comes back: the moments on offer, and what a person typed. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.utils.translation import gettext as _

MORNING, EVENING = time(8), time(18)
LATER = timedelta(hours=3)
LATEST_LATER = time(19)  # after that, "later today" would be the night
LONGEST = timedelta(days=730)
MONDAY, SATURDAY = 0, 5


class BadMoment(ValueError):
    """Nothing can come back then; the text says why, in words for people."""


@dataclass(frozen=True)
class Preset:
    """A moment on offer. `key` is what the form says."""

    key: str
    name: str
    at: datetime


def presets(local: datetime) -> list[Preset]:
    """What is on offer at this moment, which carries the reader's zone."""
    offers = [
        *([Preset("later", _("Later today"), _later(local))] if local.time() < LATEST_LATER else []),
        Preset("tomorrow", _("Tomorrow"), _at(local, 1, MORNING)),
        *([Preset("weekend", _("This weekend"), _next(local, SATURDAY))] if local.weekday() < SATURDAY - 1 else []),
        Preset("week", _("Next week"), _next(local, MONDAY)),
    ]
    each_once = {offer.at: offer for offer in reversed(offers)}  # on a Sunday, tomorrow is next week
    return sorted(each_once.values(), key=lambda offer: offer.at)


def moment(text: str, local: datetime) -> datetime:
    """What a preset or a typed local time means, in UTC. Raises BadMoment."""
    for offer in presets(local):
        if offer.key == text:
            return offer.at.astimezone(UTC)
    try:
        typed = datetime.fromisoformat(text)
    except ValueError:
        raise BadMoment(_("Choose a day and a time, for example tomorrow at 8:00.")) from None
    at = typed.replace(tzinfo=local.tzinfo) if typed.tzinfo is None else typed
    if at <= local:
        raise BadMoment(_("That is over already. Choose a time that is to come."))
    if at - local > LONGEST:
        raise BadMoment(_("That is more than two years away. Choose an earlier day."))
    return at.astimezone(UTC)


def _later(local: datetime) -> datetime:
    """In three hours, at a full hour."""
    return (local + LATER).replace(minute=0, second=0, microsecond=0)


def _at(local: datetime, days: int, clock: time) -> datetime:
    return datetime.combine(local.date() + timedelta(days=days), clock, tzinfo=local.tzinfo)


def _next(local: datetime, weekday: int) -> datetime:
    return _at(local, (weekday - local.weekday() - 1) % 7 + 1, MORNING)
