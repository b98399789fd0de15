"""Who is away: they say so themselves, with the last day of it. Nothing comes to them in turn meanwhile."""

from datetime import date, datetime

from .models import Employee
from .zones import zone_of


def is_away(employee: Employee, now: datetime) -> bool:
    """Whether the employee is away at `now`: to the end of their last day away, in their time zone."""
    return employee.away_until is not None and now.astimezone(zone_of(employee)).date() <= employee.away_until


def is_here(employee: Employee, now: datetime) -> bool:
    """Whether work can come to the employee at `now`: they work here, and are not away."""
    return employee.is_active and employee.dismissed_at is None and not is_away(employee, now)


def be_away(employee: Employee, until: date | None) -> None:
    """The employee is away to the end of this day; None: they are here."""
    employee.away_until = until
    employee.save(update_fields=["away_until"])
