"""The style sheet of all pages in one file: joined when the process starts, named by its content, kept for a year.

One file per component to write, one answer to fetch: two dozen small ones cost the first visit a round trip each, and
pack worse.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings

FOLDER = Path(__file__).resolve().parent / "static/web/css"
PREFIX = "web/all-"
COMMENT, SPACE = re.compile(rb"/\*.*?\*/", re.DOTALL), re.compile(rb"\s+")
# In their order: of two rules that weigh the same, the later one holds. print.css and noscript.css stay apart.
SHEETS = (
    "layers", "reset", "tokens", "base", "layout", "components/button", "components/rail", "components/nav",
    "components/toolbar", "components/row", "components/bulk", "components/chip", "components/conversation",
    "components/menu", "components/banner", "components/form", "components/card", "components/table",
    "components/wizard", "components/grid", "components/palette", "components/task", "components/crm",
    "components/compose", "components/talk", "components/leaving", "components/team", "utilities",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sheet:
    """The joined file, and its address below the host."""

    address: str
    content: bytes


def sheet() -> Sheet:
    """The sheet as it is now; while debugging it is joined anew when a file was written."""
    return _joined(max(_path(name).stat().st_mtime_ns for name in SHEETS) if settings.DEBUG else 0)


@lru_cache(maxsize=1)
def _joined(_written_at: int) -> Sheet:
    written = b"\n".join(_path(name).read_bytes() for name in SHEETS)
    content = SPACE.sub(b" ", COMMENT.sub(b"", written))
    name = hashlib.sha256(content).hexdigest()[:12]
    return Sheet(f"{settings.STATIC_URL}{PREFIX}{name}.css", content)


def _path(name: str) -> Path:
    return FOLDER / f"{name}.css"
