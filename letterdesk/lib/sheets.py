"""Tables for spreadsheets, in which no cell becomes a formula (C24)."""

import csv
import io
from collections.abc import Iterable, Sequence

BEGIN_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def as_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lines with commas, in quotes where needed, CRLF at their ends (RFC 4180)."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([harmless(each) for each in head])
    writer.writerows([harmless(each) for each in row] for row in rows)
    return written.getvalue()


def harmless(cell: object) -> object:
    """A text that would begin a formula gets an apostrophe before it; numbers stay numbers, None is empty."""
    if cell is None:
        return ""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(BEGIN_FORMULAS):
        return f"'{cell}"
    return cell
