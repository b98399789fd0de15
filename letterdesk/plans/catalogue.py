"""The plan catalogue in force: data in a TOML file, which the code enforces and the comparison page shows (R3).

`LETTERDESK_CATALOGUE` names it: `self-hosted` and `commercial` are shipped, anything else is a path.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import cast

from django.conf import settings
from django.utils import timezone

from .read import check_reading, read
from .rows import (
    LIMITS,
    NONE,
    UNLIMITED,
    UNSPECIFIED,
    Catalogue,
    CatalogueError,
    Edition,
    Limit,
    Plan,
    UnknownPlan,
    Value,
)

__all__ = [
    "UNLIMITED",
    "UNSPECIFIED",
    "CatalogueError",
    "Terms",
    "UnknownPlan",
    "catalogue",
    "later_editions",
    "terms_of",
]

SHIPPED = {"commercial": "catalogue.toml", "self-hosted": "self-hosted.toml"}


@dataclass(frozen=True)
class Terms:
    """What a plan means once `unspecified` is read: None is unlimited, 0 is nothing.

    Mailboxes are counted, days have 24 hours, outgoing is messages per calendar month.
    """

    key: str
    name: str
    has_integration: bool
    mailboxes_per_employee: int | None
    shared_mailboxes: int | None
    days_kept: int | None
    days_fetched: int | None
    outgoing_per_month: int | None
    outgoing_from_crm_only: bool


def catalogue(now: datetime | None = None) -> Catalogue:
    """The catalogue in force at `now` (None: at this moment), a later edition from its date on.

    Raises CatalogueError for a file or a setting that cannot be used.
    """
    return _read_once(settings.CATALOGUE, settings.UNSPECIFIED).at(now or timezone.now())


def later_editions(now: datetime) -> list[Edition]:
    """The editions of the catalogue that have not begun at `now`, the earliest first. Raises CatalogueError."""
    made = _read_once(settings.CATALOGUE, settings.UNSPECIFIED)
    return [edition for edition in made.editions if now < edition.begins_at]


@lru_cache(maxsize=8)
def _read_once(name: str, reading: str) -> Catalogue:
    made = read(Path(__file__).parent / SHIPPED[name] if name in SHIPPED else Path(name))
    for each in (made, *(edition.catalogue for edition in made.editions)):
        if reading:
            check_reading(each, reading, where="LETTERDESK_UNSPECIFIED")
    return made


def terms_of(plan: Plan, now: datetime | None = None) -> Terms:
    """The plan's row with `unspecified` read as the operator says (R25), by the catalogue of `now` (None: of today)."""
    is_open = any(getattr(plan, name) is UNSPECIFIED for name in LIMITS)
    model = _model(plan, now) if is_open else None
    limits = {name: _number(_resolved(plan, model, name)) for name in LIMITS}
    read_as = model if plan.outgoing_per_month is UNSPECIFIED else None
    return Terms(
        key=plan.key,
        name=plan.name,
        has_integration=plan.integration,
        outgoing_from_crm_only=(read_as or plan).outgoing_from_crm_only,
        **limits,
    )


def _resolved(plan: Plan, model: Plan | None, name: str) -> Limit:
    limit = cast("Limit", getattr(plan, name))
    if limit is not UNSPECIFIED:
        return limit
    if model:
        return cast("Limit", getattr(model, name))
    return UNLIMITED if _reading(plan) == "unlimited" else NONE


def _reading(plan: Plan) -> str:
    return str(settings.UNSPECIFIED or plan.reads_unspecified)


def _model(plan: Plan, now: datetime | None) -> Plan | None:
    """The plan as which this one's `unspecified` is read, where it is read as a plan."""
    reading = _reading(plan)
    return catalogue(now).plan(reading.removeprefix("as:")) if reading.startswith("as:") else None


def _number(limit: Limit) -> int | None:
    if isinstance(limit, Value):
        return None if limit is UNLIMITED else 0
    return limit
