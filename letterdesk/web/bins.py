"""What is said when something went into a bin, or came back from it, and how many letters with it (R8, R29)."""

from django.contrib import messages
from django.utils.translation import ngettext

from letterdesk.web.request import Request


def tell_gone(request: Request, text: str, letters: int) -> None:
    """Say that it is in the bin, and how many letters went along."""
    along = ngettext("%(n)d letter went along.", "%(n)d letters went along.", letters) % {"n": letters}
    messages.success(request, f"{text} {along}" if letters else text)


def tell_back(request: Request, text: str, letters: int) -> None:
    """Say that it is back, and how many letters came with it."""
    along = ngettext("%(n)d letter came with it.", "%(n)d letters came with it.", letters) % {"n": letters}
    messages.success(request, f"{text} {along}" if letters else text)
