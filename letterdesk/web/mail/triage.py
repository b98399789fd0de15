"""Triage: the unassigned conversations of a shared mailbox one at a time, whoever waits longest first."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from letterdesk.lib.keyset import cursor_of
from letterdesk.mailboxes.reading import find_conversation
from letterdesk.team.lists import counts
from letterdesk.web.mail.conversation import conversation_facts
from letterdesk.web.mail.inbox import first_row
from letterdesk.web.mail.place import TEAM, board_named, place_of
from letterdesk.web.request import Request


def triage(request: Request, mailbox_id: str) -> HttpResponse:
    """GET /triage/<mailbox>: the next unassigned conversation; `before` names those that were passed over."""
    now = timezone.now()
    board = board_named(request, f"{TEAM}.{mailbox_id}.unassigned", now)
    here = reverse("triage", args=[mailbox_id])
    row = first_row(request, board, now)
    if board.team_of is None or row is None:
        if request.GET.get("before"):
            return redirect(here)  # the end: once more, with what was passed over
        return render(request, "web/team/triage_done.html", {"area": "mail", "place": board})
    folder = next(line.folder for _shelf, line in board.lines() if line.folder.pk == row.folder_id)
    place = place_of(request, folder.public_id, now)
    found = find_conversation(request.employee, row.conversation.public_id)
    if found is None:  # moved on in this very moment
        return redirect(here)
    passed = cursor_of(row.conversation.newest_at or now, row.conversation.pk)
    facts = {
        "place": place,
        "left": counts(board.wanted(request, now), mailbox=board.team_of.mailbox.pk)["unassigned"],
        "here": request.get_full_path(),
        "pass_address": f"{here}?{urlencode({'before': passed})}",
        "area": "mail",
    }
    return render(request, "web/team/triage.html", facts | conversation_facts(request, place, found, now))
