"""A letter taken out of its conversation, and two conversations joined, by hand."""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.mailboxes.models import Conversation, Message, Placement
from letterdesk.mailboxes.search.letters import BadQuery
from letterdesk.mailboxes.search.letters import search as find
from letterdesk.mailboxes.threading import OnlyLetter, merge, split
from letterdesk.web.mail.acts import next_of
from letterdesk.web.request import Request

SUGGESTED = 12


@require_POST
def splitting(request: Request, message_id: str) -> HttpResponse:
    """POST /messages/<id>/splitting: take the letter out, with what will answer it; on to its new conversation."""
    editable = Message.objects.editable_by(request.employee)
    letter = get_object_or_404(editable, public_id=message_id)
    try:
        new = split(letter, by=request.employee)
    except OnlyLetter:
        messages.error(request, _("This is the only letter of its conversation."))
        return redirect(_address(request, letter.conversation))
    messages.success(request, _("Taken out. “Join with another conversation” brings it back: its old one comes first."))
    return redirect(_address(request, new))


def merging(request: Request, conversation_id: str) -> HttpResponse:
    """GET /conversations/<id>/merging: choose the other one (`q` finds more). POST `other`: join them."""
    editable = Conversation.objects.editable_by(request.employee).select_related("mailbox").filter(merged_into=None)
    conversation = get_object_or_404(editable, public_id=conversation_id)
    others = editable.filter(mailbox=conversation.mailbox_id).exclude(pk=conversation.pk)
    if request.method == "POST":
        other = get_object_or_404(others, public_id=request.POST.get("other", ""))
        merge(conversation, other, by=request.employee)
        messages.success(request, _("Joined. A letter can be taken out again by its menu."))
        return redirect(_address(request, conversation))
    query = request.GET.get("q", "").strip()
    facts: dict[str, Any] = {"area": "mail", "conversation": conversation, "query": query, "next": next_of(request)}
    facts["offered"] = _found(request, conversation, query) if query else _suggested(conversation, others)
    return render(request, "web/conversation/merging.html", facts)


def _suggested(conversation: Conversation, others: Any) -> list[Conversation]:
    """Where it was split from and what was split off, then the same subject, then the newest."""
    shown = others.filter(message_count__gt=0)
    kin = shown.filter(Q(pk=conversation.split_from_id) | Q(split_from=conversation.pk)).order_by("-newest_at")
    same = shown.filter(subject_key=conversation.subject_key).exclude(subject_key="").order_by("-newest_at")
    groups = (kin[:SUGGESTED], same[:SUGGESTED], shown.order_by("-newest_at")[:SUGGESTED])
    found = {each.pk: each for group in groups for each in group}
    return list(found.values())[:SUGGESTED]


def _found(request: Request, conversation: Conversation, query: str) -> list[Conversation]:
    try:
        found = find(request.employee, query, now=timezone.now(), mailbox=conversation.mailbox, limit=SUGGESTED + 1)
    except BadQuery as error:
        messages.error(request, str(error))
        return []
    return [hit.conversation for hit in found.hits if hit.conversation.pk != conversation.pk]


def _address(request: Request, conversation: Conversation) -> str:
    """The conversation's page beside the folder that the form names, else beside one in which it lies."""
    places = Placement.objects.visible_to(request.employee).filter(conversation=conversation).shown()
    folders = list(places.values_list("folder__public_id", flat=True).distinct())
    wanted = request.POST.get("folder", "")
    folder = wanted if wanted in folders else next(iter(folders), "")
    return reverse("conversation", args=[folder, conversation.public_id]) if folder else "/"
