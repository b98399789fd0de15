"""A set of UIDs kept as ranges: a mailbox of a million letters is a handful of numbers.

Text form is the sequence-set of RFC 9051 (`1:4,7`).
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

Range = tuple[int, int]


class UidSet:
    """An immutable set of positive integers. Ranges are sorted, apart from each other, and inclusive."""

    __slots__ = ("_ends", "_length", "_starts")

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._fill(_ranges_of_sorted(sorted(set(numbers))))

    def _fill(self, ranges: Iterable[Range]) -> None:
        """Take ranges that are sorted and neither overlap nor touch."""
        self._starts = array("Q")
        self._ends = array("Q")
        self._length = 0
        for start, end in ranges:
            self._starts.append(start)
            self._ends.append(end)
            self._length += end - start + 1

    @classmethod
    def _of_tidy(cls, ranges: Iterable[Range]) -> "UidSet":
        made = cls.__new__(cls)
        made._fill(ranges)
        return made

    @classmethod
    def of_ranges(cls, ranges: Iterable[Range]) -> "UidSet":
        """Make a set of inclusive ranges in any order; `(9, 3)` is the same as `(3, 9)`."""
        return cls._of_tidy(_merged(sorted((min(pair), max(pair)) for pair in ranges)))

    @classmethod
    def parse(cls, text: str) -> "UidSet":
        """Read `1:4,7` in any order, overlapping or not. Raises ValueError on anything else, `*` and 0 included."""
        return cls.of_ranges(_read_range(piece) for piece in text.split(",")) if text else cls()

    def ranges(self) -> Iterator[Range]:
        """The inclusive ranges, ascending."""
        return zip(self._starts, self._ends, strict=True)

    def __str__(self) -> str:
        return ",".join(str(start) if start == end else f"{start}:{end}" for start, end in self.ranges())

    def __repr__(self) -> str:
        text = str(self)
        return f"UidSet({text if len(text) <= 80 else text[:77] + '…'!r}, {len(self)})"

    def __len__(self) -> int:
        return self._length

    def __bool__(self) -> bool:
        return self._length > 0

    def __iter__(self) -> Iterator[int]:
        for start, end in self.ranges():
            yield from range(start, end + 1)

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int):
            return False
        place = bisect_right(self._starts, number) - 1
        return place >= 0 and number <= self._ends[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UidSet) and self._starts == other._starts and self._ends == other._ends

    def __hash__(self) -> int:
        return hash((self._starts.tobytes(), self._ends.tobytes()))

    def __reduce__(self) -> tuple[object, ...]:
        return UidSet.parse, (str(self),)

    def __or__(self, other: "UidSet") -> "UidSet":
        if not other or not self:
            return self or other
        return UidSet._of_tidy(_merged(sorted([*self.ranges(), *other.ranges()])))

    def __and__(self, other: "UidSet") -> "UidSet":
        return UidSet._of_tidy(_common(self, other))

    def __sub__(self, other: "UidSet") -> "UidSet":
        return UidSet._of_tidy(_without(self, other)) if other else self

    def isdisjoint(self, other: "UidSet") -> bool:
        """Whether nothing is in both."""
        return next(_common(self, other), None) is None

    def min(self) -> int:
        """The smallest number; raises ValueError when empty."""
        if not self:
            raise ValueError("an empty set has no smallest number")
        return self._starts[0]

    def max(self) -> int:
        """The largest number; raises ValueError when empty."""
        if not self:
            raise ValueError("an empty set has no largest number")
        return self._ends[-1]

    def chunks(self, size: int) -> Iterator["UidSet"]:
        """Ascending pieces of `size` numbers each, the last one may be smaller."""
        for ranges in _dealt(self.ranges(), size):
            yield UidSet._of_tidy(ranges)

    def newest_first(self, batch: int) -> Iterator["UidSet"]:
        """Pieces of `batch` numbers each, the piece with the largest numbers first."""
        mirrored = zip(
            (-end for end in reversed(self._ends)), (-start for start in reversed(self._starts)), strict=True
        )
        for ranges in _dealt(mirrored, batch):
            yield UidSet._of_tidy((-end, -start) for start, end in reversed(ranges))

    def lines(self, limit: int) -> Iterator["UidSet"]:
        """Ascending pieces whose text has at most `limit` characters, for one command line each (RFC 7162 4)."""
        piece: list[Range] = []
        length = 0
        for start, end in self.ranges():
            width = len(str(start)) + (0 if start == end else len(str(end)) + 1) + 1
            if piece and length + width > limit:
                yield UidSet._of_tidy(piece)
                piece, length = [], 0
            piece.append((start, end))
            length += width
        if piece:
            yield UidSet._of_tidy(piece)


def _read_range(piece: str) -> Range:
    first, colon, last = piece.partition(":")
    last = last if colon else first
    if not (first.isascii() and first.isdigit() and last.isascii() and last.isdigit()):
        raise ValueError(f"not a range of UIDs: {piece[:40]!r}")
    start, end = int(first), int(last)
    if not (0 < start < 2**63 and 0 < end < 2**63):
        raise ValueError(f"not a range of UIDs: {piece[:40]!r}")
    return start, end


def _ranges_of_sorted(numbers: list[int]) -> Iterator[Range]:
    if not numbers:
        return
    start = end = numbers[0]
    for number in numbers[1:]:
        if number != end + 1:
            yield start, end
            start = number
        end = number
    yield start, end


def _merged(ranges: list[Range]) -> Iterator[Range]:
    if not ranges:
        return
    start, end = ranges[0]
    for other_start, other_end in ranges[1:]:
        if other_start > end + 1:
            yield start, end
            start, end = other_start, other_end
        elif other_end > end:
            end = other_end
    yield start, end


def _common(one: UidSet, other: UidSet) -> Iterator[Range]:
    if one._starts and other._starts:
        i = bisect_left(one._ends, other._starts[0])
        j = bisect_left(other._ends, one._starts[0])
        while i < len(one._starts) and j < len(other._starts):
            start = max(one._starts[i], other._starts[j])
            end = min(one._ends[i], other._ends[j])
            if start <= end:
                yield start, end
            if one._ends[i] < other._ends[j]:
                i += 1
            else:
                j += 1


def _without(one: UidSet, other: UidSet) -> Iterator[Range]:
    place = 0
    for range_start, end in one.ranges():
        start = range_start
        place = bisect_left(other._ends, start, place)
        index = place
        while index < len(other._starts) and other._starts[index] <= end:
            if other._starts[index] > start:
                yield start, other._starts[index] - 1
            start = other._ends[index] + 1
            index += 1
        if start <= end:
            yield start, end


def _dealt(ranges: Iterable[Range], size: int) -> Iterator[list[Range]]:
    """Deal out ascending ranges in piles of `size` numbers."""
    if size < 1:
        raise ValueError("a piece holds at least one number")
    pile: list[Range] = []
    room = size
    for range_start, end in ranges:
        start = range_start
        while end - start + 1 >= room:
            yield [*pile, (start, start + room - 1)]
            start += room
            pile, room = [], size
        if start <= end:
            pile.append((start, end))
            room -= end - start + 1
    if pile:
        yield pile
