"""Dies at every named point of a scenario, one after the other, resumes, and asks the oracle (A13, P1–P3).

def scenario() -> None: ...          # what is interrupted; it must be allowed to run again (the resume is a run)
for point, nth in points_of(scenario, fresh):
    ...
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from letterdesk.lib import crashpoint


@dataclass(frozen=True, order=True)
class Point:
    """The nth time that a named point is reached."""

    name: str
    nth: int

    def __str__(self) -> str:
        return f"{self.name}:{self.nth}"


def points_reached(scenario: Callable[[], object], *, most: int = 3) -> list[Point]:
    """Run the scenario and list its points: of one that is reached often, the first, second and last times."""
    reached = crashpoint.record()
    try:
        scenario()
        counted = dict(reached)
    finally:
        crashpoint.disarm()
    return [Point(name, nth) for name, times in sorted(counted.items()) for nth in _some(times, most)]


def _some(times: int, most: int) -> list[int]:
    return sorted({*range(1, min(times, most - 1) + 1), times})


def dies(scenario: Callable[[], object], point: Point) -> bool:
    """Run the scenario with this point armed; whether it was reached, and the process would be dead."""
    crashpoint.interrupt(point.name, point.nth)
    try:
        scenario()
    except crashpoint.Crashed:
        return True
    finally:
        crashpoint.disarm()
    return False


def sweep(prepare: Callable[[], Callable[[], object]], judge: Callable[[Point], None]) -> Iterator[Point]:
    """For each point of what `prepare()` returns: prepare afresh, die there, then `judge(point)` resumes and looks."""
    for point in points_reached(prepare()):
        assert dies(prepare(), point), f"{point} was not reached the second time: the scenario is not deterministic"
        judge(point)
        yield point
