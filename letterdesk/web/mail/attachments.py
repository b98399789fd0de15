"""Files of a letter, its source and its exact bytes."""

import io
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import Q
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.http import content_disposition_header

from letterdesk.mail.parse import read_part
from letterdesk.mailboxes.attachments import open_attachment, raw
from letterdesk.mailboxes.models import Attachment
from letterdesk.tasks.reading import readable_letters
from letterdesk.web.mail.downloads import as_file, safe_name
from letterdesk.web.mail.letters import letter_of, letter_or_404, letters_of, letters_shared_with
from letterdesk.web.request import Request
from letterdesk.web.security import FILE_POLICY, set_headers

MOST_SOURCE = 2_000_000  # bytes shown; the download has all
MOST_FILES = 500  # in one zip
MOST_ZIPPED = 200_000_000  # bytes in one zip


def attachment(request: Request, attachment_id: str) -> HttpResponse:
    """GET /attachments/<id>: a file of a letter, to keep (hard rule 9)."""
    me = request.employee
    file = get_object_or_404(
        Attachment.objects.select_related("message"),
        Q(message__in=letters_of(me)) | Q(message__in=readable_letters(me)) | Q(message__in=letters_shared_with(me)),
        public_id=attachment_id,
    )
    if not letters_of(me).filter(pk=file.message_id).exists():
        letter_of(me, pk=file.message_id)  # notes who read a shared conversation
    return as_file(open_attachment(file), name=file.filename, content_type=file.content_type)


def eml(request: Request, message_id: str) -> HttpResponse:
    """GET /messages/<id>/letter.eml: the exact bytes as the server handed them out (B19)."""
    letter = letter_or_404(request, message_id)
    name = f"{letter.subject or letter.public_id}.eml"
    return as_file(raw(letter), name=name, content_type="message/rfc822")


def source(request: Request, message_id: str) -> HttpResponse:
    """GET /messages/<id>/source: the letter as it came, as plain text."""
    letter = letter_or_404(request, message_id)
    text = raw(letter)[:MOST_SOURCE].decode("utf-8", "backslashreplace")
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    set_headers(response, {"Content-Security-Policy": FILE_POLICY, "Cache-Control": "private, no-store"})
    return response


def all_attachments(request: Request, message_id: str) -> HttpResponse | StreamingHttpResponse:
    """GET /messages/<id>/attachments.zip: all files of a letter, stored as they are, handed over file by file."""
    letter = letter_or_404(request, message_id)
    files = list(letter.attachments.filter(is_inline=False).order_by("index")[:MOST_FILES])
    if not files or sum(file.size for file in files) > MOST_ZIPPED:
        raise Http404
    named = zip(names_in_zip(file.filename for file in files), [file.index for file in files], strict=True)
    response = StreamingHttpResponse(_zipped(raw(letter), list(named)), content_type="application/zip")
    name = safe_name(f"{letter.subject or letter.public_id}.zip")
    disposition = content_disposition_header(as_attachment=True, filename=name) or ""
    policy = {
        "Content-Security-Policy": FILE_POLICY,
        "Cache-Control": "private, no-store",
        "Content-Encoding": "identity",
    }
    set_headers(response, {"Content-Disposition": disposition, **policy})
    return response


def names_in_zip(names: Iterable[str]) -> list[str]:
    """Safe names, no two the same whatever the case: "a.pdf", "a (2).pdf"."""
    taken: Counter[str] = Counter()
    unique = []
    for name in map(safe_name, names):
        stem, dot, ending = name.rpartition(".") if "." in name[1:] else (name, "", "")
        chosen, number = name, 1
        while taken[chosen.casefold()]:
            number += 1
            chosen = f"{stem} ({number}){dot}{ending}"
        taken[chosen.casefold()] += 1
        unique.append(chosen)
    return unique


class _Pieces(io.RawIOBase):
    """What was written since it was last taken; a zip file written here needs no seeking."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        self._written += content
        return len(content)

    def taken(self) -> bytes:
        written, self._written = bytes(self._written), bytearray()
        return written


async def _zipped(letter: bytes, named: list[tuple[str, int]]) -> AsyncIterator[bytes]:
    pieces = _Pieces()
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_STORED) as archive:
        for name, index in named:
            archive.writestr(name, await sync_to_async(read_part)(letter, index))
            yield pieces.taken()
    yield pieces.taken()
