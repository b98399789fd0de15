"""Many things have their turn: one that fails is logged, and keeps no other waiting."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

Thing = TypeVar("Thing")
logger = logging.getLogger(__name__)


def in_turn(things: Iterable[Thing], look: Callable[[Thing], bool | int | None], *, failure: str) -> int:
    """Call `look` with each of these; returns the sum of what it returned, True being one.

    `failure` is what the log says of one that fails, its `%s` being what it is called.
    """
    done = 0
    for thing in things:
        try:
            done += look(thing) or 0
        except Exception:  # whatever it is: the others' turn comes
            logger.exception(failure, getattr(thing, "pk", thing))
    return done
