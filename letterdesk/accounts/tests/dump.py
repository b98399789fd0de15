"""Everything that the database holds, as text: what pg_dump or a copy of the SQLite file would give away."""

from django.db import connection


def everything_stored() -> str:
    """All rows of all tables."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'select * from "{table}"')
            found.extend(repr(row) for row in cursor.fetchall())
    return "\n".join(found)
