"""Who reacts to what: the page config/reactions.py, which lies above this floor and is found by its setting."""

from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string

from .kinds import KINDS
from .models import Event

Reaction = Callable[[Event], None]


def reactions(kind: str) -> tuple[Reaction, ...]:
    """The functions that react to events of this kind, in their order."""
    return _page(settings.REACTIONS).get(kind, ())


def name_of(reaction: Reaction) -> str:
    """The dotted name under which a failure of the reaction is kept."""
    return f"{reaction.__module__}.{reaction.__qualname__}"


@lru_cache(maxsize=8)
def _page(path: str) -> dict[str, tuple[Reaction, ...]]:
    page: dict[str, tuple[Reaction, ...]] = import_string(path)
    if unknown := page.keys() - KINDS.keys():
        raise ValueError(f"{path} reacts to kinds that events/kinds.py does not declare: {sorted(unknown)}")
    return page
