"""Who fetched a picture or a link of a letter: a machine whose name is known, or perhaps a person. Pure.

Told by what the request says of itself, of which nothing is kept but the name found here (`machines.toml`).
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_LOOKS_AHEAD = re.compile(r"prefetch|preview|prerender", re.IGNORECASE)
_NAMED = {
    name: re.compile("|".join(f"(?:{each})" for each in said["patterns"]), re.IGNORECASE)
    for name, said in tomllib.loads(Path(__file__).with_name("machines.toml").read_text("utf-8")).items()
}
NAMES = ("head", "ahead", "nameless", *_NAMED)


def machine_of(method: str, headers: Mapping[str, str]) -> str:
    """The machine's name, one of NAMES; empty: none that is known. `headers`: names in lower case."""
    if method.upper() != "GET":
        return "head"
    if any(_LOOKS_AHEAD.search(headers.get(name, "")) for name in _AHEAD):
        return "ahead"
    agent = headers.get("user-agent", "").strip()[:1000]
    if not agent:
        return "nameless"
    return next((name for name, patterns in _NAMED.items() if patterns.search(agent)), "")
