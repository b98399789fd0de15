"""What is at fault where something failed: what was asked for, or a database that is away, busy, full or too old."""

import traceback
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError

_ASKED_TOO_MUCH = "54"  # a statement or a row beyond PostgreSQL's limits (its manual, appendix A)
_MISSING = {"42P01", "42703"}  # a table, a column: the code is ahead of the database
_SQLITE_ERROR = 1  # SQLITE_ERROR: the statement; others are of files, locks and memory (sqlite.org/rescode.html)


def is_away(error: BaseException) -> bool:
    """Whether the same may succeed once the database is there, free and up to date; else what was asked is at fault."""
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, DatabaseError):
        return False
    cause: Any = error.__cause__
    state, code = getattr(cause, "sqlstate", None), getattr(cause, "sqlite_errorcode", None)
    if state in _MISSING:
        return True
    if not isinstance(error, OperationalError):
        return False
    if code is not None:
        return bool(code & 0xFF != _SQLITE_ERROR) or str(error).startswith("no such ")
    return not str(state or "").startswith(_ASKED_TOO_MUCH)


def places_of(error: BaseException) -> str:
    """Where it happened, for the log: without its text, which could quote a letter."""
    return "".join(traceback.format_tb(error.__traceback__))
