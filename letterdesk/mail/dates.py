"""The Date field as a moment, or None where it says nothing that one could believe (A35)."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import mktime_tz, parsedate_tz

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST = 200  # characters that are looked at
_COMMENT = re.compile(r"\([^()]*\)")
_FARTHEST_ZONE = 14 * 3600  # seconds; Kiribati
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
