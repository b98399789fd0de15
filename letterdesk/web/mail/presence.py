"""Who else has a conversation before them: told by each page's sign of life, shown on the pages of the others."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from letterdesk.team import presence
from letterdesk.web.request import Request
from letterdesk.web.team.talk import readable_conversation


def present(request: Request, conversation_id: str) -> HttpResponse:
    """GET /conversations/<id>/presence: who else is there. POST `as`: "reading" or "writing", I am; "gone"."""
    how, now = request.POST.get("as", ""), timezone.now()
    try:
        found = readable_conversation(request, conversation_id)
    except Http404:
        if how == "gone":  # as the conversation is, perhaps while it was read: nothing is wrong
            return HttpResponse(status=204)
        raise
    if how == "gone":
        presence.gone(found, employee=request.employee)
    elif request.method == "POST":
        presence.here(found, employee=request.employee, writing=how == "writing", now=now)
    others = presence.others(found, employee=request.employee, now=now)
    return render(request, "web/talk/present.html", {"others": others})
