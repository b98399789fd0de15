"""The time zone in which somebody lives."""

import zoneinfo

from .models import Account, Employee


def zone_of(employee: Employee) -> zoneinfo.ZoneInfo:
    """Return the employee's time zone, else the account's, else UTC."""
    return _first(employee.time_zone, employee.account.time_zone)


def zone_of_account(account: Account) -> zoneinfo.ZoneInfo:
    """Return the account's time zone, else UTC: of days that are set for all of its people."""
    return _first(account.time_zone)


def _first(*names: str) -> zoneinfo.ZoneInfo:
    for name in names:
        try:
            return zoneinfo.ZoneInfo(name)
        except (ValueError, zoneinfo.ZoneInfoNotFoundError):
            continue
    return zoneinfo.ZoneInfo("UTC")
