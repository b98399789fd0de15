"""The database of the tests: how it comes about, and how it is emptied after a test with real transactions.

A migrated SQLite database, made once for each state of the migrations and then copied: migrating takes seconds.
"""

import fcntl
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.db import connection, transaction

ROOT = Path(__file__).resolve().parent.parent.parent
LEFT = {"django_migrations", "django_content_type", "auth_permission"}  # as they are after migrating
WRITTEN_MEANWHILE = ("_tally", "_removedwords")  # by triggers
KEPT = ROOT / "build" / "test-database"


def migrated(target: Path) -> Path:
    """Put an empty, migrated database at `target`; of several processes that want one, the first makes it."""
    KEPT.mkdir(parents=True, exist_ok=True)
    template = KEPT / f"{_state()}.sqlite3"
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not template.exists():
            _make(template)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(template, target)
    return target


def _make(template: Path) -> None:
    for old in KEPT.glob("*.sqlite3*"):
        old.unlink()
    unfinished = template.with_suffix(".sqlite3-new")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LETTERDESK_", "JOBS_"))}
    subprocess.run(
        [sys.executable, ROOT / "manage.py", "migrate", "--verbosity", "0"],
        env={**environment, "DATABASE_URL": f"sqlite:///{unfinished}", "LETTERDESK_DATA": str(KEPT / "data")},
        cwd=ROOT,
        check=True,
    )
    unfinished.rename(template)


def _state() -> str:
    """What a migrated database depends on, as a short word."""
    state = hashlib.sha256(f"{sqlite3.sqlite_version} {sys.version}".encode())
    for library in ("django", "django-allauth"):
        state.update(version(library).encode())
    for path in [*sorted(ROOT.glob("letterdesk/*/migrations/*.py")), ROOT / "letterdesk/config/settings.py"]:
        state.update(path.read_bytes())
    return state.hexdigest()[:16]


def empty(*_: Any) -> None:
    """Take all rows out. Django's own way truncates each table, a third of a second on PostgreSQL, and makes the
    rows about models anew each time; here those stay."""
    tables = [name for name in connection.introspection.django_table_names(only_existing=True) if name not in LEFT]
    with transaction.atomic(), connection.cursor() as cursor:  # foreign keys are looked at when it is committed
        for name in [*tables, *(name for name in tables if name.endswith(WRITTEN_MEANWHILE))]:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(name)}")
