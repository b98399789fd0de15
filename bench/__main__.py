"""`python -m bench [--quick] [part …]`: figures beside their peers, in a table and in bench/results.json.

Without a part all are measured, in the order of PARTS. docs/benchmarks.md says how each figure is made.
"""

import json
import os
import platform
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from .figures import Figures
from .ground import Ground
from .parts import FULL, PARTS, QUICK, Round

RESULTS = Path(__file__).with_name("results.json")


def main() -> int:
    """Measure, print, write; 1 where a step failed."""
    size = QUICK if "--quick" in sys.argv else FULL
    wanted = [word for word in sys.argv[1:] if not word.startswith("-")] or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        sys.exit(f"There is no part {', '.join(sorted(unknown))}. The parts are: {', '.join(PARTS)}.")
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, ExitStack() as ending:
        Path(folder).chmod(0o755)
        ground = Ground(Path(folder))
        ending.callback(ground.clear)
        this = Round(size, Path(folder), ground, figures, ending)
        for name in wanted:
            with figures.step(name):
                PARTS[name](this)
    figures.show()
    facts = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
        "size": asdict(size),
        "parts": wanted,
        "failures": figures.failures,
        "rows": figures.rows,
        "raw": figures.raw,
    }
    RESULTS.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
    return 1 if figures.failures else 0


if __name__ == "__main__":
    sys.exit(main())
