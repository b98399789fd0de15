"""Inline CSS of letters: an allow-list of properties and of the characters in their values (C08, C09)."""

import re
from collections.abc import Callable

MOST_IN_STYLE = 10_000  # characters of one attribute

# Nothing that leaves its place (position, z-index, transform), that moves, or that makes text of its own (content).
PROPERTIES = set(
    "azimuth background background-color background-image background-position background-repeat background-size border"
    " border-bottom border-bottom-color border-bottom-left-radius border-bottom-right-radius border-bottom-style"
    " border-bottom-width border-collapse border-color border-left border-left-color border-left-style border-left-width"
    " border-radius border-right border-right-color border-right-style border-right-width border-spacing border-style"
    " border-top border-top-color border-top-left-radius border-top-right-radius border-top-style border-top-width"
    " border-width box-sizing caption-side clear color direction display empty-cells float font font-family font-size"
    " font-size-adjust font-stretch font-style font-variant font-weight height letter-spacing line-break line-height"
    " list-style list-style-position list-style-type margin margin-bottom margin-left margin-right margin-top max-height"
    " max-width min-height min-width mso-line-height-rule object-fit opacity outline outline-color outline-style"
    " outline-width overflow overflow-wrap overflow-x overflow-y padding padding-bottom padding-left padding-right"
    " padding-top page-break-after page-break-before page-break-inside quotes tab-size table-layout text-align"
    " text-align-last text-decoration text-decoration-color text-decoration-line text-decoration-style text-indent"
    " text-overflow text-shadow text-transform unicode-bidi vertical-align visibility white-space width word-break"
    " word-spacing word-wrap writing-mode".split()
)
_WITH_IMAGES = {"background", "background-image"}
_FUNCTIONS = {"rgb", "rgba", "hsl", "hsla", "calc", "linear-gradient", "radial-gradient"}
_VALUE = re.compile(r"[\w\s#%.,+\-/!\"'()]*")
_FUNCTION = re.compile(r"([\w-]*)\s*\(")
_URL = re.compile(r"url\(\s*(?:\"([^\"()]*)\"|'([^'()]*)'|([^\s\"'()]*))\s*\)", re.IGNORECASE)
_REPLACEMENT = re.compile(r"[A-Za-z0-9:/?&=._~%+@!$*,-]+")


def clean_style(style: str, image: Callable[[str], str | None]) -> str:
    """The declarations of `style` that are on the list; `image` says what stands in for an address in `url()`."""
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
