"""The comparison page's content, drawn from the catalogue that the code enforces (R3)."""

from dataclasses import dataclass
from typing import cast

from letterdesk.accounts.models import Account

from .catalogue import catalogue
from .limits import plan_of
from .rows import NONE, UNLIMITED, Limit, Plan

LABELS = {
    "integration": "Mailbox integration (Webmail)",
    "mailboxes_per_employee": "Connected mailboxes per employee",
    "shared_mailboxes": "Shared mailboxes per account",
    "days_kept": "Days a message stays in Webmail",
    "days_fetched": "Days of mail fetched when a mailbox is connected, at most",
    "outgoing_per_month": "Outgoing e-mails per month",
}


@dataclass(frozen=True)
class Column:
    """A plan. `is_current`: the account asking is on it now."""

    key: str
    name: str
    is_current: bool


@dataclass(frozen=True)
class Row:
    """A line of the table: its name, and a text per column."""

    key: str
    label: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """The table of all plans."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def compare(account: Account | None = None) -> Comparison:
    """The table, with the account's own plan marked."""
    plans = tuple(catalogue().plans.values())
    current = plan_of(account).key if account else ""
    columns = tuple(Column(plan.key, plan.name, is_current=plan.key == current) for plan in plans)
    rows = tuple(Row(key, label, tuple(_cell(plan, key) for plan in plans)) for key, label in LABELS.items())
    return Comparison(columns, rows)


def _cell(plan: Plan, key: str) -> str:
    if key == "integration":
        return "yes" if plan.integration else "no"
    text = _words(cast("Limit", getattr(plan, key)))
    return f"{text}, from CRM only" if key == "outgoing_per_month" and plan.outgoing_from_crm_only else text


def _words(limit: Limit) -> str:
    if isinstance(limit, int):
        return f"{limit:,}"
    return {UNLIMITED: "unlimited", NONE: "–"}.get(limit, "not specified")
