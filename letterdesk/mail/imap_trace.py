"""The last lines of a protocol conversation, for diagnostics: no secrets, no content of letters (hard rule 15)."""

import re
from collections import deque
from time import monotonic

LINE_MAX = 200
_CONTENT = re.compile(r"(BODY\[[^\]]*\](?:<\d+>)?) .*", re.IGNORECASE | re.DOTALL)


class Trace:
    """A ring of the last `size` lines. `>` is what we sent, `<` what came, `!` what happened."""

    def __init__(self, size: int = 200) -> None:
        self._lines: deque[str] = deque(maxlen=size)
        self._began = monotonic()

    def add(self, direction: str, line: bytes | str) -> None:
        """Keep one line. The caller hands over no literals and no credentials."""
        text = line.decode("utf-8", "backslashreplace") if isinstance(line, bytes) else line
        text = _CONTENT.sub(r"\1 …", text[: 4 * LINE_MAX].rstrip("\r\n"))
        self._lines.append(f"{monotonic() - self._began:9.3f} {direction} {ascii(text[:LINE_MAX])[1:-1]}")

    def lines(self) -> list[str]:
        """The lines kept, oldest first, printable ASCII."""
        return list(self._lines)

    def __str__(self) -> str:
        return "\n".join(self._lines)
