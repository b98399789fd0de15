"""How commands answer: for people, or with --json for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import date, datetime
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]

asked_for_json: ContextVar[bool] = ContextVar("asked_for_json", default=False)
console = Console(highlight=False)
problems = Console(stderr=True, highlight=False)


def answer(facts: Mapping[str, Any], *, as_json: bool, text: str = "") -> None:
    """Print one result: `text` for people, else `facts` line by line; with `as_json` the facts."""
    if as_json:
        _print_json(facts)
    elif text:
        console.print(text, markup=False)
    else:
        for name, value in facts.items():
            console.print(f"{name.replace('_', ' ')}: {value}", markup=False)


def table(rows: Sequence[Mapping[str, Any]], *, as_json: bool, title: str = "", empty: str = "Nothing here.") -> None:
    """Print rows as a table whose columns are the keys of the first; with `as_json` as a list."""
    if as_json:
        _print_json(rows)
        return
    if not rows:
        console.print(empty, markup=False)
        return
    drawn = Table(title=title or None, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name, last in zip(rows[0], [*[False] * (len(rows[0]) - 1), True], strict=True):
        numeric = isinstance(rows[0][name], int) and not isinstance(rows[0][name], bool)
        drawn.add_column(name.replace("_", " "), justify="right" if numeric else "left", no_wrap=not last)
    for row in rows:
        drawn.add_row(*(_cell(value) for value in row.values()))
    console.print(drawn)


def fail(code: str, text: str, *, status: int = 1) -> typer.Exit:
    """Tell an error by its name and in words; returns the exception that ends the command with `status`."""
    if asked_for_json.get():
        _print_json({"error": code, "text": text})
    else:
        problems.print(f"{text} ({code})", markup=False)
    return typer.Exit(status)


def _cell(value: object) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}Z"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def _print_json(facts: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> None:
    sys.stdout.write(json.dumps(facts, ensure_ascii=False, indent=2, default=_plain) + "\n")


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
