"""What a plan catalogue consists of."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from types import MappingProxyType


class Value(Enum):
    """Limits that are no numbers. Each is a value of its own: never None, never 0, never a big number."""

    UNLIMITED = "unlimited"
    UNSPECIFIED = "unspecified"
    NONE = "none"  # the plan has nothing of the kind: a dash in the table


UNLIMITED, UNSPECIFIED, NONE = Value.UNLIMITED, Value.UNSPECIFIED, Value.NONE
Limit = int | Value
LIMITS = ("mailboxes_per_employee", "shared_mailboxes", "days_kept", "days_fetched", "outgoing_per_month")
ABOUT_WEBMAIL = LIMITS[:4]


class CatalogueError(Exception):
    """A catalogue file that cannot be used; the text says where and why."""


class UnknownPlan(CatalogueError):
    """A plan's key that the catalogue does not have."""


@dataclass(frozen=True)
class Plan:
    """A row of the catalogue as it is written there. Numbers: mailboxes, days of 24 hours, messages."""

    key: str
    name: str
    integration: bool  # R1, R2
    mailboxes_per_employee: Limit  # R14
    shared_mailboxes: Limit  # R15
    days_kept: Limit  # R18
    days_fetched: Limit  # R21
    outgoing_per_month: Limit  # R22
    outgoing_from_crm_only: bool = False  # R24
    reads_unspecified: str = ""  # R25: "unlimited", "zero" or "as:<plan>"


@dataclass(frozen=True)
class Catalogue:
    """All plans in the order of the file. `trial` is "" where nothing ends by the clock."""

    name: str
    version: int
    opens_with: str
    plans: MappingProxyType[str, Plan]
    trial: str = ""
    trial_days: int = 0
    after_trial: str = ""
    editions: "tuple[Edition, ...]" = ()  # later ones, the earliest first

    def at(self, now: datetime) -> "Catalogue":
        """The edition in force at `now`: a function of the clock alone (R11)."""
        begun = [edition.catalogue for edition in self.editions if now >= edition.begins_at]
        return begun[-1] if begun else self

    def plan(self, key: str) -> Plan:
        """The plan of that key, else UnknownPlan. A catalogue of one plan has that one for everyone."""
        if len(self.plans) == 1:
            return next(iter(self.plans.values()))
        if key not in self.plans:
            raise UnknownPlan(f"Catalogue {self.name} has no plan {key!r}: it has {', '.join(self.plans)}.")
        return self.plans[key]


@dataclass(frozen=True)
class Edition:
    """From `begins_at` (midnight in UTC) on this is the catalogue, all of its plans included."""

    begins_at: datetime
    catalogue: Catalogue
