"""Connect a mailbox, step 4: how far the first sync is, folder by folder, and what was left out and why (W7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.mailboxes.models import Folder, FolderRole, Mailbox, MailboxState
from letterdesk.mailboxes.sidebar import folder_order
from letterdesk.sync.progress import FolderProgress, MailboxProgress, progress_of
from letterdesk.web.mailboxes.ledger import REASONS, may_manage
from letterdesk.web.mailboxes.state import state_of
from letterdesk.web.request import Request
from letterdesk.web.sidebar import shown_name

GUESSED_AFTER = timedelta(seconds=10)  # before that, nobody knows how fast it goes


@dataclass(frozen=True)
class Line:
    """A folder on its way."""

    name: str
    state: str  # "done", "running", "waiting"
    here: int
    wanted: int


def progress(request: Request, mailbox_id: str) -> HttpResponse:
    """GET /mailboxes/<id>/progress: the page, or for htmx the figures alone."""
    mailbox = get_object_or_404(Mailbox.objects.visible_to(request.employee), public_id=mailbox_id)
    now = timezone.now()
    facts = {"area": "mailboxes", "step": 4, "mailbox": mailbox, **_figures(mailbox, now)}
    if request.htmx:
        answer = render(request, "web/progress/figures.html", facts)
        if not facts["looks_again"]:  # nothing more is to come: the new element does not ask again
            answer["HX-Reswap"] = "outerHTML"
        return answer
    facts |= {
        "may_manage": may_manage(request, mailbox),
        "state": state_of(mailbox, now, may_manage=False) if mailbox.error_code else None,
        "inbox": mailbox.folders.filter(role=FolderRole.INBOX, gone_at=None).first(),
    }
    return render(request, "web/progress/page.html", facts)


def _figures(mailbox: Mailbox, now: datetime) -> dict[str, Any]:
    so_far = progress_of([mailbox.pk]).get(mailbox.pk, MailboxProgress([]))
    is_done = mailbox.first_sync_done_at is not None and so_far.percent == 100
    percent = so_far.percent if mailbox.first_sync_done_at or so_far.percent < 100 else 99
    return {
        "progress": so_far,
        "percent": 100 if is_done else percent,
        "is_done": is_done,
        "quarter": percent // 25 * 25,
        "left": "" if is_done or mailbox.state != MailboxState.CONNECTED else _left(mailbox, so_far, now),
        "lines": [_line(each) for each in sorted(so_far.folders, key=lambda each: folder_order(each.folder))],
        "left_out": _left_out(so_far),
        "unreadable": sum(each.unreadable for each in so_far.folders),
        "off": [shown_name(folder) for folder in _off(mailbox)],
        "looks_again": not is_done and mailbox.state == MailboxState.CONNECTED,
    }


def _line(each: FolderProgress) -> Line:
    state = "done" if each.is_done else "running" if each.is_known else "waiting"
    return Line(shown_name(each.folder), state, each.here, each.wanted)


def _left(mailbox: Mailbox, so_far: MailboxProgress, now: datetime) -> str:
    """How long it will take, once that can be said."""
    took = now - mailbox.connected_at
    if took < GUESSED_AFTER or so_far.here < 100 or not so_far.is_known:
        return ""
    minutes = round((so_far.wanted - so_far.here) * took.total_seconds() / so_far.here / 60)
    if minutes < 1:
        return _("less than a minute left")
    return ngettext("about %(n)d minute left", "about %(n)d minutes left", minutes) % {"n": minutes}


def _left_out(so_far: MailboxProgress) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for each in so_far.folders:
        for reason, count in each.left_out.items():
            counts[reason] = counts.get(reason, 0) + count
    return [(str(REASONS.get(reason, reason)), count) for reason, count in sorted(counts.items())]


def _off(mailbox: Mailbox) -> list[Folder]:
    return list(mailbox.folders.filter(is_on=False, gone_at=None, is_selectable=True).order_by("name"))
