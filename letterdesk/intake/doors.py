"""Who takes letters at which addresses: the page config/doors.py, which lies above this floor."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.module_loading import import_string

from letterdesk.mail.authentic import Evidence
from letterdesk.mail.letters import Letter

from .models import Arrived


@dataclass(frozen=True, slots=True)
class Place:
    """An address of ours: of which account, which door's, and what the door calls it (16 characters)."""

    account_id: int
    door: str
    address: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A letter that could be read, and what is known of its sender."""

    row: Arrived
    raw: bytes
    letter: Letter
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Door:
    """A room that takes letters. `find`: whose a local part is at that time; None: not ours.

    `take` decides about a letter and writes its state, in a transaction of its own; twice is once. `is_behind_ours`:
    its letters come through a mail server of ours alone, so that what that wrote down about senders may be believed.
    `most_unreadable`: so many letters that cannot be read are kept at an address; None: all.
    """

    name: str
    find: Callable[[str, datetime], Place | None]
    take: Callable[[Arrival, datetime], None]
    is_behind_ours: bool = True
    most_unreadable: int | None = None

    @property
    def believed(self) -> str:
        """The name of the mail server whose findings about senders are believed of its letters; empty: none is."""
        return str(settings.INBOUND.believed) if self.is_behind_ours else ""


def place_of(address: str, now: datetime) -> Place | None:
    """Whose this address is, None: nobody's, or of another domain: then it is not taken (no open relay)."""
    local = settings.INBOUND.local_part(address)
    found = (door.find(local, now) for door in _doors() if local)
    return next((place for place in found if place is not None), None)


def door_named(name: str) -> Door:
    """Raises LookupError."""
    for door in _doors():
        if door.name == name:
            return door
    raise LookupError(name)


def _doors() -> tuple[Door, ...]:
    doors: tuple[Door, ...] = import_string(settings.DOORS)
    return doors
