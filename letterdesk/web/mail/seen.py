"""A conversation that is looked at, and letters that were in sight long enough: read, here and on the server."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST

from letterdesk.mailboxes.flags import change_flags
from letterdesk.mailboxes.looks import look
from letterdesk.mailboxes.marks import look_at
from letterdesk.mailboxes.models import Conversation, Placement
from letterdesk.notifications.seen import see_conversation
from letterdesk.web.request import Request

SEEN = "\\Seen"
MOST = 200  # letters in one request


@require_POST
def seen(request: Request, conversation_id: str) -> HttpResponse:
    """POST /conversations/<id>/seen: it is looked at; `letters`, ids with commas between, were in sight for a second.

    Only who may act in the mailbox makes letters read.
    """
    now = timezone.now()
    visible = Conversation.objects.visible_to(request.employee)
    conversation = get_object_or_404(visible, public_id=conversation_id)
    look(conversation, by=request.employee, now=now)
    see_conversation(request.employee, conversation, now=now)
    if Conversation.objects.editable_by(request.employee).filter(pk=conversation.pk).exists():
        look_at([conversation.pk])  # back from a snooze: no longer new
    letters = request.POST.get("letters", "").split(",")[:MOST]
    places = Placement.objects.editable_by(request.employee).filter(conversation=conversation).shown()
    unread = list(places.filter(message__public_id__in=letters, is_seen=False).select_related("folder"))
    if unread:
        change_flags(unread, add=(SEEN,), remove=(), by=request.employee, now=now)
    return HttpResponse(status=204)
