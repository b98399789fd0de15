"""Of what was found, how much stands on a page, and how deep pages go."""

from collections.abc import Callable
from typing import Any

from letterdesk.web.request import Request

PAGE = 50
DEEPEST = 1000  # results that a page can be opened at


def offset_of(request: Request) -> int:
    """Where the page begins that an address asks for."""
    text = request.GET.get("from", "")
    return min(int(text), DEEPEST) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def next_page(offset: int, address: Callable[[int], str], *, most: int, goes_on: bool) -> dict[str, Any]:
    """`next_address`: of the page behind this one of `most` results, as `address` makes it of where it begins.

    `shown_first`: pages end here, after so many results, although more fit; 0: they do not.
    """
    start = offset + most
    is_deep = start >= DEEPEST
    return {
        "next_address": address(start) if goes_on and not is_deep else "",
        "shown_first": start if goes_on and is_deep else 0,
    }
