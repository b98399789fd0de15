"""Reads a catalogue file, and says in words what is wrong with it."""

import tomllib
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .rows import ABOUT_WEBMAIL, LIMITS, NONE, UNSPECIFIED, Catalogue, CatalogueError, Limit, Plan, Value

PLAN_KEYS = {field.name for field in fields(Plan)}
OPTIONAL = {"outgoing_from_crm_only", "reads_unspecified", "trial", "trial_days", "after_trial"}
TYPES = {"integration": bool, "outgoing_from_crm_only": bool, "version": int, "trial_days": int}


def read(file: Path) -> Catalogue:
    """The catalogue in this TOML file. Raises CatalogueError, naming the plan and the line that cannot be used."""
    try:
        data = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{file}: {error}") from error
    rows = data.pop("plan", None)
    if not isinstance(rows, list) or not rows:
        raise CatalogueError(f"{file}: there is no [[plan]].")
    plans = [_plan(row, where=f"{file}, plan {number}") for number, row in enumerate(rows, 1)]
    keys = {field.name for field in fields(Catalogue)} - {"plans"}
    _check_keys(data, keys, where=str(file))
    made = Catalogue(plans=MappingProxyType({plan.key: plan for plan in plans}), **data)
    if len(made.plans) != len(plans):
        raise CatalogueError(f"{file}: two plans have the same key.")
    _check_references(made, where=str(file))
    return made


def _plan(row: dict[str, Any], *, where: str) -> Plan:
    where = f"{where} ({row.get('key', 'without a key')})"
    _check_keys(row, PLAN_KEYS, where=where)
    checked: dict[str, Any] = {
        key: _limit(value, f"{where}, {key}") if key in LIMITS else value for key, value in row.items()
    }
    plan = Plan(**checked)
    for name in ABOUT_WEBMAIL:
        if (getattr(plan, name) is NONE) is plan.integration:
            said = "has" if plan.integration else "has no"
            raise CatalogueError(
                f'{where}, {name}: the plan {said} integration, so this is {"not " if plan.integration else ""}"none".'
            )
    return plan


def _check_keys(row: dict[str, Any], keys: set[str], *, where: str) -> None:
    if unknown := row.keys() - keys:
        raise CatalogueError(f"{where}: {', '.join(sorted(unknown))} is not known here.")
    if missing := keys - OPTIONAL - row.keys():
        raise CatalogueError(f"{where}: {', '.join(sorted(missing))} is missing.")
    for key, value in row.items():
        if key not in LIMITS and type(value) is not TYPES.get(key, str):
            raise CatalogueError(f"{where}, {key}: {value!r} is no {TYPES.get(key, str).__name__}.")


def _limit(value: object, where: str) -> Limit:
    if type(value) is int and value >= 0:
        return value
    for special in Value:
        if value == special.value:
            return special
    raise CatalogueError(f'{where}: {value!r} is neither a number nor "unlimited", "unspecified" or "none".')


def _check_references(made: Catalogue, *, where: str) -> None:
    for key in ("opens_with", "trial", "after_trial"):
        plan = getattr(made, key)
        if plan and plan not in made.plans:
            raise CatalogueError(f"{where}, {key}: there is no plan {plan!r}.")
    if made.trial and not (made.after_trial and made.trial_days > 0):
        raise CatalogueError(f"{where}: a trial needs trial_days above 0 and after_trial.")
    for plan in made.plans.values():
        if any(getattr(plan, name) is UNSPECIFIED for name in LIMITS):
            check_reading(made, plan.reads_unspecified, where=f"{where}, plan {plan.key}, reads_unspecified")


def check_reading(made: Catalogue, reading: str, *, where: str) -> None:
    """Raise CatalogueError unless the text says how to read `unspecified`: unlimited, zero, as:<plan>."""
    if reading in {"unlimited", "zero"}:
        return
    other = made.plans.get(reading.removeprefix("as:")) if reading.startswith("as:") else None
    if other is None:
        raise CatalogueError(f'{where}: {reading!r} is not "unlimited", "zero" or "as:" with a plan\'s key.')
    if any(getattr(other, name) is UNSPECIFIED for name in LIMITS):
        raise CatalogueError(f"{where}: plan {other.key} is itself unspecified.")
