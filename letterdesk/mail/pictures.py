"""Pictures of letters from elsewhere, fetched for their reader: through the guard, small, in time, rasters alone.

What they are is told by their first bytes, never by what the sender's server says (C10): no SVG, no HTML, no PDF.
"""

import struct
from dataclasses import dataclass

from letterdesk.mail.guard import Guard, fetch

LARGEST = 10 << 20  # bytes of one picture
PATIENCE = 8.0  # seconds for one picture, redirects included
MOST_PIXELS = 64_000_000  # a picture of few bytes can unpack to gigabytes

_KINDS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A raster image and its type, such as "image/png"."""

    content: bytes
    content_type: str


def fetch_picture(guard: Guard, url: str, *, timeout: float = PATIENCE, limit: int = LARGEST) -> Picture | None:
    """GET the picture at `url`, without cookies and referrer; None: it is none, or is too large.

    Raises the MailErrors of the guard: unknown, private or silent hosts.
    """
    content = fetch(guard, url, timeout=timeout, limit=limit)
    kind = raster_type(content) if content else None
    return Picture(content, kind) if content and kind else None


def raster_type(content: bytes) -> str | None:
    """The type of a raster image by its first bytes; None for everything else, and for what is too large to unpack."""
    found = next((kind for magic, kind in _KINDS.items() if content.startswith(magic)), None)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        found = "image/webp"
    return found if found and _pixels(content, found) <= MOST_PIXELS else None


def _pixels(content: bytes, kind: str) -> int:
    """Width × height as far as the beginning of the file says it; 0 where it does not."""
    if kind == "image/png" and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return int(width * height)
    if kind == "image/gif" and len(content) >= 10:
        width, height = struct.unpack("<HH", content[6:10])
        return int(width * height)
    return 0
