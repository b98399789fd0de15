"""The Date field as a moment, or None where it says nothing that one could believe (A35)."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import mktime_tz, parsedate_tz

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 200  # characters that are looked at
_COMMENT = re.compile(r"\([^()]*\)")
_FARTHEST_ZONE = 14 * 3600  # seconds; Kiribati
_HALF_DAYS = re.compile(r"\b([0-9]{1,2})(:[0-9]{2}(?::[0-9]{2})?)\s{0,3}([AaPp])\.?[Mm]\b\.?")
_AT = re.compile(r",?\s{1,3}at\s{1,3}(?=[0-9])")  # as Gmail and Apple Mail put it: Nov 23, 2026 at 10:00
_ZONE = re.compile(r"[+-][0-9]{4}\b|\b(?:UTC?|GMT|[ECMP][SD]T)\b")
FIRST_YEAR, LAST_YEAR = 1970, 2100


def read_date(value: str) -> datetime | None:
    """`value` (RFC 5322 3.3, and its obsolete forms) in UTC; None if absent, unreadable or absurd. No zone: UTC."""
    try:
        parsed = parsedate_tz(_COMMENT.sub(" ", value[:_MOST]))
        if parsed is None or abs(parsed[9] or 0) > _FARTHEST_ZONE:
            return None
        moment = _EPOCH + timedelta(seconds=mktime_tz(parsed))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def zone_of(value: str) -> timedelta | None:
    """How far the clock of a Date field is ahead of UTC; None: it does not say."""
    text = _COMMENT.sub(" ", value[:_MOST])
    parsed = parsedate_tz(text) if _ZONE.search(text) else None
    return None if parsed is None or abs(parsed[9] or 0) > _FARTHEST_ZONE else timedelta(seconds=parsed[9] or 0)


def read_local_date(value: str, zone: timedelta | None) -> datetime | None:
    """A date as programs write it for people, with AM and PM, in UTC. `zone`: where it names none; None: unknown."""
    text = _HALF_DAYS.sub(_of_whole_day, _AT.sub(" ", value[:_MOST]))
    moment = read_date(text)
    if moment is None or _ZONE.search(text):
        return moment
    return None if zone is None else moment - zone


def _of_whole_day(clock: re.Match[str]) -> str:
    """`3:04 PM` as `15:04`."""
    is_late = clock[3] in "Pp"
    return f"{int(clock[1]) % 12 + 12 * is_late}{clock[2]} "
