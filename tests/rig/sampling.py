"""How much of a long proof is tried: an even sample, or with WHOLE=1 all of it (`make proofs`)."""

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
WHOLE = os.environ.get("WHOLE") == "1"


def sampled(cases: Sequence[T], most: int, *, turn: int = 0) -> list[T]:
    """At most so many of the cases, evenly spread; another `turn` takes others of them."""
    if WHOLE or len(cases) <= most:
        return list(cases)
    step = len(cases) / most
    return [cases[(int(number * step) + turn) % len(cases)] for number in range(most)]
