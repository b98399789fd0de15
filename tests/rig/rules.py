"""Which tests prove which rule of mail storage: read from where tests name rules, written to docs/rules.md.

A test names a rule beside its name (`def test_…():  # R29`) or in its docstring; a file in its first docstring.
python -m tests.rig.rules --write      # after adding or renaming such a test
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "docs" / "rules.md"
BEGIN, END = "<!-- rules: written by python -m tests.rig.rules --write -->", "<!-- end of rules -->"
RULES = tuple(f"R{number}" for number in range(1, 31))
NAMED = re.compile(r"\bR([1-9]|[12]\d|30)\b(?:\s?[–-]\s?R?([1-9]|[12]\d|30)\b)?")
NOT_YET = re.compile(r"^- \*\*(R\d+)\*\* (.{10,})$", re.MULTILINE)
WHOLE = "all of it"


def rules_in(text: str) -> set[str]:
    """The rules that a text names: "R1–R3, R14"."""
    return {f"R{number}" for first, last in NAMED.findall(text) for number in range(int(first), int(last or first) + 1)}


@cache
def proofs(root: Path = ROOT) -> dict[str, dict[str, list[str]]]:
    """Rule → file → its tests that name the rule; WHOLE where the file as a whole does."""
    found: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for folder in ("letterdesk", "tests"):
        for path in sorted((root / folder).rglob("test_*.py")):
            for rule, name in _named_in(path.read_text("utf-8")):
                found[rule][str(path.relative_to(root))].append(name)
    return {rule: dict(files) for rule, files in found.items()}


def _named_in(text: str) -> Iterator[tuple[str, str]]:
    tree, lines = ast.parse(text), text.splitlines()
    everywhere = rules_in(ast.get_docstring(tree) or "")
    yield from ((rule, WHOLE) for rule in sorted(everywhere))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            head = "\n".join(line.partition("#")[2] for line in lines[node.lineno - 1 : node.body[0].lineno - 1])
            named = rules_in(f"{head} {ast.get_docstring(node) or ''}")
            yield from ((rule, node.name) for rule in sorted(named - everywhere))


def not_yet(text: str) -> dict[str, str]:
    """Rule → why no test proves it yet, from the document's lines below the table."""
    return dict(NOT_YET.findall(text.partition(END)[2]))


def table() -> str:
    """The table of rules and their tests."""
    found = proofs()
    lines = ["| Rule | Proved by |", "|---|---|"]
    for rule in RULES:
        if rule in found:
            cells = [f"`{path}`: {', '.join(names)}" for path, names in sorted(found[rule].items())]
            lines.append(f"| {rule} | {'<br>'.join(cells)} |")
    return "\n".join(lines)


def written(text: str) -> str:
    """The document with the table of now; what is proved is no longer called missing."""
    before, _begin, rest = text.partition(BEGIN)
    _old, _end, after = rest.partition(END)
    proved = proofs()
    kept = [line for line in after.splitlines() if not (gap := NOT_YET.match(line)) or gap[1] not in proved]
    left = "\n".join(kept)
    return f"{before}{BEGIN}\n{table()}\n{END}{left}\n"


if __name__ == "__main__" and "--write" in sys.argv:
    DOCUMENT.write_text(written(DOCUMENT.read_text("utf-8")), "utf-8")
