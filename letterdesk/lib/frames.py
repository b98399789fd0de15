"""Room for Python's frames, so that a loop deep in the stack is not slow by chance.

Python keeps frames in pieces of 16 KB, and the next piece is asked of the system, and given back, at every
call that does not fit into the last one. A loop that happens to stand at such an edge – the rows of a list in a
template – pays for that at each call: the page of a client took twice its time
(python/cpython#142183, which later Pythons mend).
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

WORDS = 17_000  # takes a piece of 256 KB, of which 120 are left: some three hundred frames

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def with_room(call: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
    """The same call, below which frames fit into one piece. What it reserves is not touched until it is needed."""

    def call_with_room(*args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        return call(*args, **kwargs)

    call_with_room.__code__ = call_with_room.__code__.replace(co_stacksize=WORDS)
    return call_with_room
