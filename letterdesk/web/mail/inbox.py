"""The lists of conversations: a folder's, all inboxes, what is snoozed, a label's. 50 a page.

The same view answers for the page and for its parts: the next rows, and the rows alone for a live refresh.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from letterdesk.accounts.models import Employee
from letterdesk.lib.keyset import BadCursor
from letterdesk.mailboxes.list_rows import Row
from letterdesk.mailboxes.lists import Wanted
from letterdesk.mailboxes.models import FolderRole
from letterdesk.tasks.reading import tasks_of_conversations
from letterdesk.team.lists import counts, names_of
from letterdesk.web.mail.acts import next_of, star_words
from letterdesk.web.mail.awaiting import offers
from letterdesk.web.mail.place import ALL, AWAITED, LABEL, SNOOZED, Board, Place, board_named, place_of
from letterdesk.web.mail.snoozing import presets
from letterdesk.web.mailboxes.state import state_of
from letterdesk.web.me.preferences import A_YEAR
from letterdesk.web.request import Request
from letterdesk.web.team.words import chips, tabs
from letterdesk.web.templatetags.letterdesk import long_time, short_time

__all__ = ["Place", "list_facts", "place_of"]
BUNDLED = (FolderRole.INBOX, FolderRole.ARCHIVE, FolderRole.NONE)  # where newsletters are folded into one row


def folder(request: Request, folder_id: str) -> HttpResponse:
    """GET /mail/<folder>."""
    now = timezone.now()
    return answer(request, place_of(request, folder_id, now), now)


def all_inboxes(request: Request) -> HttpResponse:
    """GET /mail: the inboxes of all mailboxes as one list."""
    now = timezone.now()
    return answer(request, board_named(request, ALL, now), now)


def snoozed(request: Request) -> HttpResponse:
    """GET /mail/snoozed: what sleeps, in all mailboxes, what comes back soonest first."""
    now = timezone.now()
    return answer(request, board_named(request, SNOOZED, now), now)


def awaited(request: Request) -> HttpResponse:
    """GET /mail/awaited: where the reader wants to be reminded if nobody answers, what comes back soonest first."""
    now = timezone.now()
    return answer(request, board_named(request, AWAITED, now), now)


def label_list(request: Request, label_id: str) -> HttpResponse:
    """GET /mail/labels/<label>: what has a label."""
    now = timezone.now()
    return answer(request, board_named(request, f"{LABEL}.{label_id}", now), now)


@require_POST
def bundles(request: Request) -> HttpResponse:
    """POST /mail/bundles: fold newsletters into one row each, or do not; remembered on this device."""
    answer = redirect(next_of(request))
    if request.POST.get("bundles") == "off":
        answer.set_cookie("bundles", "off", max_age=A_YEAR, samesite="Lax", httponly=True, secure=request.is_secure())
    else:
        answer.delete_cookie("bundles")
    return answer


def answer(request: Request, place: Board, now: datetime) -> HttpResponse:
    """The page of a list, or the part of it that was asked for."""
    facts = {"place": place, **list_facts(request, place, now)}
    if request.headers.get("X-Live"):
        return render(request, "web/inbox/live.html", facts)
    if request.htmx and request.GET.get("before"):
        return render(request, "web/inbox/more_rows.html", facts)
    return render(request, "web/inbox/page.html", facts)


def list_facts(request: Request, place: Board, now: datetime) -> dict[str, Any]:
    """What the list shows of this place."""
    wanted = place.wanted(request, now)
    try:
        page = place.page(wanted)
    except BadCursor:
        raise Http404 from None
    whose = {line.folder.pk: (shelf, line) for shelf, line in place.lines()}
    labels = {label.pk: label for shelf in place.shelves for label in shelf.labels}
    # Once for all rows: each address and sentence asked for by itself took longer than the query.
    words = {"changes": reverse("changes", args=["-"]), "select": _("Select: %(subject)s"), "star": star_words()}
    rows = [_row(place, row, whose[row.folder_id], labels, words=words) for row in page.rows if row.folder_id in whose]
    _put_team(rows, whose, now)
    _put_tasks(rows, request.employee)
    return {
        "area": "mail",
        "page": page,
        "total_text": f"{page.total:,}",
        "rows": rows,
        "bundles": _bundles(rows) if _folds(request, place) else [{"rows": [row]} for row in rows],
        "next_address": place.with_query(before=page.next) if page.next else "",
        "choices": _choices(place),
        "team_tabs": _team_tabs(place, wanted),
        "presets": presets(timezone.localtime(now)),
        "reminders": offers(timezone.localtime(now)),
        "state": _state(place, now),
        "is_bundled": request.COOKIES.get("bundles") != "off",
    }


def _row(place: Board, row: Row, whose: Any, labels: dict[int, Any], *, words: dict[str, str]) -> dict[str, Any]:
    shelf, line = whose
    changes = words["changes"]
    return {
        "row": row,
        "id": row.conversation.public_id,
        "subject": row.conversation.subject,
        "folder": line.folder.public_id,
        "address": place.conversation_address(row.conversation.public_id, line.folder.public_id),
        "changes": changes.replace("-", row.conversation.public_id),
        "select_text": words["select"] % {"subject": row.conversation.subject},
        "star_text": words["star"] % {"subject": row.conversation.subject},
        "has_chips": _has_chips(row, place),
        "at": row.newest_at.isoformat(),
        "short": short_time(row.newest_at),
        "long": long_time(row.newest_at),
        "leaves": _leaves(row.days_left),
        "labels": [labels[pk] for pk in row.label_ids if pk in labels],
        "mailbox": (shelf.mailbox.name or shelf.mailbox.address) if place.shows_mailboxes else "",
        "where": line.name if place.view == LABEL and line.folder.role != FolderRole.INBOX else "",
        "may_act": shelf.may_act,
        "is_bold": row.unread_count > 0 or row.is_back,
    }


def first_row(request: Request, place: Board, now: datetime) -> Row | None:
    """The row of a list that is oldest, after those that the request says were passed over."""
    wanted = replace(place.wanted(request, now), oldest_first=True, limit=1)
    try:
        return next(iter(place.page(wanted).rows), None)
    except BadCursor:
        raise Http404 from None


def _put_team(rows: list[dict[str, Any]], whose: dict[int, Any], now: datetime) -> None:
    """Who takes care of them, and how far they are, on rows of shared mailboxes."""
    shared = [row for row in rows if whose[row["row"].folder_id][0].is_shared and row["row"].conversation.status]
    names = names_of(row["row"] for row in shared)
    for row in shared:
        row["team"] = chips(row["row"].conversation, names, now)
        row["has_chips"] = True


def _team_tabs(place: Board, wanted: Wanted) -> list[dict[str, Any]]:
    if place.team_of is None or wanted.before:
        return []
    return tabs(place, counts(wanted, mailbox=place.team_of.mailbox.pk))


def _put_tasks(rows: list[dict[str, Any]], employee: Employee) -> None:
    """The tasks that keep them, on rows that something keeps (R4)."""
    held = [row["row"].conversation.pk for row in rows if row["row"].is_held]
    tasks = tasks_of_conversations(held, employee=employee)
    for row in rows:
        row["tasks"] = tasks.get(row["row"].conversation.pk, [])
        row["has_chips"] = row["has_chips"] or bool(row["tasks"])


def _has_chips(row: Row, place: Board) -> bool:
    came = row.is_back or row.remind_at or row.unanswered_since
    shown = (
        row.is_pinned,
        row.is_muted,
        row.sleeps_until,
        came,
        row.label_ids,
        row.has_attachments,
        place.shows_mailboxes,
    )
    return any(shown) or row.days_left is not None or place.view == LABEL


def _leaves(days: int | None) -> str:
    if days is None:
        return ""
    return _("leaves today") if days == 0 else ngettext("leaves in %d day", "leaves in %d days", days) % days


def _choices(place: Board) -> list[tuple[str, str, str]]:
    names = {"": _("All"), "unread": _("Unread"), "starred": _("Starred"), "attachments": _("Attachments")}
    return [(key, name, place.with_query(show=key)) for key, name in names.items()]


def _state(place: Board, now: datetime) -> Any:
    if isinstance(place, Place) and place.view == "":
        return state_of(place.shelf.mailbox, now, may_manage=place.shelf.may_manage)
    states = [state_of(shelf.mailbox, now, may_manage=shelf.may_manage) for shelf in place.shelves]
    return next((state for state in states if state and state.tone == "danger"), None)


# Newsletters


def _folds(request: Request, place: Board) -> bool:
    if request.COOKIES.get("bundles") == "off" or place.show or place.view not in {"", ALL}:
        return False
    return all(folder.role in BUNDLED for folder in place.folders)


def _bundles(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows in their order; several of one list as one bundle, where the newest of them stands."""
    lists: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["row"].list_id and not row["row"].is_pinned:
            lists.setdefault(row["row"].list_id, []).append(row)
    found = []
    for row in rows:
        together = [] if row["row"].is_pinned else lists.get(row["row"].list_id, [])
        if len(together) < 2:
            found.append({"rows": [row]})
        elif row is together[0]:
            found.append(_bundle(row["row"].list_id, together))
    return found


def _bundle(list_id: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    newest = rows[0]
    return {
        "rows": rows,
        "list": list_id,
        "id": f"b-{newest['id']}",
        "name": (newest["row"].senders or [list_id])[0],
        "count": len(rows),
        "unread": sum(row["is_bold"] for row in rows),
        "subjects": [row["subject"] for row in rows[:3]],
        "at": newest["at"],
        "short": newest["short"],
    }
