"""The lists of team work, and to whom conversations can be given."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from letterdesk.mailboxes.models import Conversation, Mailbox
from letterdesk.team.people import departments_of, people_of
from letterdesk.web.mail.acts import next_of, ours
from letterdesk.web.mail.inbox import answer
from letterdesk.web.mail.place import MINE, TEAM, board_named
from letterdesk.web.request import Request

MOST_MAILBOXES = 50  # whose people one list offers


def team_list(request: Request, mailbox_id: str, view: str) -> HttpResponse:
    """GET /mail/team/<mailbox>/<view>: unassigned, mine, others, waiting, snoozed, closed."""
    now = timezone.now()
    return answer(request, board_named(request, f"{TEAM}.{mailbox_id}.{view}", now), now)


def assigned_to_me(request: Request) -> HttpResponse:
    """GET /mail/mine: what is open and assigned to the reader, in all mailboxes."""
    now = timezone.now()
    return answer(request, board_named(request, MINE, now), now)


def assignees(request: Request) -> HttpResponse:
    """GET /mail/assignees: whom the conversations of `mailbox` (any number), or one `conversation`, can be given to.

    For our script the choices alone; without it a page whose form gives the conversation away.
    """
    editable = Mailbox.objects.editable_by(request.employee)
    conversation = None
    if asked := request.GET.get("conversation", ""):
        mine = Conversation.objects.editable_by(request.employee)
        conversation = get_object_or_404(mine.select_related("mailbox"), public_id=asked)
        here = editable.filter(pk=conversation.mailbox_id)
    else:
        here = editable.filter(public_id__in=request.GET.getlist("mailbox")[:MOST_MAILBOXES])
    mailboxes = list(here.filter(grants__isnull=False).distinct().values_list("pk", flat=True))
    if not mailboxes:
        raise Http404
    facts = {
        "people": people_of(mailboxes).exclude(pk=request.employee.pk),
        "departments": departments_of(mailboxes),
        "conversation": conversation,
        "next": ours(request.GET.get("next", "")) or next_of(request),
        "area": "mail",
    }
    return render(request, "web/team/choices.html" if request.htmx else "web/team/assignment.html", facts)
