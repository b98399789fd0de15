"""Writing what is not worth a wait: whoever writes to the database meanwhile is waited for a moment alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection


@contextmanager
def impatient(seconds: float) -> Iterator[None]:
    """Inside the block a lock that others hold is waited for so long alone. Outside any transaction.

    Raises OperationalError where the lock was not to be had, or the database cannot be reached.
    """
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        usual = round(connection.settings_dict["OPTIONS"].get("timeout", 5) * 1000)
        hurry, rest = f"PRAGMA busy_timeout = {round(seconds * 1000)}", f"PRAGMA busy_timeout = {usual}"
    else:
        hurry, rest = f"SET lock_timeout = {round(seconds * 1000)}", "RESET lock_timeout"
    _say(hurry)
    try:
        yield
    finally:
        try:
            _say(rest)
        except DatabaseError:
            connection.close()  # nobody after us is to be as impatient


def _say(words: str) -> None:
    with connection.wrap_database_errors:
        connection.connection.execute(words)
