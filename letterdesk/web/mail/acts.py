"""What a reader does with conversations, one, many, or all that match: plain forms; our script on top.

`change` says what: "archive", "star", "move:<folder>", "label:<label>", "snooze:<preset or time>",
"remind:<days or time>", "close", "assign:<me, employee.id or department.id>". `c` names a
conversation and the folder it was chosen in ("<conversation>.<folder>"), any number of them; `all`: the whole list.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.accounts.models import Department, Employee
from letterdesk.mailboxes.act import KINDS, OF_READERS, Chosen, NothingChosen, Wish, act, choose
from letterdesk.mailboxes.labels import BadLabel, make_label
from letterdesk.mailboxes.models import Action, Conversation, Folder, FolderRole, Label, Mailbox
from letterdesk.mailboxes.move import CannotMove, MayNotDelete
from letterdesk.mailboxes.retention.own_times import periods_here, periods_of
from letterdesk.mailboxes.search.letters import BadQuery
from letterdesk.mailboxes.undoing import CannotUndo, take_back
from letterdesk.notifications.seen import see_muted
from letterdesk.team.verbs import KINDS as TEAM_KINDS
from letterdesk.team.verbs import TAKING_BACK, VERBS, CannotAssign, assigning, snoozing
from letterdesk.web.mail.awaiting import remind_at
from letterdesk.web.mail.place import MOST_AT_ONCE, Board, board_named, place_of
from letterdesk.web.mail.snoozing import BadMoment, moment
from letterdesk.web.mailboxes.access_choices import recipient
from letterdesk.web.request import Request
from letterdesk.web.said import said
from letterdesk.web.search.all import all_found
from letterdesk.web.sidebar import shelves

REFUSALS = (CannotMove, MayNotDelete, BadMoment, BadLabel, BadQuery, CannotUndo, CannotAssign)


@dataclass(frozen=True)
class Asked:
    """What the form asks for: a kind, its value, and which conversations."""

    kind: str
    value: str
    pairs: list[tuple[str, str]]
    whole_list: bool


@require_POST
def acts(request: Request) -> HttpResponse:
    """POST /acts: on the conversations that are ticked, or on all that match."""
    asked = _asked(request, [_pair(text) for text in request.POST.getlist("c")])
    if not asked.pairs and not asked.whole_list:
        messages.info(request, _("Nothing is selected. Tick conversations first."))
        return _answer(request)
    return _do(request, asked)


@require_POST
def changes(request: Request, conversation_id: str) -> HttpResponse:
    """POST /conversations/<id>/changes: on one conversation, in the folder that the form names."""
    folder = request.POST.get("folder") or request.GET.get("folder", "")
    asked = _asked(request, [(conversation_id, folder)])
    if request.htmx and asked.kind in {"read", "star", "unstar"}:
        return _quietly(request, asked)
    return _do(request, asked)


def _asked(request: Request, pairs: list[tuple[str, str]]) -> Asked:
    kind, _colon, value = request.POST.get("change", "").partition(":")
    if kind not in {*KINDS, *TEAM_KINDS}:
        raise Http404
    return Asked(kind, value, pairs, whole_list=bool(request.POST.get("all")) and len(pairs) != 1)


def _pair(text: str) -> tuple[str, str]:
    conversation, _dot, folder = text.partition(".")
    return conversation, folder


def _do(request: Request, asked: Asked) -> HttpResponse:
    now = timezone.now()
    if asked.kind == "delete" and request.POST.get("sure") != "yes" and _is_for_good(request, asked, now):
        return _ask(request, asked)  # R27
    try:
        wish = _wish(request, asked, now)
        action = act(_chosen(request, asked, wish), wish)
    except NothingChosen:
        raise Http404 from None
    except REFUSALS as error:
        messages.error(request, str(error))
        return _answer(request, status=409)
    if asked.kind == "mute":
        see_muted(request.employee, now=now)
    if asked.whole_list and action.count >= MOST_AT_ONCE:
        messages.info(request, _("The newest %(count)s were done. Repeat it for the rest.") % {"count": MOST_AT_ONCE})
    messages.success(request, said(action, shelves(request.employee, now)), extra_tags=action.public_id)
    return _answer(request)


def _wish(request: Request, asked: Asked, now: datetime) -> Wish:
    """What is asked for, its folder, label or moment found among what the reader may use."""
    me = request.employee
    if asked.kind == "move":
        target = get_object_or_404(Folder.objects.editable_by(me).select_related("mailbox"), public_id=asked.value)
        return Wish("move", me, now, target=target)
    if asked.kind in {"label", "unlabel"}:
        return Wish(asked.kind, me, now, label=_label(request, asked))
    if asked.kind in {"snooze", "remind"}:
        return _later(request, asked, now)
    if asked.kind in {"assign", "unassign"}:
        return assigning(_assignee(request, asked), Wish(asked.kind, me, now))
    if asked.kind in VERBS:
        return VERBS[asked.kind](Wish(asked.kind, me, now))
    return Wish(asked.kind, me, now)


def _later(request: Request, asked: Asked, now: datetime) -> Wish:
    """Snooze, or remind if nobody answers; of one conversation that something keeps, at any time (R4)."""
    if asked.kind == "snooze":
        until = moment(asked.value or request.POST.get("until", ""), timezone.localtime(now))
        return snoozing(Wish("snooze", request.employee, now, until=until))
    seen = Conversation.objects.visible_to(request.employee).filter(public_id__in=[each for each, _ in asked.pairs])
    kept = len(asked.pairs) == 1 and seen.filter(listings__is_held=True).exists()
    account = request.employee.account
    periods = periods_here(seen, account, now) if asked.pairs else [periods_of(account, now).base]
    typed = asked.value or request.POST.get("remind_until", "")
    at = remind_at(typed, timezone.localtime(now), [] if kept else periods)
    return Wish("remind", request.employee, now, until=at)


def _assignee(request: Request, asked: Asked) -> Employee | Department | None:
    """Whom the form names: "me", "employee.<id>", "department.<id>"; nobody to take it away."""
    if asked.kind == "unassign":
        return None
    if asked.value == "me":
        return request.employee
    return recipient(request, asked.value.replace(".", ":", 1) or "nobody")


def _label(request: Request, asked: Asked) -> Label:
    editable = Label.objects.editable_by(request.employee).select_related("mailbox__account")
    if asked.value:
        found: Label = get_object_or_404(editable, public_id=asked.value)
        return found
    mailboxes = Mailbox.objects.editable_by(request.employee).select_related("account")
    mailbox = get_object_or_404(mailboxes, public_id=request.POST.get("mailbox", ""))
    return make_label(mailbox, request.POST.get("new_label", ""), colour=request.POST.get("colour", ""))


def _chosen(request: Request, asked: Asked, wish: Wish) -> list[Chosen]:
    if not asked.whole_list:
        return choose(asked.pairs, wish)
    found = _whole_list(request, wish.now)
    may = Conversation.objects.visible_to if wish.kind in OF_READERS else Conversation.objects.editable_by
    mailboxes = set(may(wish.by).filter(pk__in=[pk for pk, _ in found]).values_list("pk", flat=True))
    return [Chosen(conversation, folder) for conversation, folder in found if conversation in mailboxes]


def _whole_list(request: Request, now: datetime) -> Sequence[tuple[int, int | None]]:
    """Keys of all conversations that match the list's filter or the search, each with its folder."""
    if request.POST.get("q"):
        return all_found(request, request.POST["q"], now)
    board = _board(request, now)
    return board.matching(board.wanted(request, now))


def _board(request: Request, now: datetime) -> Board:
    """The list that the form stands in: `list` names it, show and sort are in the form's address."""
    named = request.POST.get("list", "")
    folder = request.POST.get("folder", "")
    return board_named(request, named, now) if named else place_of(request, folder, now)


# Deleting for good


def _is_for_good(request: Request, asked: Asked, now: datetime) -> bool:
    """Whether some of it lies in Trash: from there it goes for good, so it is asked first (R27)."""
    trash = Folder.objects.editable_by(request.employee).filter(role=FolderRole.TRASH)
    if not asked.whole_list:
        return bool(trash.filter(public_id__in=[folder for _conversation, folder in asked.pairs]).exists())
    if request.POST.get("q"):
        return bool(trash.filter(pk__in={folder for _conversation, folder in _whole_list(request, now)}).exists())
    named = [folder.public_id for folder in _board(request, now).folders]
    return bool(trash.filter(public_id__in=named).exists())


def _ask(request: Request, asked: Asked) -> HttpResponse:
    """A page that asks, whose form says the same again with `sure`."""
    kept = [
        (key, value)
        for key in ("c", "all", "list", "folder", "q", "in")
        for value in request.POST.getlist(key)
        if value
    ]
    found = Conversation.objects.editable_by(request.employee).filter(public_id__in=[one for one, _ in asked.pairs])
    conversation = found.first() if len(asked.pairs) == 1 else None
    facts = {
        "kept": kept,
        "conversation": conversation,
        "count": len(asked.pairs),
        "action": request.get_full_path(),
        "next": next_of(request),
    }
    if request.htmx:
        return HttpResponse(status=428)  # the script sends the form itself, so that the page asks
    return render(request, "web/conversation/delete_for_good.html", {"area": "mail", **facts})


# Answers


def _quietly(request: Request, asked: Asked) -> HttpResponse:
    """Reading and starring in place: no toast, and reading is no "recent action"."""
    now = timezone.now()
    wish = _wish(request, asked, now)
    try:
        action = act(choose(asked.pairs, wish), wish)
    except NothingChosen:
        raise Http404 from None
    if asked.kind == "read":
        action.delete()
        return HttpResponse(status=204)
    conversation = Conversation.objects.editable_by(request.employee).get(public_id=asked.pairs[0][0])
    star_text = star_words() % {"subject": conversation.subject}
    facts = {"starred": asked.kind == "star", "changes": request.path, "star_text": star_text}
    return render(request, "web/inbox/star.html", facts)


def star_words() -> str:
    """What the star of a row is called; the subject is filled in."""
    return _("Star: %(subject)s")


@require_POST
def taken_back(request: Request) -> HttpResponse:
    """POST /undo: take back an action of one's own; without its name, the last one."""
    mine = Action.objects.visible_to(request.employee).filter(undone_at=None).order_by("-at", "-pk")
    named = request.POST.get("action", "")
    action = get_object_or_404(Action.objects.visible_to(request.employee), public_id=named) if named else mine.first()
    if action is None:
        messages.info(request, _("There is nothing to take back."))
        return _answer(request)
    try:
        take_back(action, by=request.employee, now=timezone.now(), others=TAKING_BACK)
    except REFUSALS as error:
        messages.error(request, str(error))
        return _answer(request, status=409)
    text = said(action, shelves(request.employee, timezone.now()))
    messages.success(request, _("Taken back: %(what)s") % {"what": text})
    return _answer(request)


def recent(request: Request) -> HttpResponse:
    """GET /recent: what the reader did lately, and a way to take each of it back."""
    mine = Action.objects.visible_to(request.employee).order_by("-at", "-pk")[:100]
    boards = shelves(request.employee, timezone.now())
    entries = [{"action": action, "text": said(action, boards)} for action in mine]
    return render(request, "web/inbox/recent.html", {"area": "mail", "entries": entries, "place": {"shelves": boards}})


def _answer(request: Request, *, status: int = 200) -> HttpResponse:
    """For our script the notes alone; else on to the page that the form names, where they are shown."""
    if request.htmx:
        return render(request, "web/toasts.html", {"next": next_of(request)}, status=status)
    return redirect(next_of(request))


def next_of(request: Request) -> str:
    """The address to go on to: one of our own pages, else the start (C17)."""
    return ours(request.POST.get("next", "")) or "/"


def ours(wanted: str) -> str:
    """An address that somebody gave us, if it is one of our own pages; else nothing (C17)."""
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours else ""
