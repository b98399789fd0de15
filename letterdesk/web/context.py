"""What every page knows: how it shall look, and whether single keys act."""

from django.http import HttpRequest

THEMES = ("light", "dark")
KEYS = ("off",)


def appearance(request: HttpRequest) -> dict[str, str]:
    """Return `theme` ("light", "dark", or empty: as the device) and `keys` ("off" or empty: on)."""
    theme, keys = request.COOKIES.get("theme", ""), request.COOKIES.get("keys", "")
    return {"theme": theme if theme in THEMES else "", "keys": keys if keys in KEYS else ""}
