"""The comparison page's content, drawn from the catalogue that the code enforces (R3)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from letterdesk.accounts.models import Account

from .catalogue import catalogue, later_editions
from .limits import plan_of
from .rows import NONE, UNLIMITED, Catalogue, Limit, Plan

LABELS = {
    "integration": gettext_noop("Mailbox integration (Webmail)"),
    "mailboxes_per_employee": gettext_noop("Connected mailboxes per employee"),
    "shared_mailboxes": gettext_noop("Shared mailboxes per account"),
    "days_kept": gettext_noop("Days a message stays in Webmail"),
    "days_fetched": gettext_noop("Days of mail fetched when a mailbox is connected, at most"),
    "outgoing_per_month": gettext_noop("Outgoing e-mails per month"),
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
class Difference:
    """A cell that an edition writes anew. `before` is "" where the plan itself is new."""

    plan: str
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Later:
    """What is different from that day on, which begins at midnight in UTC."""

    day: date
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Comparison:
    """The table of all plans, and what editions that are known already will change in it, the earliest first."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    later: tuple[Later, ...] = ()


def compare(account: Account | None = None, *, now: datetime | None = None) -> Comparison:
    """The table as it is at `now` (None: at this moment), with the account's own plan marked."""
    now = now or timezone.now()
    shelf = catalogue(now)
    plans = tuple(shelf.plans.values())
    current = plan_of(account, now=now).key if account else ""
    columns = tuple(Column(plan.key, plan.name, is_current=plan.key == current) for plan in plans)
    rows = tuple(Row(key, _(label), tuple(_cell(plan, key) for plan in plans)) for key, label in LABELS.items())
    return Comparison(columns, rows, _later(shelf, now))


def _later(shelf: Catalogue, now: datetime) -> tuple[Later, ...]:
    told = []
    for edition in later_editions(now):
        differences = _differences(shelf, edition.catalogue)
        if differences:
            told.append(Later(edition.begins_at.date(), differences))
        shelf = edition.catalogue
    return tuple(told)


def _differences(before: Catalogue, after: Catalogue) -> tuple[Difference, ...]:
    found = []
    for plan in after.plans.values():
        old = before.plans.get(plan.key)
        for key, label in LABELS.items():
            was, becomes = _cell(old, key) if old else "", _cell(plan, key)
            if was != becomes:
                found.append(Difference(plan.name, _(label), was, becomes))
    return tuple(found)


def _cell(plan: Plan, key: str) -> str:
    if key == "integration":
        return _("yes") if plan.integration else _("no")
    text = _words(cast("Limit", getattr(plan, key)))
    crm_only = key == "outgoing_per_month" and plan.outgoing_from_crm_only
    return _("%(limit)s, from CRM only") % {"limit": text} if crm_only else text


def _words(limit: Limit) -> str:
    if isinstance(limit, int):
        return f"{limit:,}"
    return {UNLIMITED: _("unlimited"), NONE: "–"}.get(limit, _("not specified"))
