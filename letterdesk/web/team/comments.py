"""Comments at a conversation: only the team sees them (ux.md 1.5). Calling somebody without access offers to share."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Conversation
from letterdesk.team import sharing
from letterdesk.team.comments import BadComment, add, called, change, remove
from letterdesk.team.models import Comment
from letterdesk.web.mail.acts import next_of
from letterdesk.web.request import Request
from letterdesk.web.team.talk import colleagues, may_share, readable_conversation


@require_POST
def comments(request: Request, conversation_id: str) -> HttpResponse:
    """POST /conversations/<id>/comments `text`: say it to the team; `outside`: "share" or "skip" who has no access."""
    found, text = readable_conversation(request, conversation_id), request.POST.get("text", "")
    try:
        people = called(text, colleagues(request.employee))
    except BadComment as error:
        messages.error(request, str(error))
        return redirect(next_of(request))
    readers = sharing.who_can_read(found, people)
    outside = [each for each in people if each.pk not in readers]
    how = request.POST.get("outside", "")
    if outside and how not in {"share", "skip"}:
        return _asked(request, found, text, outside)
    if how == "share" and may_share(found, request.employee):
        for each in outside:
            sharing.share(found, to=each, by=request.employee, now=timezone.now())
        outside = []
    try:
        mentions = [each for each in people if each not in outside]
        add(found, text, by=request.employee, now=timezone.now(), mentions=mentions)
    except BadComment as error:
        messages.error(request, str(error))
    return redirect(next_of(request))


def _asked(request: Request, found: Conversation, text: str, outside: list[Employee]) -> HttpResponse:
    facts = {
        "area": "mail",
        "conversation": found,
        "text": text,
        "outside": ", ".join(each.name for each in outside),
        "may_share": may_share(found, request.employee),
        "next": request.POST.get("next", ""),
    }
    return render(request, "web/talk/outside.html", facts, status=409)


def comment(request: Request, comment_id: str) -> HttpResponse:
    """GET /comments/<id>: change one's own comment. POST `text`: keep it; `delete`: it goes."""
    mine = Comment.objects.editable_by(request.employee).select_related("conversation__mailbox")
    found = get_object_or_404(mine, public_id=comment_id)
    readable_conversation(request, found.conversation.public_id)
    if request.method != "POST":
        next_page = request.GET.get("next", "")
        return render(request, "web/talk/comment.html", {"area": "mail", "comment": found, "next": next_page})
    try:
        if "delete" in request.POST:
            remove(found, by=request.employee)
            messages.success(request, _("The comment is deleted."))
        else:
            change(found, request.POST.get("text", ""), by=request.employee, now=timezone.now())
    except BadComment as error:
        messages.error(request, str(error))
    return redirect(next_of(request))
