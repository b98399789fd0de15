"""The settings that are read from URLs."""

from letterdesk.config.environment import database, pooled


def test_web_processes_draw_from_a_pool_on_postgresql():
    entry = pooled(database("postgresql://ines:secret@db.example:5433/letterdesk?sslmode=require"))

    assert entry["CONN_MAX_AGE"] == 0  # Django refuses a pool beside it
    assert entry["OPTIONS"]["sslmode"] == "require"
    assert entry["OPTIONS"]["pool"]["max_size"] == 20


def test_postgresql_compiles_no_statements_unless_the_address_says_otherwise():
    assert database("postgresql://db.example/letterdesk")["OPTIONS"] == {"options": "-c jit=off"}
    assert database("postgresql://db.example/letterdesk?options=")["OPTIONS"] == {"options": ""}


def test_sqlite_has_no_pool():
    entry = database("sqlite:////data/letterdesk.sqlite3")

    assert pooled(entry) == entry


def test_other_processes_keep_their_connection():
    assert database("postgresql://db.example/letterdesk")["CONN_MAX_AGE"] == 60
