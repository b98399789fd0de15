"""Does things at the same moment: threads that wait for each other, each with a database connection of its own.

outcomes = at_once([lambda: join(token)] * 2, refusal=InvitationInvalid)
assert refused(outcomes) == 1
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connections


def at_once(acts: Sequence[Callable[[], Any]], *, refusal: type[Exception] | None = None) -> list[Any]:
    """What each of these calls returned, in their order; a refusal of that kind is an outcome, too.

    Whatever else one of them raises is raised here, after all have ended.
    """
    barrier = threading.Barrier(len(acts))
    outcomes: list[Any] = [None] * len(acts)
    errors: list[Exception] = []

    def run(number: int) -> None:
        try:
            barrier.wait()
            outcomes[number] = acts[number]()
        except Exception as error:
            outcomes[number] = error
            if refusal is None or not isinstance(error, refusal):
                errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return outcomes


def refused(outcomes: Sequence[Any]) -> int:
    """How many of these outcomes are refusals."""
    return sum(isinstance(each, Exception) for each in outcomes)
