"""A conversation: its letters in their order, read ones folded to a line, the newest open."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from letterdesk.mailboxes.models import Conversation, FolderRole
from letterdesk.mailboxes.reading import conversation_letters, find_conversation
from letterdesk.web.crm.letter import crm_beside
from letterdesk.web.mail.awaiting import awaited
from letterdesk.web.mail.inbox import Place, list_facts, place_of
from letterdesk.web.mail.letter_facts import in_blocks, letter_facts
from letterdesk.web.request import Request
from letterdesk.web.tasks.letter import tasks_beside
from letterdesk.web.team.beside import put_turns, team_beside
from letterdesk.web.team.talk import talk_facts
from letterdesk.web.writing.reach import reach_facts
from letterdesk.web.writing.tracked_words import told_of


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
    facts |= list_facts(request, place, now)
    return render(request, "web/inbox/page.html", {**facts, **_neighbours(facts["rows"], found)})


def conversation_facts(request: Request, place: Place, found: Conversation, now: datetime) -> dict[str, Any]:
    """The letters that are shown now, and what may be done with them."""
    letters = conversation_letters(found, employee=request.employee, now=now, period=place.period)
    here = [letter for letter in letters if any(spot.folder_id == place.line.folder.pk for spot in letter.places)]
    images_of, _dot, images = request.GET.get("images", "").partition(".")
    shown = [letter_facts(letter, request.employee, is_newest=letter is letters[-1]) for letter in letters]
    tasks = tasks_beside(letters, found.mailbox, request.employee)
    in_crm = crm_beside(letters, request.employee)
    tracked = told_of(line.activity for line in in_crm.values() if line.activity is not None)
    reach = reach_facts(shown, request.employee, may_act=place.shelf.may_act)
    for letter in shown:
        letter["crm"] = line = in_crm.get(letter["message"].pk)
        letter["tracked"] = tracked.get(line.activity.pk) if line and line.activity else None
        letter["tasks"] = tasks.get(letter["message"].pk, [])
        letter["images"] = images if letter["message"].public_id == images_of else ""
    put_turns(shown, found)
    blocks = in_blocks(shown, since=getattr(found, "last_look", None))
    return {
        "team": team_beside(found, place, request.employee, now) if place.shelf.is_shared else None,
        "conversation": found,
        "awaited": awaited(found, request.employee),
        "conversation_address": place.conversation_address(found.public_id),
        "letters": shown,
        "blocks": blocks,
        **talk_facts(found, request.employee, blocks),
        "owns_mailbox": found.mailbox.owner_id == request.employee.pk,
        "has_unread": any(letter.is_unread for letter in letters),
        "is_starred": any(letter.is_flagged for letter in letters),
        "is_here": bool(here),
        "crm_opens": request.employee.preferences.get("crm_panel") == "open",
        **reach,
        **_offers(place),
    }


def _neighbours(rows: list[dict[str, Any]], found: Conversation) -> dict[str, str]:
    """The addresses of the conversations above and below in the list beside it; empty where there is none."""
    ids = [row["id"] for row in rows]
    if found.public_id not in ids:
        return {}
    at = ids.index(found.public_id)
    above = rows[at - 1]["address"] if at else ""
    below = rows[at + 1]["address"] if at + 1 < len(rows) else ""
    return {"newer_address": above, "older_address": below}


def _offers(place: Place) -> dict[str, Any]:
    role = FolderRole(place.line.folder.role)
    has_archive = any(line.folder.role == FolderRole.ARCHIVE for line in place.shelf.folders)
    in_trash = role == FolderRole.TRASH
    return {
        "can_archive": has_archive and role not in {FolderRole.ARCHIVE, FolderRole.TRASH, FolderRole.DRAFTS},
        "in_trash": in_trash,
        "delete_text": _("Delete for good, also on the mail server") if in_trash else _("Delete: to Trash"),
    }
