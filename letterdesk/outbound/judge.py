"""Who opened a letter, a person or a machine: what is known of the request, and of those beside it. Pure.

In doubt it is a machine: “opened by a person” is said where little else is likely. Nobody can know for certain: who
reads without pictures is not seen, and a machine that behaves as a person is counted as one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

AT_ONCE = timedelta(seconds=10)  # since the letter left: nobody reads so soon, scanners on the way do
BURST = timedelta(seconds=5)  # in which nobody opens all links
FEW = 3  # links in a burst are no person's, also where the letter has more
AGAIN = timedelta(minutes=1)  # the same once more within it is the same opening

AT_DELIVERY = "at_delivery"
ALL_LINKS = "all_links"


@dataclass(frozen=True, slots=True)
class Seen:
    """That the picture, or the link at this position, was fetched; `machine`: the name of a known one."""

    at: datetime
    link: int | None = None
    machine: str = ""


class By(StrEnum):
    """Whose it was; AGAIN: a person's, who is counted already."""

    PERSON = "person"
    MACHINE = "machine"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Judged:
    """Whose it was; `machine`: its name, or what gave it away."""

    seen: Seen
    by: By
    machine: str = ""


def judge(
    seen: Sequence[Seen], *, left_at: datetime | None, links: int, last: Mapping[int | None, datetime]
) -> list[Judged]:
    """Each, in the order of time. `left_at`: when the letter left, None: not yet, as far as we know; `links`: how many
    it has; `last`: when a person last opened the letter (None) or each link."""
    ordered = sorted(seen, key=lambda each: each.at)
    latest = dict(last)
    found = []
    for each in ordered:
        machine = each.machine or _given_away(each, ordered, left_at, links)
        if machine:
            found.append(Judged(each, By.MACHINE, machine))
            continue
        before = latest.get(each.link)
        is_again = before is not None and each.at - before < AGAIN
        latest[each.link] = each.at
        found.append(Judged(each, By.AGAIN if is_again else By.PERSON))
    return found


def _given_away(one: Seen, everything: Sequence[Seen], left_at: datetime | None, links: int) -> str:
    if left_at is None or one.at - left_at < AT_ONCE:
        return AT_DELIVERY
    near = {each.link for each in everything if each.link is not None and abs(each.at - one.at) <= BURST}
    return ALL_LINKS if len(near) >= FEW or 1 < links == len(near) else ""
