"""Fresh databases for the steps: migrated once in a run, then copied."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

POSTGRES = os.environ.get("BENCH_POSTGRES", "postgresql://postgres@127.0.0.1:5432")
PREFIX = "letterdesk_bench"


class Ground:
    """Hands out data folders and databases in which nothing is yet but the tables."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._template = work / "ground"
        self._made: list[str] = []
        self._migrated: set[str] = set()

    def fresh(self, purpose: str) -> dict[str, "Ours"]:
        """For SQLite always, for PostgreSQL where it answers: our processes on tables without rows."""
        found = {"sqlite": self._sqlite(purpose)}
        try:
            found["postgresql"] = self._postgres(purpose)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"PostgreSQL at {POSTGRES} does not answer: {error}", file=sys.stderr)
        return found

    def sqlite(self, purpose: str) -> "Ours":
        """Our processes on SQLite alone."""
        return self._sqlite(purpose)

    def copy(self, laid: "Ours", purpose: str) -> "Ours":
        """What was laid into a store, once more, in a store of its own; nobody works on the first meanwhile."""
        data = self._work / f"{purpose}-{'postgresql' if laid.database else 'sqlite'}"
        if laid.data.exists():
            shutil.copytree(laid.data, data)
        if not laid.database:
            return Ours(data, "")
        self._create(f"{PREFIX}_{purpose}", laid.database.rpartition("/")[2])
        return Ours(data, f"{POSTGRES}/{PREFIX}_{purpose}")

    def clear(self) -> None:
        """Drop the databases of this run."""
        for name in self._made:
            self._order(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _sqlite(self, purpose: str) -> "Ours":
        if "sqlite" not in self._migrated:
            Ours(self._template, "").command("migrate")
            self._migrated.add("sqlite")
        shutil.copytree(self._template, self._work / f"{purpose}-sqlite")
        return Ours(self._work / f"{purpose}-sqlite", "")

    def _postgres(self, purpose: str) -> "Ours":
        template, name = f"{PREFIX}_ground", f"{PREFIX}_{purpose}"
        if "postgresql" not in self._migrated:
            self._create(template, "template1")
            Ours(self._work / "ground-postgresql", f"{POSTGRES}/{template}").command("migrate")
            self._migrated.add("postgresql")
        self._create(name, template)
        return Ours(self._work / f"{purpose}-postgresql", f"{POSTGRES}/{name}")

    def _create(self, name: str, template: str) -> None:
        self._order(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self._made.append(name)
        self._order(f"CREATE DATABASE {name} TEMPLATE {template}")

    def _order(self, order: str) -> None:
        subprocess.run(["psql", f"{POSTGRES}/postgres", "-q", "-c", order], check=True, capture_output=True, text=True)


class Ours:
    """Letterdesk on one data folder and one database, in processes of its own."""

    def __init__(self, data: Path, database: str) -> None:
        self.data = data
        self.database = database
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("LETTERDESK_", "DATABASE_"))},
            **({"DATABASE_URL": database} if database else {}),
            "LETTERDESK_DATA": str(data),
            "LETTERDESK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "EMAIL_URL": "none://",
        }

    def command(self, *words: str) -> None:
        """Run `letterdesk <words>`."""
        self._run("letterdesk", *words)

    def measure(self, module: str, *words: str) -> dict[str, Any]:
        """Run one of our measuring modules; returns the JSON object that it prints last."""
        answer: dict[str, Any] = json.loads(self._run(module, *words).splitlines()[-1])
        return answer

    def _run(self, module: str, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module, *words], env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{module} {words[0]} ended with {done.returncode}:\n{done.stderr[-3000:]}")
        return done.stdout
