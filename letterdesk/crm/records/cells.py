"""Several names in one cell of a file: semicolons between them, and quotes around one that has such signs itself."""

import re
from collections.abc import Iterable

_SIGNS = re.compile(r'[;,"\n\r]')
_NAME = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?:[;,\n\r]|$)|([^;,\n\r]*)(?:[;,\n\r]|$)')


def joined(names: Iterable[str]) -> str:
    """A cell that has these names."""
    quoted = ('"{}"'.format(name.replace('"', '""')) if _SIGNS.search(name) else name for name in names)
    return "; ".join(quoted)


def names_in(cell: str) -> list[str]:
    """The names of a cell, with semicolons, commas or line ends between them; quotes within a name are part of it."""
    found = (said[1].replace('""', '"') if said[1] is not None else said[2] for said in _NAME.finditer(cell))
    return [name.strip() for name in found if name.strip()]
