"""Who else has a conversation before them: told by each page's sign of life, shown on the pages of the others."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from letterdesk.team import presence
from letterdesk.web.request import Request
from letterdesk.web.team.talk import readable_conversation


def present(request: Request, conversation_id: str) -> HttpResponse:
    """GET /conversations/<id>/presence: who else is there. POST `as`: "reading" or "writing", I am; "gone"."""
    found, now = readable_conversation(request, conversation_id), timezone.now()
    how = request.POST.get("as", "")
    if how == "gone":
        presence.gone(found, employee=request.employee)
    elif request.method == "POST":
        presence.here(found, employee=request.employee, writing=how == "writing", now=now)
    others = presence.others(found, employee=request.employee, now=now)
    return render(request, "web/talk/present.html", {"others": others})
