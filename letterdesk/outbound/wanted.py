"""Whether a letter is still wanted by what it is about: a question to the room whose that is (config/wanted.py)."""

from collections.abc import Callable, Mapping

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from .models import Delivery

Ask = Callable[[str], bool]  # of what `about` names: "guest:…"


class NotWanted(ValueError):
    """Whom the letter was for takes part no more."""

    def __init__(self) -> None:
        super().__init__(_("Whom this letter is for takes part no more: it is not sent again."))


def is_wanted(row: Delivery) -> bool:
    """Whether it may leave; a letter about which nobody has a say is wanted."""
    rooms: Mapping[str, Ask] = import_string(settings.WANTED)
    ask = rooms.get(row.about.partition(":")[0])
    return ask is None or ask(row.about)
