"""Files of letters: always handed over to keep, never shown as a page (hard rule 9, C07)."""

import re
import unicodedata

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from letterdesk.web.security import FILE_POLICY, set_headers

LONGEST_NAME = 120
SAFE_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,100}")


def safe_name(name: str) -> str:
    """A file name without paths, control characters and direction marks; never empty."""
    plain = "".join(
        character for character in name if unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    )
    plain = re.sub(r'[\\/:*?"<>|]+', "_", plain).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    if dot and len(plain) > LONGEST_NAME and len(ending) < 12:
        return f"{stem[: LONGEST_NAME - len(ending)]}.{ending}"
    return plain[:LONGEST_NAME] or "file"


def as_file(content: bytes, *, name: str, content_type: str) -> HttpResponse:
    """A download with the exact bytes; the browser may neither show, guess nor run it."""
    kind = content_type.lower() if SAFE_TYPE.fullmatch(content_type.lower()) else "application/octet-stream"
    response = HttpResponse(content, content_type=kind)
    set_headers(
        response,
        {
            "Content-Disposition": content_disposition_header(as_attachment=True, filename=safe_name(name)) or "",
            "Content-Security-Policy": FILE_POLICY,
            "Cache-Control": "private, no-store",
        },
    )
    return response
