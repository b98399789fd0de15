"""A letter's text in a response of its own: cleaned at this very moment, shown in a sandbox (hard rules 7, 8).

A letter is folded first and cleaned last; nothing touches what has been cleaned (C03).
"""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.lib.blobs import BlobDamaged, BlobMissing
from letterdesk.mail.html import clean_html
from letterdesk.mail.parse import Body, read_body, read_part
from letterdesk.mail.pictures import raster_type
from letterdesk.mail.quotes import fold_quotes
from letterdesk.mail.text import text_to_html
from letterdesk.mailboxes.attachments import raw
from letterdesk.mailboxes.models import Message
from letterdesk.outbound.as_written import as_written
from letterdesk.web.backend import EmployeeBackend
from letterdesk.web.mail.images import Address, wanted_images
from letterdesk.web.mail.letters import letter_of, letter_or_404
from letterdesk.web.request import Request
from letterdesk.web.security import PICTURE_HEADERS, letter_policy, set_headers

log = logging.getLogger(__name__)
SHOWN_INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})  # rasters only, never SVG (C07)
LINK_LIFE = 900  # seconds
STATIC = Path(__file__).resolve().parent.parent / "static/web"


@dataclass(frozen=True)
class Shown:
    """What the frame shows: the new text, the folded quotation, whether it is plain, how many images are blocked."""

    new: SafeString
    quoted: SafeString
    is_plain: bool
    blocked_images: int = 0


def body(request: Request, message_id: str) -> HttpResponse:
    """GET /messages/<id>/body: the letter's text for its frame, under its own policy."""
    return framed(request, _shown(request, letter_or_404(request, message_id)))


def framed(request: Request, shown: Shown) -> HttpResponse:
    """A letter's text as a document of its own: nothing but our measuring script runs, nothing is fetched elsewhere."""
    nonce = secrets.token_urlsafe(16)
    facts = {
        "new": shown.new,
        "quoted": shown.quoted,
        "plain": shown.is_plain,
        "paper": _paper(request),
        "style": static_text("letter.css"),
        "script": _script(shown),
        "nonce": nonce,
    }
    response = render(request, "web/conversation/body.html", facts)
    set_headers(
        response,
        {
            "Content-Security-Policy": letter_policy(nonce),
            "X-Frame-Options": "SAMEORIGIN",
            "Referrer-Policy": "no-referrer",
            "X-DNS-Prefetch-Control": "off",  # C11
            "Cache-Control": "private, no-store",
        },
    )
    return response


def _shown(request: Request, letter: Message) -> Shown:
    """The letter's text; where its copy cannot be read, a sentence that says so."""
    try:
        content = raw(letter)
    except (BlobMissing, BlobDamaged) as error:
        return unreadable(letter.public_id, error)
    return message_text(content, letter, request.employee, remote=wanted_images(request, letter))


def unreadable(public_id: str, error: Exception) -> Shown:
    """What is shown of a letter whose copy is missing or damaged; the log has which copy it is."""
    log.error("letter %s cannot be shown: %r", public_id, error)
    told = _(
        "The copy of this letter that is kept here is missing or damaged. "
        "Nothing on the mail server was touched. Tell your administrator, who finds the details in the log."
    )
    return Shown(_text(told), _text(""), is_plain=True)


def _paper(request: Request) -> str:
    """Dark or white by the letter's own button; else dark while the page is dark, for who chose that."""
    asked = request.GET.get("paper", "")
    return asked if asked in {"dark", "white"} else "auto" if request.employee.preferences.get("paper") else ""


def message_text(content: bytes, letter: Message, employee: Employee, *, remote: Address | None) -> Shown:
    """What is shown of a letter in a mailbox, from its raw bytes."""
    return shown_text(
        as_written(read_body(content), letter.account_id),
        subject=letter.subject,
        inline=lambda index: inline_address(letter, index, employee),
        remote=remote,
    )


def shown_text(found: Body, *, subject: str, inline: Callable[[int], str], remote: Address | None = None) -> Shown:
    """Clean what is to be shown: HTML where the letter has it, else its text.

    `inline` addresses the pictures that the letter brings along, `remote` those elsewhere.
    """
    if found.html is None:
        folded = fold_quotes(found.text or "", is_html=False, subject=subject)
        return Shown(_text(folded.new), _text(folded.quoted), is_plain=True)
    folded = fold_quotes(found.html, is_html=True, subject=subject)
    pictures = _pictures(found, inline, remote)
    new, quoted = clean_html(folded.new, image_url=pictures), clean_html(folded.quoted, image_url=pictures)
    blocked = new.blocked_images + quoted.blocked_images
    # Cleaned by nh3 just now, and not touched since (hard rule 8).
    return Shown(mark_safe(new.html), mark_safe(quoted.html), is_plain=False, blocked_images=blocked)  # noqa: S308


def _text(text: str) -> SafeString:
    return mark_safe(text_to_html(text))  # noqa: S308  text_to_html escapes


def _pictures(found: Body, inline: Callable[[int], str], remote: Address | None) -> Callable[[str], str | None]:
    """Pictures that the letter brings along have an address here; others none without `remote` (hard rule 11)."""

    def address(source: str) -> str | None:
        if source[:4].lower() != "cid:":
            return remote(source) if remote else None
        index = found.inline.get(unquote(source[4:]).strip("<>"))
        return None if index is None else inline(index)

    return address


def inline_address(letter: Message, index: int, employee: Employee) -> str:
    """The frame is of no origin and sends no cookie: its images carry a signature of employee, letter and time."""
    key = signing.dumps([letter.pk, index, employee.pk], salt="inline")
    return f"{reverse('inline', args=[letter.public_id, index])}?key={key}"


@cache
def static_text(name: str) -> str:
    """A file of static/web, to be written into a document that may fetch nothing."""
    return (STATIC / name).read_text()


def _script(shown: Shown) -> str:
    plain = "true" if shown.is_plain else "false"
    return static_text("letter.js").replace("BLOCKED", str(shown.blocked_images)).replace("PLAIN", plain)


@login_not_required  # the signature says who reads
def inline(request: HttpRequest, message_id: str, index: int) -> HttpResponse:
    """GET /messages/<id>/inline/<index>?key=…: a raster image that the letter brings along.

    Whether they still may is asked anew.
    """
    try:
        pk, signed_index, employee_pk = signing.loads(request.GET.get("key", ""), salt="inline", max_age=LINK_LIFE)
    except (signing.BadSignature, ValueError):
        raise Http404 from None
    employee = EmployeeBackend().get_user(employee_pk)
    if employee is None:
        raise Http404
    letter = letter_of(employee, pk=pk, public_id=message_id)
    picture = get_object_or_404(letter.attachments, index=index)
    if index != signed_index:
        raise Http404
    return picture_answer(read_part(raw(letter), index), picture.content_type)


def picture_answer(content: bytes, content_type: str) -> HttpResponse:
    """A picture for a letter's frame: a raster whatever it calls itself, else Http404 (hard rule 9)."""
    if content_type.lower() not in SHOWN_INLINE or not raster_type(content):
        raise Http404
    response = HttpResponse(content, content_type=content_type.lower())
    set_headers(response, PICTURE_HEADERS)
    return response
