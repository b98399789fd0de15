"""Files of a letter, its source and its exact bytes."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from letterdesk.mailboxes.attachments import open_attachment, raw
from letterdesk.mailboxes.models import Attachment
from letterdesk.web.downloads import as_file
from letterdesk.web.letters import letter_or_404, letters_of
from letterdesk.web.request import Request
from letterdesk.web.security import FILE_POLICY, set_headers

MOST_SOURCE = 2_000_000  # bytes shown; the download has all


def attachment(request: Request, attachment_id: str) -> HttpResponse:
    """GET /attachments/<id>: a file of a letter, to keep (hard rule 9)."""
    file = get_object_or_404(
        Attachment.objects.select_related("message"),
        public_id=attachment_id,
        message__in=letters_of(request.employee),
    )
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
