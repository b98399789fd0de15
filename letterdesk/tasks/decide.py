"""What becomes of letters with their tasks, as pure functions (R4, R29)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """A letter is linked to a task, which lies in the bin or does not."""

    task: int
    letter: int
    in_bin: bool


def in_bin(links: Iterable[Link]) -> set[int]:
    """The letters that are shown nowhere: every task of theirs lies in the bin (R29)."""
    return {letter for letter, own in _by_letter(links).items() if all(link.in_bin for link in own)}


def locked_alone_by(task: int, links: Iterable[Link]) -> set[int]:
    """The letters that go for good with this task: they have no other, a task in the bin counts as one (R29)."""
    return {letter for letter, own in _by_letter(links).items() if {link.task for link in own} == {task}}


def going_along(task: int, links: Iterable[Link]) -> set[int]:
    """The letters that leave the lists when this task goes into the bin: those that no task outside it keeps."""
    own = list(links)
    after = [Link(link.task, link.letter, in_bin=link.in_bin or link.task == task) for link in own]
    return in_bin(after) - in_bin(own)


def _by_letter(links: Iterable[Link]) -> dict[int, list[Link]]:
    found: defaultdict[int, list[Link]] = defaultdict(list)
    for link in links:
        found[link.letter].append(link)
    return found
