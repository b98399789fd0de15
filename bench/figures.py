"""The table of a run, and what went wrong in it."""

import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass
class Figures:
    """The rows of the table: what, ours, what it is beside or has to reach, and the ratio."""

    rows: list[dict[str, str]] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, what: str, ours: str, beside: str = "–", ratio: str = "–") -> None:
        """One figure; printed at once, since a round takes long."""
        self.rows.append({"what": what, "ours": ours, "beside": beside, "ratio": ratio})
        print(f"{what}: {ours}  [{beside}] {ratio}", file=sys.stderr, flush=True)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """A step whose failure is told, stands in the table and in the exit code, and stops no other step."""
        begin = time.perf_counter()
        try:
            yield
        except Exception as error:
            traceback.print_exc()
            self.failures.append(what)
            self.add(what, f"failed: {str(error).strip().splitlines()[-1] if str(error).strip() else repr(error)}")
        self.raw.setdefault("step_seconds", {})[what] = round(time.perf_counter() - begin, 1)

    def show(self) -> None:
        """The whole table."""
        drawn = Table(title="Letterdesk beside its peers, same machine, same run", title_justify="left")
        for name in ("what", "ours", "beside", "ratio"):
            drawn.add_column(name)
        for row in self.rows:
            drawn.add_row(*row.values())
        Console(markup=False).print(drawn)
