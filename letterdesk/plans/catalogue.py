"""The plan catalogue in force: data in a TOML file, which the code enforces and the comparison page shows (R3).

`LETTERDESK_CATALOGUE` names it: `self-hosted` and `commercial` are shipped, anything else is a path.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

from django.conf import settings

from .read import check_reading, read
from .rows import LIMITS, NONE, UNLIMITED, UNSPECIFIED, Catalogue, CatalogueError, Limit, Plan, UnknownPlan, Value

__all__ = ["UNLIMITED", "UNSPECIFIED", "CatalogueError", "Terms", "UnknownPlan", "catalogue", "terms_of"]

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


def catalogue() -> Catalogue:
    """The catalogue in force. Raises CatalogueError for a file or a setting that cannot be used."""
    return _read_once(settings.CATALOGUE, settings.UNSPECIFIED)


@lru_cache(maxsize=8)
def _read_once(name: str, reading: str) -> Catalogue:
    made = read(Path(__file__).parent / SHIPPED[name] if name in SHIPPED else Path(name))
    if reading:
        check_reading(made, reading, where="LETTERDESK_UNSPECIFIED")
    return made


def terms_of(plan: Plan) -> Terms:
    """The plan's row with `unspecified` read as the operator says (R25)."""
    limits = {name: _number(_resolved(plan, name)) for name in LIMITS}
    read_as = _model(plan) if plan.outgoing_per_month is UNSPECIFIED else None
    return Terms(
        key=plan.key,
        name=plan.name,
        has_integration=plan.integration,
        outgoing_from_crm_only=(read_as or plan).outgoing_from_crm_only,
        **limits,
    )


def _resolved(plan: Plan, name: str) -> Limit:
    limit = cast("Limit", getattr(plan, name))
    if limit is not UNSPECIFIED:
        return limit
    if model := _model(plan):
        return cast("Limit", getattr(model, name))
    return UNLIMITED if _reading(plan) == "unlimited" else NONE


def _reading(plan: Plan) -> str:
    return str(settings.UNSPECIFIED or plan.reads_unspecified)


def _model(plan: Plan) -> Plan | None:
    """The plan as which this one's `unspecified` is read, where it is read as a plan."""
    reading = _reading(plan)
    return catalogue().plan(reading.removeprefix("as:")) if reading.startswith("as:") else None


def _number(limit: Limit) -> int | None:
    if isinstance(limit, Value):
        return None if limit is UNLIMITED else 0
    return limit
