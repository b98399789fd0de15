"""Letters on paper: one document of its own under a letter's policy, of no origin, with nothing else around it."""

import secrets
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from letterdesk.mailboxes.attachments import raw
from letterdesk.mailboxes.reading import ReadLetter, conversation_letters, find_conversation
from letterdesk.team.comments import comments_at
from letterdesk.web.mail.body import message_text, static_text
from letterdesk.web.mail.images import wanted_images
from letterdesk.web.request import Request
from letterdesk.web.security import letter_policy, set_headers

MOST = 100  # letters in one document, the newest ones


def printed(request: Request, conversation_id: str) -> HttpResponse:
    """GET /conversations/<id>/print: all letters in full, or `?letter=` one of them; images as the reader chose.

    `?comments=yes`: with what colleagues said; else it holds nothing that the team alone may see (E16).
    """
    found = find_conversation(request.employee, conversation_id)
    if found is None:
        raise Http404
    letters = conversation_letters(found, employee=request.employee, now=timezone.now())
    wanted = request.GET.get("letter", "")
    chosen = [letter for letter in letters if not wanted or letter.message.public_id == wanted][-MOST:]
    if not chosen:
        raise Http404
    nonce = secrets.token_urlsafe(16)
    facts = {
        "conversation": found,
        "letters": [_letter(request, letter) for letter in chosen],
        "comments": comments_at(found, request.employee) if request.GET.get("comments") == "yes" else [],
        "style": static_text("print_letter.css"),
        "script": static_text("print_letter.js"),
        "nonce": nonce,
    }
    response = render(request, "web/conversation/print.html", facts)
    headers = {"Content-Security-Policy": letter_policy(nonce, more="allow-modals"), "Referrer-Policy": "no-referrer"}
    set_headers(response, {**headers, "Cache-Control": "private, no-store"})
    return response


def _letter(request: Request, letter: ReadLetter) -> dict[str, Any]:
    message = letter.message
    text = message_text(raw(message), message, request.employee, remote=wanted_images(request, message))
    return {
        "message": message,
        "to": message.recipients.get("to", []),
        "cc": message.recipients.get("cc", []),
        "files": [file for file in letter.attachments if not file.is_inline],
        "text": text,
    }
