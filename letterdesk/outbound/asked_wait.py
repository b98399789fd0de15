"""How long a server asks us to wait, in the prose beside its 4xx: a pure function.

No standard says how (RFC 5321 4.2 leaves the text to people). A time after a word that asks for it counts ("try again
in …"); only where there is none does a bare "for 60 seconds", unless it tells how often we wrote, or what happened.
What is not understood asks for nothing.
"""

import re
from datetime import timedelta

MOST = timedelta(hours=4)  # as long as our own longest wait: nobody makes a letter miss its five days
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_TIME = (
    r"(?:(?P<number>\d{1,6})\s?(?P<unit>s|sec|secs|seconds?|m|min|mins|minutes?|h|hrs?|hours?|days?)"
    r"|(?P<h>\d{1,3}):(?P<m>[0-5]\d):(?P<s>[0-5]\d))\b"  # Postgrey's
)
_GAP = r"[\s:=(,]{1,3}"
_BETWEEN = rf"(?:(?:in|after|for|at|least|about|another|approximately){_GAP}){{0,4}}"
_ASKED = re.compile(rf"\b(?:try|retry|again|wait|later|back){_GAP}{_BETWEEN}{_TIME}", re.IGNORECASE)
_TOLD = r"(?P<told>messages|e?-?mails|recipients|connections|sent|unavailable|timeout|timed out|idle)\s+"
_BARE = re.compile(rf"(?:\b{_TOLD})?\b(?:in|after|for|least){_GAP}{_BETWEEN}{_TIME}", re.IGNORECASE)


def asked_wait(code: int, text: str) -> timedelta:
    """The longest time that the answer asks for, at most four hours; nothing where it is no 4xx, or says no time."""
    if not 400 <= code < 500:
        return timedelta(0)
    found = [_time_of(each) for each in _ASKED.finditer(text)]
    found = found or [_time_of(each) for each in _BARE.finditer(text) if not each["told"]]
    return min(max(found, default=timedelta(0)), MOST)


def _time_of(found: re.Match[str]) -> timedelta:
    if found["number"]:
        return timedelta(**{_UNITS[found["unit"][0].lower()]: int(found["number"])})
    return timedelta(hours=int(found["h"]), minutes=int(found["m"]), seconds=int(found["s"]))
