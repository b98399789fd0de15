"""The documentation is complete: every setting, command, event, limit and job is in it."""

import ast
import re
from pathlib import Path

import pytest
import typer.main
from django.utils.module_loading import import_string

ROOT = Path(__file__).resolve().parent.parent
READERS = {"text", "flag", "words", "kept_secret", "number"}


def settings_read_from_the_environment() -> set[str]:
    """Names passed to the readers of config/environment.py, and those read from os.environ."""
    names = set()
    for path in (ROOT / "letterdesk").rglob("*.py"):
        if "tests" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                value = node.args[0].value
                is_environment = called in READERS or "environ" in ast.unparse(node.func)
                if is_environment and isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z0-9_]{3,}", value):
                    names.add(value)
    return names - {"DJANGO_SETTINGS_MODULE"}


def commands() -> set[str]:
    """All commands as they are typed: "mailbox connect"."""
    app = typer.main.get_command(import_string("letterdesk.cli.app.app"))
    found = set()
    for name, command in app.commands.items():
        inner = getattr(command, "commands", None)
        found |= {f"{name} {sub}" for sub in inner} if inner else {name}
    return found


@pytest.mark.parametrize("name", sorted(settings_read_from_the_environment()))
def test_every_setting_is_documented(name):
    assert f"`{name}`" in (ROOT / "docs/settings.md").read_text("utf-8")


def test_every_command_is_documented():
    page = (ROOT / "docs/commands.md").read_text("utf-8")
    assert not [command for command in commands() if f"letterdesk {command}" not in page]


def test_every_event_is_documented():
    kinds = import_string("letterdesk.events.kinds.KINDS")
    page = (ROOT / "docs/events.md").read_text("utf-8")
    assert not [kind for kind in kinds if f"`{kind}`" not in page]


def test_every_limit_is_documented():
    page = (ROOT / "docs/plans.md").read_text("utf-8")
    terms = import_string("letterdesk.plans.catalogue.Terms")
    assert not [name for name in terms.__dataclass_fields__ if f"`{name}`" not in page]


def test_links_between_the_pages_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8"))
        if not target.startswith(("http:", "https:", "mailto:")) and not (page.parent / target).exists()
    ]
    assert not broken


def test_the_requirements_are_hashed_and_name_no_address():
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text("utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text, path
