"""The steps of each room and the one migration that stands for them on a new database lead to the same tables."""

import os
import re
import sqlite3
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.rig.sampling import WHOLE

ROOT = Path(__file__).resolve().parents[1]
SQUASHED = sorted(ROOT.glob("letterdesk/*/migrations/*_squashed_*.py"))
ALL = "from django.core.management import call_command; call_command('migrate', verbosity=0)"
STEPS = """
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
steps = MigrationExecutor(connection)
steps.loader.replace_migrations = False
steps.loader.build_graph()
steps.migrate([leaf for leaf in steps.loader.graph.leaf_nodes() if "_squashed_" not in leaf[1]])
"""


@pytest.mark.parametrize("path", SQUASHED, ids=lambda path: path.parts[-3])
def test_what_stands_for_steps_stands_for_all_up_to_its_number(path):
    room, last = path.parts[-3], path.stem.rpartition("_")[2]
    migration = import_module(f"letterdesk.{room}.migrations.{path.stem}").Migration
    steps = [each.stem for each in sorted(path.parent.glob("0*.py")) if "_squashed_" not in each.stem]
    assert migration.replaces == [(room, step) for step in steps if step[:4] <= last]


@pytest.mark.sampled
@pytest.mark.skipif(not WHOLE, reason="half a minute; make proofs")
def test_both_ways_lead_to_the_same_tables(tmp_path):
    assert tables(tmp_path / "steps", STEPS) == tables(tmp_path / "all", ALL)


def tables(folder, how):
    """What a database has after it was migrated so, in one order and without the names that Django invents."""
    folder.mkdir()
    file = folder / "x.sqlite3"
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{file}", "LETTERDESK_DATA": str(folder)}
    environment["DJANGO_SETTINGS_MODULE"] = "letterdesk.config.settings"
    subprocess.run(
        [sys.executable, "-c", f"import django; django.setup()\n{how}"], env=environment, cwd=ROOT, check=True
    )
    database = sqlite3.connect(file)
    found = set()
    for kind, name, table, text in database.execute(
        "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master"
    ):
        if kind == "table":
            columns = database.execute('SELECT name, lower(type), "notnull", pk FROM pragma_table_info(?)', [name])
            keys = database.execute('SELECT "table", "from", "to" FROM pragma_foreign_key_list(?)', [name])
            found |= {(name, *column) for column in [*columns, *keys]}
            found |= {(name, rule) for rule in re.findall(r'CONSTRAINT "(\w+)" (?:CHECK|UNIQUE)', text)}
        elif text:
            found.add((kind, table, re.sub(r"_[0-9a-f]{8}|\s+", " ", text)))
    database.close()
    return found
