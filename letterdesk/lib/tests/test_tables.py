"""SQLite knows how large tables are filled, and nothing that would mislead it or outlive what was deleted."""

import pytest
from django.db import connection

from letterdesk.accounts.models import Account
from letterdesk.crm.jobs import look_at_tables
from letterdesk.lib import tables

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL learns by itself (autovacuum)"),
]


def known(table):
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE name = %s", [table])
        if not cursor.fetchall():
            return []
        cursor.execute(f"SELECT * FROM {table}")
        return cursor.fetchall()


def test_of_large_tables_it_is_known_how_they_are_filled_and_no_more(monkeypatch):
    """F13: no value of a row is kept."""
    monkeypatch.setattr(tables, "SMALL", 20)
    Account.objects.bulk_create(Account(name=f"Secret {number}") for number in range(30))
    tables.look_at(["accounts_account", "accounts_department"])
    said = known("sqlite_stat1")
    assert {table for table, _index, _stat in said} == {"accounts_account"} and "Secret" not in str(said)
    assert known("sqlite_stat4") == []
    monkeypatch.setattr(tables, "SMALL", 40)
    tables.look_at(["accounts_account"])
    assert known("sqlite_stat1") == []  # it is small again


def test_the_job_looks_at_the_tables_of_crm(monkeypatch):
    looked_at = []
    monkeypatch.setattr("letterdesk.crm.jobs.look_at", looked_at.extend)
    look_at_tables.now()
    assert {"crm_record", "crm_binding", "crm_activity"} <= set(looked_at)
    assert all(name.startswith("crm_") for name in looked_at) and "crm_found" not in looked_at
