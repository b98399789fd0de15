"""A conversation: its letters in their order, read ones folded to a line, the newest open."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from letterdesk.mailboxes.models import Conversation, FolderRole, Message
from letterdesk.mailboxes.reading import ReadLetter, conversation_letters, find_conversation
from letterdesk.web.inbox import Place, list_facts, place_of
from letterdesk.web.request import Request
from letterdesk.web.sidebar import shown_name


def conversation(request: Request, folder_id: str, conversation_id: str) -> HttpResponse:
    """GET /mail/<folder>/<conversation>: the page with the list beside it; for htmx and live the letters alone."""
    now = timezone.now()
    place = place_of(request, folder_id, now)
    found = find_conversation(request.employee, conversation_id)
    if found is None or found.mailbox_id != place.shelf.mailbox.pk:
        raise Http404
    if found.public_id != conversation_id:  # it was merged into another
        return redirect(place.conversation_address(found.public_id))
    facts = {"place": place, **conversation_facts(request, place, found, now)}
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "web/conversation/conversation.html", facts)
    return render(request, "web/inbox/page.html", {**facts, **list_facts(request, place, now)})


def conversation_facts(request: Request, place: Place, found: Conversation, now: datetime) -> dict[str, Any]:
    """The letters that are shown now, and what may be done with them."""
    letters = conversation_letters(found, employee=request.employee, now=now, period=place.period)
    here = [letter for letter in letters if any(spot.folder_id == place.line.folder.pk for spot in letter.places)]
    return {
        "conversation": found,
        "conversation_address": place.conversation_address(found.public_id),
        "letters": [_letter(letter, is_open=letter is letters[-1] or letter.is_unread) for letter in letters],
        "has_unread": any(letter.is_unread for letter in letters),
        "is_starred": any(letter.is_flagged for letter in letters),
        "is_here": bool(here),
        **_offers(place),
    }


def _offers(place: Place) -> dict[str, Any]:
    role = FolderRole(place.line.folder.role)
    has_archive = any(line.folder.role == FolderRole.ARCHIVE for line in place.shelf.folders)
    in_trash = role == FolderRole.TRASH
    return {
        "can_archive": has_archive and role not in {FolderRole.ARCHIVE, FolderRole.TRASH, FolderRole.DRAFTS},
        "in_trash": in_trash,
        "delete_text": _("Delete for good, also on the mail server") if in_trash else _("Delete: to Trash"),
    }


def _letter(letter: ReadLetter, *, is_open: bool) -> dict[str, Any]:
    message = letter.message
    return {
        "message": message,
        "from_shown": message.from_name or message.from_address,
        "to_shown": ", ".join(name or address for name, address in message.recipients.get("to", [])[:8]),
        "recipients": _recipients(message),
        "files": [file for file in letter.attachments if not file.is_inline],
        "folders": sorted({shown_name(place.folder) for place in letter.places}),
        "storage": letter.storage,
        "is_unread": letter.is_unread,
        "is_open": is_open,
    }


def _recipients(message: Message) -> list[tuple[str, list[tuple[str, str]]]]:
    names = {"to": _("To"), "cc": _("Cc"), "bcc": _("Bcc"), "reply_to": _("Answers to")}
    return [(label, message.recipients[key]) for key, label in names.items() if message.recipients.get(key)]
