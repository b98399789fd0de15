"""Inline CSS of letters: an allow-list of properties and of the characters in their values (C08, C09)."""

import re
import tomllib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

MOST_IN_STYLE = 10_000  # characters of one attribute
LONGEST_REMEMBERED = 300  # characters

PROPERTIES = set(tomllib.loads(Path(__file__).with_name("allowed.toml").read_text("utf-8"))["properties"])
_WITH_IMAGES = {"background", "background-image"}
_FUNCTIONS = {"rgb", "rgba", "hsl", "hsla", "calc", "linear-gradient", "radial-gradient"}
_VALUE = re.compile(r"[\w\s#%.,+\-/!\"'()]*")
_FUNCTION = re.compile(r"([\w-]*)\s*\(")
_URL = re.compile(r"url\(\s*(?:\"([^\"()]*)\"|'([^'()]*)'|([^\s\"'()]*))\s*\)", re.IGNORECASE)
_REPLACEMENT = re.compile(r"[A-Za-z0-9:/?&=._~%+@!$*,-]+")


def clean_style(style: str, image: Callable[[str], str | None]) -> str:
    """The declarations of `style` that are on the list; `image` says what stands in for an address in `url()`."""
    is_plain = len(style) <= LONGEST_REMEMBERED and "url" not in style.lower()
    return _clean_plain(style) if is_plain else _clean(style, image)


@lru_cache(maxsize=1024)
def _clean_plain(style: str) -> str:
    """A letter says the same in each of its cells, and is cleaned until nothing changes any more."""
    return _clean(style, lambda _source: None)


def _clean(style: str, image: Callable[[str], str | None]) -> str:
    kept = []
    for declaration in style[:MOST_IN_STYLE].split(";"):
        name, colon, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if colon and name in PROPERTIES:
            value = _clean_value(name, value, image)
            if value:
                kept.append(f"{name}: {value}")
    return "; ".join(kept)


def _clean_value(name: str, value: str, image: Callable[[str], str | None]) -> str:
    rest = _URL.sub("", value)
    if not _VALUE.fullmatch(rest) or any(found.lower() not in _FUNCTIONS for found in _FUNCTION.findall(rest)):
        return ""
    if rest.count("(") != rest.count(")") or rest.count('"') % 2 or rest.count("'") % 2:
        return ""
    if rest == value:
        return value

    def replaced(match: re.Match[str]) -> str:
        target = image((match[1] or match[2] or match[3] or "").strip()) if name in _WITH_IMAGES else None
        return f'url("{target}")' if target and _REPLACEMENT.fullmatch(target) else ""

    return " ".join(_URL.sub(replaced, value).split())
