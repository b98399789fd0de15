"""The list of a folder's conversations: 50 a page, newest first; the same view for the page and for its parts."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.mailboxes.list_rows import Row
from letterdesk.mailboxes.lists import BadCursor, Page, list_folder
from letterdesk.mailboxes.retention import Period
from letterdesk.plans import limits
from letterdesk.web.request import Request
from letterdesk.web.sidebar import Line, Shelf, shelves
from letterdesk.web.state import state_of

ONLY = {"": "", "unread": "unread", "starred": "flagged"}  # as the address says it → as reading.py does


@dataclass(frozen=True)
class Place:
    """Where the reader is: sidebar, open folder, plan, filter. Whatever the page, it is asked once."""

    shelves: list[Shelf]
    shelf: Shelf
    line: Line
    period: Period
    show: str

    @property
    def address(self) -> str:
        """The address of the list, filter included."""
        here = reverse("folder", args=[self.line.folder.public_id])
        return f"{here}?{urlencode({'show': self.show})}" if self.show else here

    def conversation_address(self, conversation_id: str) -> str:
        """The address of a conversation beside this list."""
        here = reverse("conversation", args=[self.line.folder.public_id, conversation_id])
        return f"{here}?{urlencode({'show': self.show})}" if self.show else here


def place_of(request: Request, folder_id: str, now: Any) -> Place:
    """Find the folder in what the reader may see. 404 for others' folders; PlanError where there is no Webmail (R2)."""
    account = request.employee.account
    terms = limits.terms(account, now=now)
    if not terms.has_integration:
        limits.require(account, integration=True, now=now)  # R2: refuses in words
    period = Period(terms.days_kept)
    boards = shelves(request.employee, now, period=period)
    show = request.GET.get("show", "")
    for shelf in boards:
        for line in shelf.folders:
            if line.folder.public_id == folder_id:
                return Place(boards, shelf, line, period, show if show in ONLY else "")
    raise Http404


def folder(request: Request, folder_id: str) -> HttpResponse:
    """GET /mail/<folder>: the page; for htmx the next rows; for a live refresh rows and sidebar alone."""
    now = timezone.now()
    place = place_of(request, folder_id, now)
    facts = {"place": place, **list_facts(request, place, now)}
    if request.headers.get("X-Live"):
        return render(request, "web/inbox/live.html", facts)
    if request.htmx and request.GET.get("before"):
        return render(request, "web/inbox/more_rows.html", facts)
    return render(request, "web/inbox/page.html", facts)


def list_facts(request: Request, place: Place, now: Any) -> dict[str, Any]:
    """What the list shows of this place."""
    before = request.GET.get("before", "")
    try:
        page = list_folder(
            place.line.folder,
            employee=request.employee,
            now=now,
            period=place.period,
            before=before,
            only=ONLY[place.show],
        )
    except BadCursor:
        raise Http404 from None
    return {
        "area": "mail",
        "page": page,
        "rows": [_row(place, row) for row in page.rows],
        "next_address": _next_address(place, page),
        "choices": _choices(place),
        "state": state_of(place.shelf.mailbox, now, may_manage=place.shelf.may_manage),
    }


def _row(place: Place, row: Row) -> dict[str, Any]:
    return {
        "row": row,
        "id": row.conversation.public_id,
        "subject": row.conversation.subject,
        "address": place.conversation_address(row.conversation.public_id),
        "leaves": _leaves(row.days_left),
    }


def _leaves(days: int | None) -> str:
    if days is None:
        return ""
    return _("leaves today") if days == 0 else ngettext("leaves in %d day", "leaves in %d days", days) % days


def _next_address(place: Place, page: Page) -> str:
    if not page.next:
        return ""
    here = reverse("folder", args=[place.line.folder.public_id])
    return f"{here}?{urlencode({'show': place.show, 'before': page.next})}"


def _choices(place: Place) -> list[tuple[str, str, str]]:
    here = reverse("folder", args=[place.line.folder.public_id])
    names = {"": _("All"), "unread": _("Unread"), "starred": _("Starred")}
    return [(key, name, f"{here}?show={key}" if key else here) for key, name in names.items()]
