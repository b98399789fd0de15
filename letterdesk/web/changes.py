"""What a reader does with a conversation: read, star, archive, delete, and take it back. Plain forms; htmx on top."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.mailboxes.flags import change_flags
from letterdesk.mailboxes.models import Conversation, Folder, FolderRole, Mailbox, Placement
from letterdesk.mailboxes.move import CannotMove, MayNotDelete, delete, move, undo
from letterdesk.web.request import Request

SEEN, FLAGGED = "\\Seen", "\\Flagged"


@dataclass(frozen=True)
class Wish:
    """What is asked for: which change of which places, in which folder."""

    request: Request
    conversation: Conversation
    places: list[Placement]
    folder: Folder | None
    now: datetime

    @property
    def here(self) -> list[Placement]:
        """The places in the folder that the reader looks at."""
        if self.folder is None:
            raise Http404
        return [place for place in self.places if place.folder_id == self.folder.pk]

    @property
    def newest(self) -> list[Placement]:
        """The places of the newest letter."""
        newest = max(self.places, key=lambda place: (place.received_at, place.message_id))
        return [place for place in self.places if place.message_id == newest.message_id]


@require_POST
def changes(request: Request, conversation_id: str) -> HttpResponse:
    """POST /conversations/<id>/changes: `change` says which. Only for those who may act in the mailbox."""
    act = ACTIONS.get(request.POST.get("change", ""))
    editable = Conversation.objects.editable_by(request.employee).select_related("mailbox")
    conversation = get_object_or_404(editable, public_id=conversation_id)
    places = list(conversation.placements.shown().select_related("folder"))
    if act is None or not places:
        raise Http404
    folders = Folder.objects.editable_by(request.employee).filter(mailbox=conversation.mailbox)
    folder = folders.filter(public_id=request.POST.get("folder", "")).first()
    return act(Wish(request, conversation, places, folder, timezone.now()))


def _flag(flag: str, *, on: bool, newest_alone: bool) -> Callable[[Wish], HttpResponse]:
    def act(wish: Wish) -> HttpResponse:
        places = wish.newest if newest_alone else wish.places
        add, remove = ((flag,), ()) if on else ((), (flag,))
        change_flags(places, add=add, remove=remove, by=wish.request.employee, now=wish.now)
        if not wish.request.htmx:
            return back(wish.request)
        if flag == SEEN:
            return HttpResponse(status=204)
        facts = {"starred": on, "id": wish.conversation.public_id, "subject": wish.conversation.subject}
        return render(wish.request, "web/inbox/star.html", facts)

    return act


def _archive(wish: Wish) -> HttpResponse:
    folders = wish.conversation.mailbox.folders.filter(gone_at=None, is_selectable=True)
    archive = folders.filter(role=FolderRole.ARCHIVE).first()
    if archive is None:
        messages.error(wish.request, _("This mailbox has no Archive folder. Make one on the mail server first."))
        return back(wish.request)
    return _moved(wish, _("Archived."), lambda: move(wish.here, archive, by=wish.request.employee, now=wish.now))


def _delete(wish: Wish) -> HttpResponse:
    if wish.folder and wish.folder.role == FolderRole.TRASH and wish.request.POST.get("sure") != "yes":
        facts = {"conversation": wish.conversation, "folder": wish.folder, "next": next_of(wish.request)}
        return render(wish.request, "web/conversation/delete_for_good.html", {"area": "mail", **facts})  # R27
    in_trash = wish.folder is not None and wish.folder.role == FolderRole.TRASH
    said = _("Deleted for good.") if in_trash else _("Deleted: it is in Trash, on the mail server too.")
    return _moved(wish, said, lambda: delete(wish.here, by=wish.request.employee, now=wish.now))


def _moved(wish: Wish, said: str, act: Callable[[], str]) -> HttpResponse:
    try:
        token = act()
    except (CannotMove, MayNotDelete) as error:
        messages.error(wish.request, str(error))
    else:
        messages.success(wish.request, said, extra_tags=f"{wish.conversation.mailbox.public_id}.{token}")
    return back(wish.request)


@require_POST
def taken_back(request: Request) -> HttpResponse:
    """POST /undo: take back a move or a deletion, as long as the mail server was not told (R27)."""
    mailbox_id, _dot, token = request.POST.get("changes", "").partition(".")
    mailbox = get_object_or_404(Mailbox.objects.editable_by(request.employee), public_id=mailbox_id)
    if undo(mailbox, token, now=timezone.now(), by=request.employee):
        messages.success(request, _("Taken back."))
    else:
        messages.info(request, _("Too late to take it back: the mail server was told already. Move it by hand."))
    return back(request)


def next_of(request: Request) -> str:
    """The address to go on to: one of our own pages, else the start (C17)."""
    wanted = request.POST.get("next", "")
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours else "/"


def back(request: Request) -> HttpResponse:
    """Go on to the page that the form names."""
    return redirect(next_of(request))


ACTIONS: dict[str, Callable[[Wish], HttpResponse]] = {
    "read": _flag(SEEN, on=True, newest_alone=False),
    "unread": _flag(SEEN, on=False, newest_alone=True),
    "star": _flag(FLAGGED, on=True, newest_alone=True),
    "unstar": _flag(FLAGGED, on=False, newest_alone=False),
    "archive": _archive,
    "delete": _delete,
}
