"""Lets SQLite know how tables are filled, as PostgreSQL learns by itself (autovacuum).

Not knowing, it takes whatever an index of ours begins with – the account – for ten rows, and reads all records of a
company to find fifty of them by their keys.
"""

from collections.abc import Iterable

from django.db import connection

LOOKED_AT = 10_000  # rows of each index: some milliseconds; with a limit SQLite keeps no samples of what rows say (F13)
SMALL = 10_000  # rows


def look_at(tables: Iterable[str]) -> None:
    """Tell SQLite how these tables are filled. Nothing of small ones: they may grow, and the few rows would mislead."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit = {LOOKED_AT}")
        for table in tables:
            cursor.execute(f'ANALYZE "{table}"')
            cursor.execute("SELECT CAST(stat AS INTEGER) FROM sqlite_stat1 WHERE tbl = %s", [table])
            if max((rows for (rows,) in cursor.fetchall()), default=0) < SMALL:
                cursor.execute("DELETE FROM sqlite_stat1 WHERE tbl = %s", [table])
        cursor.execute("PRAGMA analysis_limit = 0")
