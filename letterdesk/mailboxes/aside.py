"""Letters that are put aside: unsent, suspected or thrown away. Said once for one letter, and once for the database."""

from collections.abc import Set

from django.db.models import Exists, OuterRef, Q

from .models import FolderRole, Placement

ASIDE = frozenset({FolderRole.SPAM, FolderRole.TRASH, FolderRole.DRAFTS})
EVERYWHERE = frozenset({FolderRole.ALL})  # Gmail's All mail holds a draft as it holds an answer: it says nothing


def lies_aside(roles: Set[str]) -> bool:
    """Whether a letter in folders with these roles is aside: a draft wherever else it lies, the rest nowhere else.

    What lies in no folder, or in All mail alone (an archived letter), is not. Pure.
    """
    lying = roles - EVERYWHERE
    return FolderRole.DRAFTS in roles or (bool(lying) and lying <= ASIDE)


def not_aside() -> Q:
    """For letters (Message): those that lie somewhere now, and not aside; as `lies_aside` says it."""
    places = Placement.objects.filter(message=OuterRef("pk")).shown()
    elsewhere = places.exclude(folder__role__in=ASIDE | EVERYWHERE)
    drafts = places.filter(folder__role=FolderRole.DRAFTS)
    aside = places.filter(folder__role__in=ASIDE)
    return Q(~Exists(drafts), Exists(elsewhere) | (Exists(places) & ~Exists(aside)))
