"""Of what was found, how much stands on a page, and how deep pages go."""

from letterdesk.web.request import Request

PAGE = 50
DEEPEST = 1000  # results that a page can be opened at


def offset_of(request: Request) -> int:
    """Where the page begins that an address asks for."""
    text = request.GET.get("from", "")
    return min(int(text), DEEPEST) if text.isascii() and text.isdigit() and len(text) < 6 else 0
