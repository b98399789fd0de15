"""What every page knows: how it shall look, and what the keys mean."""

import json
from collections.abc import Callable
from functools import cache, partial

from django.http import HttpRequest

from letterdesk.accounts.models import Employee
from letterdesk.accounts.preferences import CHOICES, THEMES
from letterdesk.crm.linking.asked import how_many_ask
from letterdesk.web.commands import keymap


def appearance(request: HttpRequest) -> dict[str, str]:
    """Return `theme` (empty: as the device), `density`, `text`, `paper`, `keys` (empty: on) and `keymap` as JSON.

    Before the sign-in the theme is what this device saw last.
    """
    if not getattr(request, "user", None) or not request.user.is_authenticated:
        theme = request.COOKIES.get("theme", "")
        return {"theme": theme if theme in THEMES else ""}
    kept = request.user.preferences
    chosen = {name: str(kept.get(name, "")) for name in CHOICES}
    return {**chosen, "keymap": json.dumps(keymap(request.user))}


def crm_asked(request: HttpRequest) -> dict[str, Callable[[], int]]:
    """Return `crm_asked`: how many letters beside Webmail ask whoever is signed in; counted where a page shows it."""
    person = getattr(request, "user", None)
    return {"crm_asked": cache(partial(how_many_ask, person))} if isinstance(person, Employee) else {}
