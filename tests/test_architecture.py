"""The house keeps its shape: sizes, floors, access, and no magic. ARCHITECTURE.md explains what is held here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parent.parent
FLOORS = (
    "accounts",
    "events",
    "plans",
    "mailboxes",
    "sync",
    "outbound",
    "team",
    "crm",
    "tasks",
    "notifications",
    "tenancy",
    "web",
)


def sources(folder: str = "letterdesk") -> Iterator[Path]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        if "migrations" not in path.parts:
            yield path


def product_sources() -> list[Path]:
    return [path for path in sources() if "tests" not in path.parts]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize(
    "path", [*sources(), *sources("tests"), *sources("bench")], ids=lambda p: str(p.relative_to(ROOT))
)
def test_no_file_is_longer_than_400_lines(path):
    assert len(path.read_text("utf-8").splitlines()) <= 400


def test_no_function_is_longer_than_40_lines():
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name} ({node.end_lineno - node.lineno + 1})"
        for path in product_sources()
        for node in functions(path)
        if (node.end_lineno or node.lineno) - node.lineno + 1 > 40
    ]
    assert not long


def test_public_functions_carry_docstrings():
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in product_sources()
        if path.name != "apps.py"
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert not silent


def test_no_foreign_key_climbs_the_stairs():
    """import-linter does not see string references; the models themselves do."""
    rooms = {f"letterdesk.{room}": floor for floor, room in enumerate(FLOORS)}
    for model in apps.get_models():
        here = rooms.get(model._meta.app_config.name)
        if here is None:
            continue
        for field in model._meta.get_fields():
            if field.concrete and field.is_relation:
                there = rooms.get(field.related_model._meta.app_config.name, -1)
                assert there <= here, f"{model.__name__}.{field.name} climbs to {field.related_model.__name__}"


def test_every_row_of_the_store_names_its_account():
    without = {"Account", "SyncProcess", "SweepClock", "CacheEntry"}  # the last is the table of Django's own cache
    for model in apps.get_models():
        if model._meta.app_config.name.startswith("letterdesk.") and model.__name__ not in without:
            assert "account" in {field.name for field in model._meta.get_fields()}, model.__name__


def test_the_faces_fetch_through_the_access_checks_alone():
    """`objects.get` and the like in web/ are refused: visible_to() or editable_by() comes first (P9)."""
    refused = re.compile(r"\.objects\s*\.(get|filter|all|exclude|first|last|values|in_bulk)\b|_default_manager")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in product_sources()
        if path.relative_to(ROOT).parts[1] == "web"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if refused.search(line)
    ]
    assert not found


def test_there_are_no_signals_and_no_attic():
    for path in product_sources():
        text = path.read_text("utf-8")
        assert "django.dispatch" not in text and "models.signals" not in text, path
    attic = {"core", "common", "utils", "services", "helpers"}
    assert not [path for path in (ROOT / "letterdesk").rglob("*") if path.stem in attic]


def test_no_sandbox_lets_mail_into_our_origin():
    """C14: `allow-same-origin` in a frame of ours would cancel the sandbox."""
    for path in (ROOT / "letterdesk").rglob("*"):
        if path.suffix in {".html", ".js", ".py"} and "tests" not in path.parts:
            for sandbox in re.findall(r"sandbox=[\"']([^\"']*)", path.read_text("utf-8")):
                assert "allow-same-origin" not in sandbox, path


def test_who_locks_a_row_locks_no_other_by_a_join():
    """PostgreSQL locks the rows of all tables that are joined: a mailbox and its account, in the wrong order."""
    found = [f"{path.relative_to(ROOT)}:{line}" for path in product_sources() for line in locked_by_joins(path)]
    assert not found


def locked_by_joins(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        calls = list(chain_of(node)) if isinstance(node, ast.Call) else []
        locks = [call for name, call in calls if name == "select_for_update"]
        if locks and "select_related" in dict(calls) and not any(each.arg == "of" for each in locks[0].keywords):
            yield node.lineno


def chain_of(call: ast.Call) -> Iterator[tuple[str, ast.Call]]:
    """The calls of a chain such as `a.b().c()`, by name."""
    node: ast.expr = call
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield node.func.attr, node
        node = node.func.value
