"""How a letter came here, by what the last server wrote on top of it: over which way, and what it had checked.

Whoever sends a letter can write such lines as well, so only the topmost of each kind counts, and we tell who says it.
"""

import re
from dataclasses import dataclass

from letterdesk.mail.charsets import clean_line
from letterdesk.mail.headers import end_of_block

MOST = 128 * 1024  # bytes of a header block that are looked at
MOST_IN_FIELD = 8 * 1024

_FOLD = re.compile(r"\r?\n(?=[ \t])")
_FIELD = r"^{}[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)"
_BY = re.compile(r"\bby\s+([\w.-]{1,253})")
_WITH = re.compile(r"\bwith\s+([A-Za-z0-9]{2,12})")
_RESULT = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*(pass|fail|softfail|neutral|none|temperror|permerror)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Travel:
    """`encrypted`: the last hop; None: not said. `checks`: (spf, dkim or dmarc; result), said by `checked_by`."""

    by: str
    encrypted: bool | None
    checked_by: str
    checks: tuple[tuple[str, str], ...]


def read_travel(raw: bytes) -> Travel:
    """What the header of a letter says about its way."""
    end, _body = end_of_block(raw, 0, min(len(raw), MOST))
    block = raw[:end].decode("latin-1")
    received, results = _topmost(block, "Received"), _topmost(block, "Authentication-Results")
    way, by = _WITH.search(received), _BY.search(received)
    checked_by = results.partition(";")[0].split()
    checks: dict[str, str] = {}
    for name, result in _RESULT.findall(results):
        checks.setdefault(name.lower(), result.lower())
    return Travel(
        by=clean_line(by[1]) if by else "",
        encrypted=way[1].upper().rstrip("A").endswith("S") if way else None,  # RFC 3848: ESMTPS, ESMTPSA, LMTPS
        checked_by=clean_line(checked_by[0])[:253] if checked_by else "",
        checks=tuple(checks.items()),
    )


def _topmost(block: str, name: str) -> str:
    found = re.search(_FIELD.format(re.escape(name)), block, re.MULTILINE | re.IGNORECASE)
    return _FOLD.sub("", found[1][:MOST_IN_FIELD]).strip() if found else ""
