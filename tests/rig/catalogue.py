"""Which test proves which case: read from the tests' markers, written to docs/quality.md.

python -m tests.rig.catalogue --write      # after adding or renaming a test with @pytest.mark.case(…)
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from .cases import BEYOND, CASES

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "docs" / "quality.md"
BEGIN, END = "<!-- cases: written by python -m tests.rig.catalogue --write -->", "<!-- end of cases -->"
NOT_YET = re.compile(r"^- \*\*([A-Z]\d\d)\*\*:? (.{20,})$", re.MULTILINE)


@cache
def proofs_by_case(root: Path = ROOT) -> dict[str, list[str]]:
    """Case → "path::test", sorted, of every test below letterdesk/ and tests/ that names the case."""
    found: dict[str, list[str]] = defaultdict(list)
    for folder in ("letterdesk", "tests"):
        for path in sorted((root / folder).rglob("test_*.py")):
            for case, name in _cases_of(ast.parse(path.read_text("utf-8"))):
                found[case].append(f"{path.relative_to(root)}::{name}")
    return {case: sorted(set(tests)) for case, tests in sorted(found.items())}


def _cases_of(tree: ast.Module) -> Iterator[tuple[str, str]]:
    everywhere = [
        case
        for node in tree.body
        if isinstance(node, ast.Assign) and any(getattr(each, "id", "") == "pytestmark" for each in node.targets)
        for case in _named(node.value)
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            named = [case for decorator in node.decorator_list for case in _named(decorator)]
            yield from ((case, node.name) for case in (*everywhere, *named))


def _named(node: ast.expr) -> Iterator[str]:
    """The arguments of `pytest.mark.case(…)` inside an expression, also within `pytest.param(…, marks=…)`."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute) and each.func.attr == "case":
            yield from (word.value for word in each.args if isinstance(word, ast.Constant))


def not_yet(text: str) -> dict[str, str]:
    """Case → why there is no test yet, from the document's lines `- **A36** why…`."""
    return dict(NOT_YET.findall(text))


def table() -> str:
    """The table of cases and their tests."""
    named = proofs_by_case()
    waiting = not_yet(DOCUMENT.read_text("utf-8"))
    lines = ["| Case | What must hold | Proved by |", "|---|---|---|"]
    for case, promise in {**CASES, **BEYOND}.items():
        tests = named.get(case, [])
        proof = "<br>".join(_shown(tests)) or ("not yet, see below" if case in waiting else "**nothing**")
        lines.append(f"| {case} | {promise} | {proof} |")
    return "\n".join(lines)


def _shown(tests: list[str]) -> Iterator[str]:
    files: dict[str, list[str]] = defaultdict(list)
    for test in tests:
        path, _, name = test.partition("::")
        files[path].append(name)
    for path, names in files.items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        yield f"`{path}`: {', '.join(names[:3])}{more}"


def written(text: str) -> str:
    """The document with its table up to date."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    text = DOCUMENT.read_text("utf-8")
    if "--write" in sys.argv:
        DOCUMENT.write_text(written(text), "utf-8")
    elif text != written(text):
        sys.exit("docs/quality.md is not up to date: python -m tests.rig.catalogue --write")
