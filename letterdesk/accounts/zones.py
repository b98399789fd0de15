"""The time zone in which somebody lives."""

import zoneinfo

from .models import Employee


def zone_of(employee: Employee) -> zoneinfo.ZoneInfo:
    """Return the employee's time zone, else the account's, else UTC."""
    for name in (employee.time_zone, employee.account.time_zone):
        try:
            return zoneinfo.ZoneInfo(name)
        except (ValueError, zoneinfo.ZoneInfoNotFoundError):
            continue
    return zoneinfo.ZoneInfo("UTC")
