"""Reads a catalogue file, and says in words what is wrong with it."""

import tomllib
from dataclasses import fields, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .rows import ABOUT_WEBMAIL, LIMITS, NONE, UNSPECIFIED, Catalogue, CatalogueError, Edition, Limit, Plan, Value

PLAN_KEYS = {field.name for field in fields(Plan)}
OPTIONAL = {"outgoing_from_crm_only", "reads_unspecified", "trial", "trial_days", "after_trial"}
TYPES = {"integration": bool, "outgoing_from_crm_only": bool, "version": int, "trial_days": int, "from": date}


def read(file: Path) -> Catalogue:
    """The catalogue in this TOML file. Raises CatalogueError, naming the plan and the line that cannot be used."""
    try:
        data = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{file}: {error}") from error
    plans, editions = _plans(data, where=str(file)), data.pop("edition", [])
    keys = {field.name for field in fields(Catalogue)} - {"plans", "editions"}
    _check_keys(data, keys, where=str(file))
    made = Catalogue(plans=MappingProxyType(plans), **data)
    _check_references(made, where=str(file))
    return replace(made, editions=_editions(made, editions, where=str(file)))


def _plans(table: dict[str, Any], *, where: str, name: str = "plan") -> dict[str, Plan]:
    """Takes the rows of plans out of the table; by their keys."""
    rows = table.pop("plan", None)
    if not _are_tables(rows) or not rows:
        raise CatalogueError(f"{where}: there is no [[{name}]].")
    plans = [_plan(row, where=f"{where}, plan {number}") for number, row in enumerate(rows, 1)]
    if len({plan.key for plan in plans}) != len(plans):
        raise CatalogueError(f"{where}: two plans have the same key.")
    return {plan.key: plan for plan in plans}


def _are_tables(rows: object) -> bool:
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


def _editions(first: Catalogue, tables: object, *, where: str) -> tuple[Edition, ...]:
    if not isinstance(tables, list) or not _are_tables(tables):
        raise CatalogueError(f"{where}: an edition is written as [[edition]].")
    made: list[Edition] = []
    for number, table in enumerate(tables, 1):
        edition = _edition(made[-1].catalogue if made else first, table, where=f"{where}, edition {number}")
        if made and edition.begins_at <= made[-1].begins_at:
            raise CatalogueError(f"{where}, edition {number}, from: it does not begin after the edition before it.")
        made.append(edition)
    return tuple(made)


def _edition(before: Catalogue, table: dict[str, Any], *, where: str) -> Edition:
    """The edition that follows `before`: rows replace those of the same key, others are new, and the rest stays."""
    rows = _plans(table, where=where, name="edition.plan")
    _check_keys(table, {"version", "from"}, where=where)
    if table["version"] <= before.version:
        raise CatalogueError(f"{where}, version: {table['version']} is not above {before.version}, the one before it.")
    if len(before.plans) == 1 and rows.keys() - before.plans.keys():
        raise CatalogueError(f"{where}: the only plan is everybody's, so that an edition cannot add another to it.")
    for plan in rows.values():
        if plan.key in before.plans and plan.integration is not before.plans[plan.key].integration:
            raise CatalogueError(  # R12: that would purge every account of the plan by the clock
                f"{where}, plan {plan.key}, integration: an edition does not give or take Webmail: sell a new plan."
            )
    made = replace(before, version=table["version"], plans=MappingProxyType({**before.plans, **rows}))
    _check_references(made, where=where)
    return Edition(datetime.combine(table["from"], time(), UTC), made)


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
