"""How a person wants to have it: looks, keys, language. Kept with the employee, so that every device knows."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.db import transaction
from django.utils.translation import check_for_language, override

from .models import Employee

THEMES = ("light", "dark")
DENSITIES = ("compact", "roomy")
TEXT_SIZES = ("large", "larger")
PAPERS = ("dark",)
KEYS = ("off", "modifier")
UNDO = ("0", "5", "20", "30")
UNDO_SECONDS = 10  # unless a person wants it otherwise
TRACK = ("yes",)
CHOICES = {
    "theme": THEMES, "density": DENSITIES, "text": TEXT_SIZES, "paper": PAPERS, "keys": KEYS, "undo_send": UNDO,
    "track": TRACK,
}  # fmt: skip
MOST_FOLDED = 200


class NotAChoice(ValueError):
    """There is no such preference, or it cannot be that."""


@transaction.atomic
def prefer(employee: Employee, **wishes: Any) -> None:
    """Keep these wishes beside the others; an empty one is forgotten, and the default holds.

    The row is locked: two devices at once lose nothing. Raises NotAChoice.
    """
    for name, wish in wishes.items():
        if name in CHOICES and wish and wish not in CHOICES[name]:
            raise NotAChoice(f"{name}: {wish}")
    row = Employee.objects.select_for_update().get(pk=employee.pk)
    kept = {**row.preferences, **wishes}
    employee.preferences = {name: wish for name, wish in kept.items() if wish}
    employee.save(update_fields=["preferences"])


def fold(employee: Employee, mailbox_id: str, *, folded: bool) -> None:
    """Remember that a mailbox is folded in the sidebar, or open."""
    others = [each for each in employee.preferences.get("folded", []) if each != mailbox_id]
    prefer(employee, folded=([*others, mailbox_id] if folded else others)[-MOST_FOLDED:])


def undo_seconds(employee: Employee) -> int:
    """For how long a letter that this person sent can be taken back, in seconds; 0: it leaves at once."""
    return int(employee.preferences.get("undo_send") or UNDO_SECONDS)


def language_of(employee: Employee) -> AbstractContextManager[None]:
    """`with language_of(ines):` texts are in the language that this person chose; as before, if they chose none."""
    language = str(employee.preferences.get("language", ""))
    return override(language) if language and check_for_language(language) else nullcontext()
